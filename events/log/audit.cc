#include "events/log/audit.h"

namespace updraft {
namespace {

constexpr uint64_t kCommitsPerProgress = 1000;

}  // namespace

Audit VerifyLog(const EventLog& log, const AuditOptions& options) {
  Audit audit;
  const Seq end = log.head().last;
  auto progress = [&] {
    if (options.progress) options.progress(audit.head.last, end);
  };
  // Reading follows the chain from event 1 on.
  audit.verdict = log.Read(Seq(1), [&](const CommitReader& commit) -> Status {
    if (options.visit) RETURN_IF_ERROR(options.visit(commit));
    ++audit.commits;
    audit.events += commit.event_count();
    audit.bytes += commit.bytes().size();
    audit.head = HeadAfter(commit);
    if (audit.commits % kCommitsPerProgress == 0) progress();
    return OkStatus();
  });
  progress();
  return audit;
}

}  // namespace updraft
