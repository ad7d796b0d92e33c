#include "adapters/cli/file_limit.h"

#include <algorithm>

#include <fmt/format.h>
#include <sys/resource.h>

namespace updraft {
namespace {

// The log's tables, checkpoints, uploads, the broker's link, and what is opened for a moment.
constexpr uint64_t kReserved = 512;
constexpr uint64_t kFilesPerConnection = 2;  // Its own, and that of a download.
constexpr uint64_t kConnectionsMin = 16;

}  // namespace

uint64_t RaiseFileLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit raised = {limit.rlim_max, limit.rlim_max};
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

Result<uint32_t> ConnectionsWithin(uint64_t files_max, uint32_t wanted) {
  const uint64_t left = files_max > kReserved ? files_max - kReserved : 0;
  const uint64_t fit = left / kFilesPerConnection;
  if (fit < kConnectionsMin) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("the process may have {} files open and needs {} at least: raise the "
                              "limit (ulimit -n, LimitNOFILE=)",
                              files_max, kReserved + kConnectionsMin * kFilesPerConnection));
  }
  return static_cast<uint32_t>(std::min<uint64_t>(fit, wanted));
}

}  // namespace updraft
