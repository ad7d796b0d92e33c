// Whether a batch keeps its pace: 50 batches at once, each with a rate, and pushes taken as fast as
// they come due. Told are the most pushes of any batch in any half-open 60 s window (which must not
// be more than the rate), and the least of any batch in all its time.
//
// First on simulated time, where a turn takes a millisecond; then, at full size, for some minutes
// of real time on a disk, with reports of devices in between.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "bench/bench.h"
#include "bench/fleet.h"
#include "bench/library.h"

namespace updraft {
namespace {

constexpr int64_t kWindowMs = 60'000;
// On simulated time: a turn with its commit.
constexpr int64_t kTurnMs = 1;

// When pushes were recorded, by batch, oldest first.
using PushTimes = std::map<BatchId, std::vector<int64_t>>;

// The most of `times` in [t, t + kWindowMs) for any t.
uint64_t MostInAWindow(const std::vector<int64_t>& times) {
  size_t most = 0;
  for (size_t begin = 0, end = 0; begin < times.size(); ++begin) {
    while (end < times.size() && times[end] < times[begin] + kWindowMs) ++end;
    most = std::max(most, end - begin);
  }
  return most;
}

void Tell(Bench& bench, const std::string& clock, uint64_t rate, uint64_t minutes,
          const PushTimes& pushes) {
  uint64_t most = 0;
  double least = 1e9;
  for (const auto& [batch, times] : pushes) {
    most = std::max(most, MostInAWindow(times));
    // From the first push on: pushes a minute, as a part of the rate.
    const auto span_ms = static_cast<double>(times.back() - times.front());
    least = std::min(least, static_cast<double>(times.size() - 1) * 60'000 / span_ms);
  }
  const Bench::Point point = {{"rate", rate}, {"minutes", minutes}};
  const auto of_rate = [&](double pushed) { return pushed / static_cast<double>(rate); };
  bench.Tell(clock + "_most_in_a_window", point, {of_rate(static_cast<double>(most)), 0},
             AtMost(1));
  bench.Tell(clock + "_least_a_minute", point, {of_rate(least), 0}, AtLeast(0.99));
}

// The devices of batch b are those that run this.
std::string SourceOf(uint64_t b) { return fmt::format("1.0.{}", b); }

CreateBatch PacedBatch(PackageId package, uint64_t b, uint64_t rate) {
  return {.product_key = CoreFleet::kProductKey,
          .package = package,
          .scope = Scope::kAll,
          .source_versions = {SourceOf(b)},
          .push_per_minute = static_cast<uint32_t>(rate)};
}

CreatePackage PacedPackage(uint64_t b) {
  return {.product_key = CoreFleet::kProductKey,
          .name = fmt::format("package-{}", b),
          .target_version = fmt::format("2.0.{}", b),
          .needs_verification = false,
          .file = std::string(32, 'f'),
          .suffix = "bin",
          .size_bytes = 4'096,
          .md5 = std::string(16, 'm'),
          .sha256 = std::string(32, 's')};
}

PushTimes OnSimulatedTime(uint64_t batches, uint64_t rate, uint64_t minutes) {
  const uint64_t devices = batches * (rate * (minutes + 1) + 1);
  CoreFleet fleet({.devices = devices}, [](const CommitJob&) {});
  fleet.Register();
  fleet.ComeOnline();
  for (uint64_t begin = 0; begin < devices; begin += 256) {
    fleet.Turn([&] {
      for (uint64_t i = begin; i < std::min(devices, begin + 256); ++i) {
        Outcome said = fleet.core().Execute(
            ReportVersion{.device = {.id = DeviceId(static_cast<uint32_t>(i + 1))},
                          .version = SourceOf(i % batches)},
            KeyId());
        OrDie(said.status, "report a version");
      }
    });
  }
  for (uint64_t b = 0; b < batches; ++b) {
    fleet.Do(PacedPackage(b));
    fleet.Do(PacedBatch(PackageId(static_cast<uint32_t>(b + 1)), b, rate));
  }
  PushTimes pushes;
  Core& core = fleet.core();
  int64_t now_ms = core.now_ms();
  const int64_t end_ms = now_ms + static_cast<int64_t>(minutes) * 60'000;
  while (now_ms < end_ms) {
    now_ms = std::max(now_ms + kTurnMs, core.NextDue(true));
    core.BeginTurn(now_ms);
    core.RunAgenda();
    for (const Push& push : core.TakePushes(256)) {
      pushes[push.notice.batch].push_back(push.notice.time_ms);
    }
    core.EndTurn();
  }
  return pushes;
}

PushTimes OnRealTime(Bench& bench, uint64_t batches, uint64_t rate, uint64_t minutes) {
  const uint64_t devices = batches * (rate * (minutes + 1) + 1);
  EngineHost host(bench.NewDir());
  host.MakeFleet(devices);
  host.Pour(devices, [&](uint64_t i) {
    return ReportVersion{.device = {.id = DeviceId(static_cast<uint32_t>(i + 1))},
                         .version = SourceOf(i % batches)};
  });
  host.GoOnline(devices);
  std::this_thread::sleep_for(std::chrono::milliseconds(2 * kSettleMs));
  for (uint64_t b = 0; b < batches; ++b) {
    Outcome package = host.Do(PacedPackage(b));
    host.Do(PacedBatch(std::get<CreatedPackage>(package.answer).package, b, rate));
  }
  PushTimes pushes;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(minutes);
  while (std::chrono::steady_clock::now() < end) {
    Outcome taken = host.Do(TakePushes{256});
    for (const Push& push : std::get<TakenPushes>(taken.answer).pushes) {
      pushes[push.notice.batch].push_back(push.notice.time_ms);
      // It begins at once.
      OrDie(host.engine().Submit(ReportProgress{.device = {.id = push.notice.device}, .step = 1},
                                 nullptr),
            "report");
    }
  }
  return pushes;
}

int Main(int argc, char** argv) {
  Bench bench("pacing", argc, argv, "sync=fdatasync");
  const uint64_t batches = bench.Parameter("batches", 50, 50);
  const uint64_t minutes = bench.Parameter("minutes", 2, 10);
  const uint64_t real_minutes = bench.Parameter("real_minutes", 0, 3);
  const std::vector<uint64_t> rates = bench.Parameters("rate", {10}, {10, 100, 1'000});
  for (uint64_t rate : rates) {
    Tell(bench, "simulated", rate, minutes, OnSimulatedTime(batches, rate, minutes));
  }
  if (real_minutes != 0) {
    Tell(bench, "real", rates.back(), real_minutes,
         OnRealTime(bench, batches, rates.back(), real_minutes));
  }
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
