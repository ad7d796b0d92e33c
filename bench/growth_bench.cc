// Does a report cost more in a large world than in a small one? The same number of reports is
// decided in fleets of growing size, and with a growing number of open batches; each is compared
// with the smallest.
//
// What is measured is the engine's own work, from the command to the commit's bytes; the disk does
// not know how large the world is.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "bench/bench.h"
#include "bench/fleet.h"

namespace updraft {
namespace {

// Nanoseconds a report, of devices all over the fleet.
Sample Report(CoreFleet& fleet, uint64_t reports, int& step) {
  const uint64_t devices = fleet.world().devices().size();
  double seconds = SecondsOf([&] {
    for (uint64_t left = reports; left > 0; step = step % 100 + 1) {
      const uint64_t now = std::min(left, devices);
      fleet.Progress(step, now);
      left -= now;
    }
  });
  return {1e9 * seconds / static_cast<double>(reports), reports};
}

struct Grown {
  std::unique_ptr<CoreFleet> fleet;
  int step = 1;
};

// A fleet whose devices are upgrading, each in one of `batches` batches.
Grown Grow(uint64_t devices, uint64_t batches) {
  Grown grown;
  grown.fleet = std::make_unique<CoreFleet>(
      CoreFleet::Options{.devices = devices, .products = static_cast<uint32_t>(batches)},
      [](const CommitJob&) {});
  grown.fleet->Register();
  grown.fleet->ComeOnline();
  grown.fleet->ReportVersion("1.0.0");
  grown.fleet->StartBatches("2.0.0");
  grown.fleet->Push();
  grown.fleet->Progress(0);
  return grown;
}

void Compare(Bench& bench, std::string_view what, const std::vector<uint64_t>& sizes,
             uint64_t reports, const std::function<Grown(uint64_t)>& grow) {
  std::vector<Grown> grown;
  for (uint64_t size : sizes) grown.push_back(grow(size));
  for (size_t i = 0; i < sizes.size(); ++i) {
    std::vector<Side> sides = {{fmt::format("{}_{}", sizes[i], what), [&, i] {
                                  return Report(*grown[i].fleet, reports, grown[i].step);
                                }}};
    if (i > 0) {
      sides.push_back({fmt::format("{}_{}", sizes[0], what),
                       [&] { return Report(*grown[0].fleet, reports, grown[0].step); },
                       AtMost(1.5)});
    }
    bench.Compare("ns/report", {{std::string(what), sizes[i]}}, sides);
  }
}

void Run(Bench& bench) {
  uint64_t reports = bench.Parameter("reports", 200, 100'000);
  uint64_t batches_devices = bench.Parameter("devices_of_batches", 400, 100'000);
  std::vector<uint64_t> devices =
      bench.Parameters("devices", {100, 300}, {10'000, 100'000, 1'000'000});
  std::vector<uint64_t> batches = bench.Parameters("batches", {1, 4}, {1, 10, 100});
  Compare(bench, "devices", devices, reports, [](uint64_t size) { return Grow(size, 1); });
  Compare(bench, "batches", batches, reports,
          [&](uint64_t size) { return Grow(batches_devices, size); });
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  updraft::Bench bench("growth", argc, argv, "sync=none");
  updraft::Run(bench);
}
