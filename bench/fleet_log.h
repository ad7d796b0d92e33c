// A log on disk of a fleet that is upgrading: every device's task waits for its next report.
#pragma once

#include <memory>
#include <string>

#include "bench/bench.h"
#include "bench/fleet.h"
#include "events/log/rocks_log.h"

namespace updraft {

// The log of an engine whose data directory is `dir`.
std::unique_ptr<RocksLog> OpenLog(const std::string& dir, bool create = false);

// Registered, online, pushed, and said to be at 0 %. Without a timeout, so that nothing comes due.
void MakeUpgradingFleet(const std::string& dir, uint64_t devices);

// An event's bytes as a message of its own: what a store of rows would hold of it.
std::string RowOf(events::Event::Reader event);
// The same of one report of progress.
std::string RowOfReport();

// What device `device` (from 0) sends at `step`, as the gate hands it on.
std::string ReportTopic(uint64_t device);
std::string ReportPayload(int step);

}  // namespace updraft
