// Seeds that once failed, and what they found. Each runs in every test run.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace updraft::simulation {

struct Regression {
  uint64_t seed;
  std::string_view found;
};

inline const std::vector<Regression> kRegressions = {
    {110, "a device that connects during a look at the roster was taken for offline"},
    {293, "the reference fired timers in the last turn of a server whose clock was in doubt"},
    {393, "an orderly stop of a server whose disk fails did not end in the simulation"},
};

}  // namespace updraft::simulation
