#include "adapters/broker_plugin/epoch.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace updraft {
namespace {

// 0 where nothing is known.
uint64_t ReadLast(const std::string& path) {
  std::ifstream file(path);
  uint64_t last = 0;
  return file >> last ? last : 0;
}

Status Keep(const std::string& path, uint64_t epoch) {
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  file << epoch << '\n' << std::flush;
  if (file && std::rename(fresh.c_str(), path.c_str()) == 0) return OkStatus();
  return Status(StatusCode::kUnavailable,
                fmt::format("cannot write {}: {}; should the clock step back before the broker "
                            "starts again, the engine takes its word for old",
                            path, strerror(errno)));
}

}  // namespace

BrokerEpoch BeginEpoch(const std::string& path, uint64_t wall_ms) {
  const uint64_t epoch = std::max(wall_ms, ReadLast(path) + 1);
  return {epoch, Keep(path, epoch)};
}

}  // namespace updraft
