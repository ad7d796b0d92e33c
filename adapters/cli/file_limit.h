// How many files the process may have open: the log's, the connections', and a download's own.
#pragma once

#include <cstdint>

#include "events/base/status.h"

namespace updraft {

// Raises the process's limit as far as it may, and tells it. Before threads and children are there.
uint64_t RaiseFileLimit();

// The HTTP connections that fit, `wanted` at most, beside what the log needs: past the limit the
// log could not be written any more. FAILED_PRECONDITION when hardly any fits.
Result<uint32_t> ConnectionsWithin(uint64_t files_max, uint32_t wanted);

}  // namespace updraft
