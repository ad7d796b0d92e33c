// One run of a scenario: a server, a broker, a fleet and operators, and the checkers that watch
// them. After the last action everything works again; then each task that can end must end.
//
// A run depends on its scenario and on nothing else.
//
// Thread-safety: none.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/checkers.h"
#include "tests/simulation/scenario.h"

namespace updraft::simulation {

struct RunStats {
  int64_t simulated_us = 0;
  uint64_t steps = 0;
  uint64_t tasks = 0;
  uint64_t tasks_ended = 0;
  uint64_t crashes = 0;
  uint64_t stalls = 0;
  uint64_t checkpoints = 0;
  uint64_t from_checkpoint = 0;
  uint64_t turns = 0;
  CheckStats checks;
  FleetStats fleet;
  std::array<uint64_t, kActs> acts = {};

  void Add(const RunStats& other);
};

struct RunResult {
  std::optional<Failure> failure;
  RunStats stats;
  uint64_t fingerprint = 0;        // Of the whole trace: two runs of one scenario have the same.
  std::vector<std::string> trace;  // Empty unless asked for.
};

RunResult Run(const Scenario& scenario, bool keep_trace);

}  // namespace updraft::simulation
