// Numbers the runs of the broker, each above the one before, though the wall clock may step back.
#pragma once

#include <cstdint>
#include <string>

#include "events/base/status.h"

namespace updraft {

struct BrokerEpoch {
  uint64_t epoch = 0;
  Status kept;  // Whether the next run will know of it.
};

// The wall clock's milliseconds, or one more than what `path` says of the run before; notes it
// there.
BrokerEpoch BeginEpoch(const std::string& path, uint64_t wall_ms);

}  // namespace updraft
