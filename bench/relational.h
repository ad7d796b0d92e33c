// The design that an event log replaces, on a PostgreSQL of its own: devices and tasks as rows, and
// a batch made by transactions that each insert 5,000 tasks for the next devices that match and
// move a cursor. Nothing crosses the wire but the statement, which is to its advantage.
//
// What fails ends the program. Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>

#include "bench/bench.h"
#include "bench/servers.h"

namespace updraft {

class RelationalFleet {
 public:
  static constexpr uint64_t kTasksATransaction = 5'000;

  // A server with so many devices. Null, with a word of Bench::Skip, where there is none.
  static std::unique_ptr<RelationalFleet> Start(Bench& bench, uint64_t devices);
  virtual ~RelationalFleet() = default;

  // Makes a batch over all devices and waits until its tasks are durable: the seconds that took.
  // Removes the tasks of the one before, which is not counted.
  virtual double CreateTasks() = 0;
};

}  // namespace updraft
