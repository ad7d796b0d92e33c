// What it takes to begin an upgrade of a whole fleet: how long after CreateBatch the first notice
// is durable, how long until every device has its pending task, and what other callers feel of it.
// The engine is used as a library; the batch has no limit of its rate.
//
// Beside it the relational reference design on PostgreSQL: a row a task, chosen from the devices'
// table in transactions of 5,000 as a scheduler would do, entirely within the server.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "bench/bench.h"
#include "bench/library.h"
#include "bench/relational.h"
#include "bench/servers.h"

namespace updraft {
namespace {

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

bool Walks(EngineHost& host, BatchId batch) {
  return host.Ask<bool>([batch](const World& world) { return world.batches()[batch].walking; });
}

struct Creation {
  double first_push_s = 0;
  double all_pending_s = 0;
  std::vector<LatencyProbe::Point> others;
  uint64_t tasks = 0;
};

class Subject {
 public:
  Subject(const std::string& dir, uint64_t devices) : host_(dir) {
    host_.MakeFleet(devices);
    host_.ReportVersions(devices, "1.0.0");
    host_.GoOnline(devices);
    // Devices settle by themselves, a bounded number a turn.
    std::this_thread::sleep_for(std::chrono::milliseconds(2 * kSettleMs));
  }

  EngineHost& host() { return host_; }

  Creation Create(int64_t probe_pause_us) {
    Creation creation;
    const std::string version = fmt::format("2.0.{}", ++created_);
    CreateBatch command = host_.WholeFleet(host_.MakePackage(version));
    std::atomic<bool> pushed = false;
    Clock::time_point begin;
    Status status = host_.engine().Submit(TakePushes{1}, [&](const Outcome& outcome) {
      OrDie(outcome.status, "take a push");
      creation.first_push_s = Since(begin);
      pushed = true;
      pushed.notify_one();
    });
    OrDie(status, "ask for pushes");
    LatencyProbe probe(host_, probe_pause_us);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    begin = Clock::now();
    BatchId batch = std::get<CreatedBatch>(host_.Do(command).answer).batch;
    while (Walks(host_, batch)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    creation.all_pending_s = Since(begin);
    pushed.wait(false);
    creation.others = probe.Stop();
    creation.tasks = host_.Ask<uint64_t>(
        [batch](const World& world) { return world.IndexOf(batch).tasks.total(); });
    End(batch);
    return creation;
  }

 private:
  // Makes room for the next: a device has one open task.
  void End(BatchId batch) {
    host_.Do(CancelBatch{.batch = batch, .queued = true, .notified = true, .in_progress = true});
    while (
        host_.Ask<bool>([batch](const World& world) { return world.batches()[batch].sweeping; })) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  EngineHost host_;
  int created_ = 0;
};

// The worst that others waited, by the time since the probe began: what a plot shows.
void TellCurve(Bench& bench, const std::vector<LatencyProbe::Point>& points) {
  constexpr double kSliceMs = 50;
  std::map<uint64_t, double> slowest;
  for (const LatencyProbe::Point& point : points) {
    double& slot = slowest[static_cast<uint64_t>(point.at_s * 1e3 / kSliceMs)];
    slot = std::max(slot, point.us);
  }
  for (const auto& [slice, us] : slowest) {
    bench.Tell("slowest_us", {{"at_ms", slice * static_cast<uint64_t>(kSliceMs)}}, {us, 0});
  }
}

int Main(int argc, char** argv) {
  Bench bench("creation", argc, argv, "sync=fdatasync");
  const uint64_t devices = bench.Parameter("devices", 2'000, 1'000'000);
  const auto pause_us = static_cast<int64_t>(bench.Parameter("probe_pause_us", 200, 200));
  auto relational = RelationalFleet::Start(bench, devices);
  Subject subject(bench.NewDir(), devices);

  std::vector<double> first_push, all_pending, during;
  std::vector<LatencyProbe::Point> last;
  auto measure = [&] {
    Creation creation = subject.Create(pause_us);
    if (creation.tasks != devices) {
      OrDie(Status(StatusCode::kInternal, fmt::format("{} tasks", creation.tasks)), "create all");
    }
    first_push.push_back(creation.first_push_s * 1e3);
    for (const auto& point : creation.others) during.push_back(point.us);
    last = std::move(creation.others);
    return Sample{creation.all_pending_s * 1e3, devices};
  };
  std::vector<Side> sides = {{"updraft", measure}};
  if (relational != nullptr) {
    sides.push_back({"postgresql",
                     [&] {
                       return Sample{relational->CreateTasks() * 1e3, devices};
                     },
                     AtMost(1.0 / 20)});
  }
  bench.Compare("all_pending_ms", {}, sides);
  bench.Tell("first_push_ms", {}, {SpreadOf(first_push).median, 0});

  // As many quiet stretches as there were creations.
  std::vector<double> idle;
  for (int round = 0; round < bench.rounds(); ++round) {
    LatencyProbe probe(subject.host(), pause_us);
    std::this_thread::sleep_for(std::chrono::milliseconds(bench.smoke() ? 50 : 1'000));
    for (const auto& point : probe.Stop()) idle.push_back(point.us);
  }
  const double idle_p99 = Percentile(idle, 0.99);
  bench.Tell("others_idle_p50_us", {}, {Percentile(idle, 0.5), 0});
  bench.Tell("others_idle_p99_us", {}, {idle_p99, 0});
  bench.Tell("others_p50_us", {}, {Percentile(during, 0.5), 0});
  bench.Tell("others_p99_us", {}, {Percentile(during, 0.99), 0});
  bench.Tell("others_p99_to_idle", {}, {Percentile(during, 0.99) / idle_p99, 0}, AtMost(2));
  if (!bench.smoke()) TellCurve(bench, last);
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
