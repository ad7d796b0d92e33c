// Who may call: proof by signature, each call once, near the present, and so many a second.
//
// A call is refused when its time is more than 15 minutes from ours, and when its nonce came before
// while the time would still be good. Nonces are kept in memory: for 15 minutes after a restart, a
// call that was listened to before it can be played again by whoever can reach the server.
//
// Thread-safety: none; it belongs to one thread. Times are in milliseconds since 1970.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "adapters/wire/openapi_signature.h"
#include "events/base/bytes.h"
#include "events/base/ids.h"
#include "events/base/status.h"

namespace updraft::openapi {

inline constexpr int64_t kCallTimeToleranceMs = 15 * 60'000;

class CallGuard {
 public:
  // Nonces that are remembered of a key; with more calls than this in half an hour it is throttled,
  // and no other key is. About 80 MB of a key that makes them.
  static constexpr size_t kNoncesMax = 1'000'000;

  CallGuard() : CallGuard(kNoncesMax) {}
  explicit CallGuard(size_t nonces_max) : nonces_max_(nonces_max) {}

  // INVALID_ARGUMENT, InvalidTimeStamp.Expired.
  static Status CheckTime(const SignedCall& call, int64_t now_ms);

  // Checks the signature, then counts the call against `calls_per_second` of that key and action (0
  // is no limit), then spends the nonce. Reasons: SignatureDoesNotMatch, Throttling,
  // SignatureNonceUsed. REQUIRED: CheckTime was OK.
  Status Admit(const SignedCall& call, KeyId key, std::string_view secret,
               uint32_t calls_per_second, int64_t now_ms);

 private:
  struct Second {
    int64_t second = 0;
    uint32_t calls = 0;
  };

  struct TakeLow {
    size_t operator()(const Fingerprint& digest) const { return digest.low; }
  };
  struct Nonces {
    std::unordered_set<Fingerprint, TakeLow> digests;
    std::deque<std::pair<int64_t, Fingerprint>> spent;  // When each may be forgotten.
  };

  Status SpendNonce(const SignedCall& call, int64_t now_ms);

  const size_t nonces_max_;
  std::map<std::pair<KeyId, std::string>, Second> rates_;  // By key and action.
  std::map<std::string, Nonces> nonces_;                   // By access key id.
};

}  // namespace updraft::openapi
