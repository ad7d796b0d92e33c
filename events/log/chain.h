// What binds one commit to the next: numbers without a gap, the hash of the one before, an epoch
// and a time that never go back, one engine. Every log, the audit and export files check it here.
// Thread-safety: none; plain data.
#pragma once

#include <string>

#include "events/base/status.h"
#include "events/log/commit.h"

namespace updraft {

// Where a log ends. All zero when it is empty.
struct LogHead {
  Seq last;
  Hash256 hash = {};
  Epoch epoch;
  int64_t time_ms = 0;
  uint16_t engine_number = 0;

  friend bool operator==(const LogHead&, const LogHead&) = default;
};

LogHead HeadAfter(const SealedCommit& commit);
LogHead HeadAfter(const CommitReader& commit);

// Whether `commit` may be appended after `head`: what EventLog::Append promises to refuse.
Status CheckAppend(const LogHead& head, const SealedCommit& commit);

// Follows a chain, commit by commit.
class ChainCheck {
 public:
  // DATA_LOSS when `commit` does not continue what was followed so far. The first commit may lie
  // anywhere, but where it holds event 1 nothing may stand before it.
  Status Follow(const CommitReader& commit);

  // After the commit followed last.
  const LogHead& head() const { return head_; }

 private:
  LogHead head_;
};

// "events 5 to 7", for messages.
std::string NameOf(const CommitReader& commit);

}  // namespace updraft
