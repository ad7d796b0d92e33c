// A log that is read on a second thread: while a commit is visited the next ones are loaded, their
// hashes checked and the messages opened. For readers of much, as a start is.
//
//   ReadAhead ahead(log);
//   ahead.Read(Seq(1), visit);       // `visit` runs on the calling thread, as ever.
//
// Nothing is checked less, and in no other order: what Read visits and returns is the log's own.
//
// Thread-safety: as the log's. The log outlives it.
#pragma once

#include "events/log/event_log.h"

namespace updraft {

class ReadAhead final : public EventLog {
 public:
  // Commits that may wait to be visited; with kCommitBytesMax that bounds the memory.
  static constexpr size_t kCommitsMax = 32;

  explicit ReadAhead(const EventLog& log) : log_(log) {}

  // A log to read: refused.
  Status Append(const SealedCommit& commit, std::span<const SideWrite> side) override;
  Status Confirm() override;

  LogHead head() const override { return log_.head(); }
  Status Read(Seq first, const VisitCommit& visit) const override;
  Result<std::string> ReadSide(std::string_view key) const override { return log_.ReadSide(key); }
  Status ScanSide(std::string_view prefix, const VisitSide& visit) const override {
    return log_.ScanSide(prefix, visit);
  }

 private:
  const EventLog& log_;
};

}  // namespace updraft
