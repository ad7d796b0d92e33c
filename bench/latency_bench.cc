// How long does one device wait for one report to be durable, when it is the only one? Beside it
// one pwrite and fdatasync of the same bytes.
#include <condition_variable>
#include <limits>
#include <mutex>

#include "adapters/mqtt/intake.h"
#include "bench/bench.h"
#include "bench/fleet_log.h"
#include "bench/stores.h"
#include "engine/updraft.h"

namespace updraft {
namespace {

class Waiter {
 public:
  void Done() {
    std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_one();
  }
  void Await() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_; });
    done_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
};

// Microseconds, the median of all reports.
Sample Report(Engine& engine, const std::string& topic, uint64_t reports, int& step) {
  std::vector<double> waits;
  Waiter waiter;
  for (uint64_t i = 0; i < reports; ++i) {
    step = step % 100 + 1;
    std::string payload = ReportPayload(step);
    waits.push_back(1e6 * SecondsOf([&] {
                      Taken taken = TakeIn(MqttPath::kGate, topic, payload);
                      OrDie(engine.Submit(std::get<DeviceCommand>(taken).command,
                                          [&](const Outcome& outcome) {
                                            OrDie(outcome.status, "decide a report");
                                            waiter.Done();
                                          }),
                            "submit a report");
                      waiter.Await();
                    }));
  }
  return {SpreadOf(waits).median, reports};
}

Sample Write(Store& store, const std::vector<std::string>& rows, uint64_t writes) {
  std::vector<double> waits;
  for (uint64_t i = 0; i < writes; ++i) {
    waits.push_back(1e6 * SecondsOf([&] { store.Append(rows); }));
  }
  return {SpreadOf(waits).median, writes};
}

void Run(Bench& bench) {
  uint64_t devices = bench.Parameter("devices", 100, 10'000);
  uint64_t reports = bench.Parameter("reports", 50, 2'000);
  std::string dir = bench.NewDir();
  MakeUpgradingFleet(dir, devices);
  size_t commit_bytes = 0;
  EngineOptions options = {.data_dir = dir,
                           .clock_ahead_max_ms = std::numeric_limits<int64_t>::max()};
  options.on_commit = [&](Seq, uint32_t, size_t bytes, int64_t) { commit_bytes = bytes; };
  std::unique_ptr<Engine> engine = OrDie(Engine::Open(std::move(options)), "open an engine");
  std::unique_ptr<Store> file = MakeFileStore(bench);
  std::string topic = ReportTopic(7);
  int step = 0;
  Report(*engine, topic, 1, step);
  std::vector<std::string> rows = {std::string(commit_bytes, 'r')};
  bench.Compare("us", {{"bytes", commit_bytes}},
                {{"updraft", [&] { return Report(*engine, topic, reports, step); }},
                 {"file", [&] { return Write(*file, rows, reports); }, AtMost(1.5)}});
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  updraft::Bench bench("latency", argc, argv, "sync=every_commit");
  updraft::Run(bench);
}
