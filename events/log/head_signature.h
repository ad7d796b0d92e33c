// The head of a log, signed: a few lines of text to keep elsewhere, with which cutting or rewriting
// the log is noticed later, which the chain alone cannot show.
//
//   HeadSigner signer = *HeadSigner::LoadOrMake("/data/engine.key");
//   fmt::print("{}", FormatSignedHead(signer.Sign(log.head())));
//   ...
//   SignedHead kept = *ParseSignedHead(text);           // Whole and signed with the key it names,
//   kept.public_key == the key that I trust;            // which only the reader can judge.
//   CompareWithLog(kept, log);
//
// Thread-safety: plain data; a signer may sign on any thread.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "events/log/event_log.h"

namespace updraft {

using Ed25519Key = std::array<uint8_t, 32>;
using Ed25519Signature = std::array<uint8_t, 64>;

struct SignedHead {
  LogHead head;
  Ed25519Key public_key = {};
  Ed25519Signature signature = {};
};

// Signs with the engine's own key.
class HeadSigner {
 public:
  // The key in the file at `path` (see key_file.h), which is made where there is none.
  static Result<HeadSigner> LoadOrMake(const std::string& path);

  SignedHead Sign(const LogHead& head) const;

 private:
  explicit HeadSigner(std::string private_key) : private_key_(std::move(private_key)) {}

  std::string private_key_;
};

// A title, then `name=value` lines: engine, event (the number of the last), hash, epoch, time_ms
// (since 1970, UTC), key (the public one), signature (of all before it). Hashes and keys in hex.
std::string FormatSignedHead(const SignedHead& head);

// INVALID_ARGUMENT when it is no such text, byte for byte; DATA_LOSS when the signature is not of
// what it says.
Result<SignedHead> ParseSignedHead(std::string_view text);

enum class HeadComparison {
  kSame,       // The log ends there.
  kExtends,    // The log holds that event and goes on.
  kTruncated,  // The log ends before: something was cut off.
  kRewritten,  // The log holds another event under that number.
  kOtherLog,   // The head is of another engine's log.
};

// How `log` stands to a head that was kept of it. It looks at that event's commit only: whether
// what lies before is whole, VerifyLog says. What reading the log fails with is passed through.
Result<HeadComparison> CompareWithLog(const LogHead& kept, const EventLog& log);

// A sentence for the operator.
std::string_view Describe(HeadComparison comparison);

}  // namespace updraft
