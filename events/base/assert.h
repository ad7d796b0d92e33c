// Assertions that stay on in release: a bug ends the process before it reaches the log. Never for
// what a user, a device or a disk can cause; those get a Status.
#pragma once

#include <string_view>

#include <fmt/format.h>

#include "events/base/format.h"

namespace updraft {

[[noreturn]] void AssertFailed(std::string_view condition, const char* file, int line,
                               const std::string& message);
[[noreturn]] void UnreachableAt(const char* file, int line);

}  // namespace updraft

// Assert(x > 0, "why x is positive, x={}", x);
#define Assert(condition, ...)                                                             \
  do {                                                                                     \
    if (!(condition)) [[unlikely]]                                                         \
      ::updraft::AssertFailed(#condition, __FILE__, __LINE__, ::fmt::format(__VA_ARGS__)); \
  } while (false)

// Behind a switch that names every case.
#define Unreachable() ::updraft::UnreachableAt(__FILE__, __LINE__)
