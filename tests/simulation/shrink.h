// Runs seeds where a bug cannot take the runner with it, and makes failures small.
//
// Every run is in a child process, so that an assertion of the engine is a failure like others.
//
// Thread-safety: none; the process must have one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/simulation.h"

namespace updraft::simulation {

struct SeedRun {
  uint64_t seed = 0;
  std::optional<Failure> failure;  // Of the checker "assertion" where the process ended itself.
  RunStats stats;
  uint64_t fingerprint = 0;
};

// Runs the seeds in order, many to a child. `done` is called after each, and may stop by
// returning false.
void RunSeeds(const std::vector<uint64_t>& seeds, const std::function<bool(const SeedRun&)>& done);

SeedRun RunApart(const Scenario& scenario);

// Leaves out what the failure does not need: in the result no single action can be left out without
// the checker falling silent, unless the time was not enough.
Scenario Shrink(const Scenario& scenario, const Failure& failure, std::chrono::seconds time_max);
// The same for any way to fail, in so many runs.
Scenario ShrinkBy(const Scenario& scenario, const std::function<bool(const Scenario&)>& fails,
                  int runs_max);

}  // namespace updraft::simulation
