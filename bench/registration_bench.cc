// A fleet moves in by RegisterDevices while others ask for their own things. What they wait then,
// beside what they wait when nothing else goes on, by turns: as fast as it goes with commands of
// 1,000 devices, which is the most that one may have, and with commands of 100; and at a steady
// 5,000 devices a second, which is a million in 200 seconds.
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "bench/bench.h"
#include "bench/library.h"

namespace updraft {
namespace {

RegisterDevices NamedFrom(uint64_t first, uint64_t count) {
  RegisterDevices command{.product_key = EngineHost::kProductKey};
  for (uint64_t d = first; d < first + count; ++d) {
    command.devices.push_back(
        {.name = fmt::format("device-{:05}", d), .secret = EngineHost::kSecret});
  }
  return command;
}

struct Way {
  uint64_t devices_a_command = 0;
  uint64_t devices_a_second = 0;  // 0: as fast as it goes.
  uint64_t devices = 0;
};

// One command after the other. Tells the seconds.
double Register(EngineHost& host, uint64_t first, uint64_t devices, const Way& way) {
  auto next = std::chrono::steady_clock::now();
  return SecondsOf([&] {
    for (uint64_t done = 0; done < devices; done += way.devices_a_command) {
      host.Do(NamedFrom(first + done, std::min(way.devices_a_command, devices - done)));
      if (way.devices_a_second == 0) continue;
      next += std::chrono::microseconds(way.devices_a_command * 1'000'000 / way.devices_a_second);
      std::this_thread::sleep_until(next);
    }
  });
}

void TellWay(Bench& bench, const Way& way, int64_t pause_us) {
  EngineHost host(bench.NewDir());
  host.MakeFleet(0);
  // The devices are registered in parts, each after a quiet stretch: so both see the same machine,
  // and the world as it grows.
  const auto rounds = static_cast<uint64_t>(std::max(bench.rounds(), 5));
  const uint64_t part = way.devices / rounds;
  double seconds = 0;
  std::vector<double> idle, during, ratios;
  for (uint64_t round = 0; round < rounds; ++round) {
    std::vector<LatencyProbe::Point> quiet, busy;
    {
      LatencyProbe probe(host, pause_us);
      std::this_thread::sleep_for(std::chrono::milliseconds(bench.smoke() ? 20 : 2'000));
      quiet = probe.Stop();
    }
    {
      LatencyProbe probe(host, pause_us);
      seconds += Register(host, round * part, part, way);
      busy = probe.Stop();
    }
    for (const auto& point : quiet) idle.push_back(point.us);
    for (const auto& point : busy) during.push_back(point.us);
    ratios.push_back(PercentileUs(busy, 0.99) / PercentileUs(quiet, 0.99));
  }
  const Bench::Point point = {{"devices_a_command", way.devices_a_command},
                              {"devices_a_second", way.devices_a_second},
                              {"devices", part * rounds}};
  const double million_s = seconds * 1e6 / static_cast<double>(part * rounds);
  bench.Tell("seconds_a_million", point, {million_s, 0}, AtMost(600));
  bench.Tell("others_idle_p50_us", point, {Percentile(idle, 0.5), 0});
  bench.Tell("others_idle_p99_us", point, {Percentile(idle, 0.99), 0});
  bench.Tell("others_p50_us", point, {Percentile(during, 0.5), 0});
  bench.Tell("others_p99_us", point, {Percentile(during, 0.99), 0});
  bench.Tell("others_p99_to_idle", point, {SpreadOf(ratios).median, 0}, AtMost(2));
}

int Main(int argc, char** argv) {
  Bench bench("registration", argc, argv, "sync=fdatasync");
  const uint64_t devices = bench.Parameter("flat_out", 4'000, 1'000'000);
  const uint64_t steady = bench.Parameter("steady", 500, 100'000);
  const auto pause_us = static_cast<int64_t>(bench.Parameter("probe_pause_us", 200, 1'000));
  TellWay(bench, {1'000, 0, devices}, pause_us);
  TellWay(bench, {100, 0, devices / 4}, pause_us);
  TellWay(bench, {100, 5'000, steady}, pause_us);
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
