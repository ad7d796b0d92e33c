// Reads a whole log and says whether it is what was written: every commit opens and continues the
// one before (see chain.h), from event 1 on.
#pragma once

#include <functional>

#include "events/log/event_log.h"

namespace updraft {

struct Audit {
  // Of the commits that are good, up to the first that is not.
  uint64_t commits = 0;
  uint64_t events = 0;
  uint64_t bytes = 0;
  LogHead head;
  // OK when all of the log is good; else DATA_LOSS, and the message names the first bad commit. A
  // failure of `visit` comes out as it is.
  Status verdict;
};

struct AuditOptions {
  // Further checks of each good commit, such as folding it and comparing the digests recorded.
  EventLog::VisitCommit visit;
  // Called from time to time, and at the end, with how far the audit is and where it ends.
  std::function<void(Seq done, Seq end)> progress;
};

Audit VerifyLog(const EventLog& log, const AuditOptions& options = {});

}  // namespace updraft
