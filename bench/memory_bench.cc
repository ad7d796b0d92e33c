// How much memory does a device take, with a name of 16 bytes, one module and one task? What the
// process grows by while a fleet is registered, reports its version and joins a batch, divided by
// the fleet; and then what it grows by until every device is upgrading with a timeout.
#include <fstream>

#include <malloc.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/fleet.h"

namespace updraft {
namespace {

uint64_t ResidentBytes() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void Run(Bench& bench) {
  uint64_t devices = bench.Parameter("devices", 5'000, 1'000'000);
  CoreFleet fleet({.devices = devices}, [](const CommitJob&) {});
  uint64_t before = ResidentBytes();
  auto tell = [&](const std::string& when, std::optional<Goal> goal) {
    double bytes = static_cast<double>(ResidentBytes() - before) / static_cast<double>(devices);
    bench.Tell("bytes_a_device_" + when, {}, {bytes, fleet.world().digest().low()}, goal);
  };
  fleet.Register();
  tell("registered", std::nullopt);
  fleet.ComeOnline();
  fleet.ReportVersion("1.0.0");
  fleet.StartBatches("2.0.0");
  tell("with_task_ready", AtMost(160));
  fleet.Push();
  tell("with_task_pushed", AtMost(160));
  fleet.Progress(10);
  tell("upgrading_with_timeout", std::nullopt);
  fleet.ReportVersion("2.0.0");
  // Timers that nobody waits for any more go a thousand a turn.
  for (uint64_t i = 0; i < devices / 1'000 + 1; ++i) fleet.Turn([] {});
  tell("upgraded", AtMost(160));
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  updraft::Bench bench("memory", argc, argv, "sync=none");
  updraft::Run(bench);
}
