// What others feel of a checkpoint: devices report at a steady rate, others ask for their own
// things, and what they wait while a checkpoint is being made is held against what they wait in as
// long a stretch right after it. Between the two, reports are poured in until the next is due.
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "bench/bench.h"
#include "bench/library.h"
#include "engine/recovery.h"

namespace updraft {
namespace {

using Clock = std::chrono::steady_clock;

// Progress of all devices in turn, no two the same.
class Reporter {
 public:
  explicit Reporter(uint64_t devices) : devices_(devices) {}

  Command Next() {
    const uint64_t i = next_++;
    return ReportProgress{.device = {.id = DeviceId(static_cast<uint32_t>(i % devices_ + 1))},
                          .step = static_cast<int>(1 + (i / devices_) % 99)};
  }

 private:
  const uint64_t devices_;
  std::atomic<uint64_t> next_ = 0;
};

// So many reports a second, a handful at a time as a broker brings them, until its end.
class SteadyReports {
 public:
  SteadyReports(EngineHost& host, Reporter& reporter, uint64_t a_second)
      : thread_([this, &host, &reporter, a_second] { Run(host, reporter, a_second); }) {}
  ~SteadyReports() {
    stopping_ = true;
    thread_.join();
  }

 private:
  void Run(EngineHost& host, Reporter& reporter, uint64_t a_second) {
    constexpr auto kTurn = std::chrono::milliseconds(2);
    const uint64_t a_turn = a_second * kTurn.count() / 1'000;
    auto next = Clock::now();
    while (!stopping_) {
      std::vector<Engine::Request> reports;
      for (uint64_t n = 0; n < a_turn; ++n) reports.push_back({reporter.Next(), nullptr});
      OrDie(host.engine().Submit(reports), "report progress");
      next += kTurn;
      std::this_thread::sleep_until(next);
    }
  }

  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

struct Interval {
  Clock::time_point begin;
  Clock::time_point end;
};

// The checkpoints of an engine, as they are made.
class Checkpoints {
 public:
  void OnCheckpoint(Seq last, const Status& status, int64_t us) {
    const auto now = Clock::now();
    OrDie(status, "make a checkpoint");
    std::lock_guard lock(mutex_);
    last_ = last.value();
    made_.push_back({now - std::chrono::microseconds(us), now});
    count_ = made_.size();
    count_.notify_one();
  }

  uint64_t last() const { return last_; }
  size_t count() const { return count_; }
  // Waits for the next after so many.
  Interval AwaitAfter(size_t count) {
    count_.wait(count);
    std::lock_guard lock(mutex_);
    return made_[count];
  }

 private:
  std::mutex mutex_;
  std::vector<Interval> made_;
  std::atomic<uint64_t> last_ = 0;
  std::atomic<size_t> count_ = 0;
};

struct Waits {
  std::vector<double> during;
  std::vector<double> after;
};

int Main(int argc, char** argv) {
  Bench bench("checkpoint", argc, argv, "sync=fdatasync");
  const uint64_t devices = bench.Parameter("devices", 1'000, 200'000);
  const uint64_t rate = bench.Parameter("reports_a_second", 2'000, 10'000);
  const uint64_t a_round = bench.Parameter("checkpoints_a_round", 1, 4);

  Checkpoints checkpoints;
  std::atomic<uint64_t> last = 0;
  EngineOptions options;
  options.checkpoint_events = 1;  // As soon as one is worth its while.
  options.on_checkpoint = [&](Seq at, const Status& status, int64_t us) {
    checkpoints.OnCheckpoint(at, status, us);
  };
  EngineHost host(bench.NewDir(), options);
  host.on_commit = [&](Seq seq) { last = seq.value(); };
  host.MakeFleet(devices);
  host.ReportVersions(devices, "1.0.0");
  host.GoOnline(devices);
  const CreateBatch batch = host.WholeFleet(host.MakePackage("2.0.0"));
  const BatchId id = std::get<CreatedBatch>(host.Do(batch).answer).batch;
  while (host.Ask<bool>([&](const World& world) { return world.batches()[id].walking; })) {
  }

  Reporter reporter(devices);
  // The next is due about a second of steady reports after this.
  auto pour = [&] {
    const uint64_t worth = host.Ask<uint64_t>([](const World& w) { return CheckpointWorth(w); });
    const uint64_t due = checkpoints.last() + worth;
    if (due > last + rate) host.Pour(due - last - rate, [&](uint64_t) { return reporter.Next(); });
  };

  std::vector<double> during, after, ratios, checkpoint_ms;
  for (int round = 0; round < bench.rounds(); ++round) {
    Waits waits;
    for (uint64_t n = 0; n < a_round; ++n) {
      const size_t before = checkpoints.count();
      pour();
      SteadyReports steady(host, reporter, rate);
      LatencyProbe probe(host, /*pause_us=*/500);
      const Interval made = checkpoints.AwaitAfter(before);
      const auto took = made.end - made.begin;
      std::this_thread::sleep_for(took);
      checkpoint_ms.push_back(std::chrono::duration<double, std::milli>(took).count());
      for (const LatencyProbe::Point& point : probe.Stop()) {
        const auto asked = probe.begin() + std::chrono::duration_cast<Clock::duration>(
                                               std::chrono::duration<double>(point.at_s));
        if (asked < made.begin) continue;
        (asked < made.end ? waits.during : waits.after).push_back(point.us);
      }
    }
    ratios.push_back(Percentile(waits.during, 0.99) / Percentile(waits.after, 0.99));
    during.insert(during.end(), waits.during.begin(), waits.during.end());
    after.insert(after.end(), waits.after.begin(), waits.after.end());
  }
  bench.Tell("checkpoints", {}, {static_cast<double>(checkpoint_ms.size()), 0});
  bench.Tell("checkpoint_ms", {}, {SpreadOf(checkpoint_ms).median, 0});
  bench.Tell("asked_during", {}, {static_cast<double>(during.size()), 0});
  bench.Tell("p50_during_us", {}, {Percentile(during, 0.5), 0});
  bench.Tell("p50_after_us", {}, {Percentile(after, 0.5), 0});
  bench.Tell("p99_during_us", {}, {Percentile(during, 0.99), 0});
  bench.Tell("p99_after_us", {}, {Percentile(after, 0.99), 0});
  bench.Tell("p99_during_to_after", {}, {SpreadOf(ratios).median, 0}, AtMost(1.2));
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
