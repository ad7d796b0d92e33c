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

inline const std::vector<Regression> kRegressions = {};

}  // namespace updraft::simulation
