// A log that is another log, for tests that change one thing of it.
#pragma once

#include <string>

#include "events/log/event_log.h"

namespace updraft {

class ForwardingLog : public EventLog {
 public:
  // `to` outlives it.
  explicit ForwardingLog(EventLog& to) : to_(to) {}

  Status Append(const SealedCommit& commit, std::span<const SideWrite> side) override {
    return to_.Append(commit, side);
  }
  Status Confirm() override { return to_.Confirm(); }
  LogHead head() const override { return to_.head(); }
  Status Read(Seq first, const VisitCommit& visit) const override { return to_.Read(first, visit); }
  Result<std::string> ReadSide(std::string_view key) const override { return to_.ReadSide(key); }
  Status ScanSide(std::string_view prefix, const VisitSide& visit) const override {
    return to_.ScanSide(prefix, visit);
  }

 protected:
  EventLog& to_;
};

}  // namespace updraft
