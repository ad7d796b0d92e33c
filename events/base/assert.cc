#include "events/base/assert.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace updraft {

void AssertFailed(std::string_view condition, const char* file, int line,
                  const std::string& message) {
  fmt::print(stderr, "level=fatal msg=\"assertion failed\" at={}:{} condition=\"{}\" why=\"{}\"\n",
             file, line, condition, message);
  std::fflush(stderr);
  std::abort();
}

void UnreachableAt(const char* file, int line) {
  AssertFailed("unreachable", file, line, "a switch over an enum met a value it does not name");
}

}  // namespace updraft
