// What others feel of a checkpoint: devices report at a steady rate, others ask for their own
// things, and in every second stretch the engine is making checkpoints all the time, one after the
// other. The engine is opened anew for each stretch, on the same log.
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "bench/bench.h"
#include "bench/library.h"

namespace updraft {
namespace {

// Progress of all devices in turn, so many a second, a handful at a time as a broker brings them.
class SteadyReports {
 public:
  SteadyReports(EngineHost& host, uint64_t devices, uint64_t a_second)
      : thread_([this, &host, devices, a_second] { Run(host, devices, a_second); }) {}
  ~SteadyReports() {
    stopping_ = true;
    thread_.join();
  }

 private:
  void Run(EngineHost& host, uint64_t devices, uint64_t a_second) {
    constexpr auto kTurn = std::chrono::milliseconds(2);
    const uint64_t a_turn = a_second * kTurn.count() / 1'000;
    auto next = std::chrono::steady_clock::now();
    for (uint64_t i = 0; !stopping_;) {
      std::vector<Engine::Request> reports;
      for (uint64_t n = 0; n < a_turn; ++n, ++i) {
        reports.push_back(
            {ReportProgress{.device = {.id = DeviceId(static_cast<uint32_t>(i % devices + 1))},
                            .step = static_cast<int>(1 + (i / devices) % 99)},
             nullptr});
      }
      OrDie(host.engine().Submit(reports), "report progress");
      next += kTurn;
      std::this_thread::sleep_until(next);
    }
  }

  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

struct Stretch {
  std::vector<double> us;
  uint64_t checkpoints = 0;
};

Stretch Measure(const std::string& dir, uint64_t devices, uint64_t reports_a_second,
                uint64_t checkpoint_events, std::chrono::milliseconds time) {
  std::atomic<uint64_t> made = 0;
  EngineOptions options;
  options.checkpoint_events = checkpoint_events;
  options.on_checkpoint = [&](Seq, const Status& status) {
    OrDie(status, "make a checkpoint");
    ++made;
  };
  EngineHost host(dir, options);
  SteadyReports reports(host, devices, reports_a_second);
  std::this_thread::sleep_for(time / 5);
  LatencyProbe probe(host, /*pause_us=*/500);
  std::this_thread::sleep_for(time);
  Stretch stretch;
  for (const auto& point : probe.Stop()) stretch.us.push_back(point.us);
  stretch.checkpoints = made;
  return stretch;
}

int Main(int argc, char** argv) {
  Bench bench("checkpoint", argc, argv, "sync=fdatasync");
  const uint64_t devices = bench.Parameter("devices", 1'000, 200'000);
  const uint64_t rate = bench.Parameter("reports_a_second", 2'000, 10'000);
  const uint64_t stretch_ms = bench.Parameter("stretch_ms", 300, 10'000);
  const uint64_t every = bench.Parameter("checkpoint_events", 1'000, 1'000);
  const std::string dir = bench.NewDir();
  {
    EngineHost host(dir, {.checkpoint_events = 0});
    host.MakeFleet(devices);
    host.ReportVersions(devices, "1.0.0");
    host.GoOnline(devices);
    CreateBatch batch = host.WholeFleet(host.MakePackage("2.0.0"));
    const BatchId id = std::get<CreatedBatch>(host.Do(batch).answer).batch;
    while (host.Ask<bool>([&](const World& world) { return world.batches()[id].walking; })) {
    }
  }
  std::vector<double> without, with, ratios;
  uint64_t checkpoints = 0;
  const std::chrono::milliseconds time(stretch_ms);
  for (int round = 0; round < bench.rounds(); ++round) {
    Stretch quiet = Measure(dir, devices, rate, 0, time);
    Stretch busy = Measure(dir, devices, rate, every, time);
    checkpoints += busy.checkpoints;
    ratios.push_back(Percentile(busy.us, 0.99) / Percentile(quiet.us, 0.99));
    without.insert(without.end(), quiet.us.begin(), quiet.us.end());
    with.insert(with.end(), busy.us.begin(), busy.us.end());
  }
  bench.Tell("checkpoints_made", {}, {static_cast<double>(checkpoints), 0});
  bench.Tell("p50_without_us", {}, {Percentile(without, 0.5), 0});
  bench.Tell("p50_with_us", {}, {Percentile(with, 0.5), 0});
  bench.Tell("p99_without_us", {}, {Percentile(without, 0.99), 0});
  bench.Tell("p99_with_us", {}, {Percentile(with, 0.99), 0});
  bench.Tell("p99_with_to_without", {}, {SpreadOf(ratios).median, 0}, AtMost(1.2));
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
