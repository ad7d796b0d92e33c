// How many device reports a second become durable? JSON comes in, is parsed, decided, and committed
// with an fsync, so and so many reports a commit; as in a service, JSON is taken in on one thread,
// decided on another, and written meanwhile on a third. Beside it the same number of rows of
// the same size go to a bare file and to what people would use instead, which only store them.
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <time.h>

#include "adapters/mqtt/intake.h"
#include "bench/bench.h"
#include "bench/fleet_log.h"
#include "bench/stores.h"
#include "engine/turns.h"

namespace updraft {
namespace {

constexpr int kSteps = 100;

// Hands work from one thread to another, few pieces ahead.
template <class Work>
class Belt {
 public:
  explicit Belt(size_t ahead) : ahead_(ahead) {}

  void Put(Work work) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() <= ahead_; });
    waiting_.push_back(std::move(work));
    changed_.notify_all();
  }
  Work& Front() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_.empty(); });
    return waiting_.front();
  }
  // Only when it is done: what is being worked on counts as ahead.
  void PopFront() {
    std::unique_lock lock(mutex_);
    waiting_.pop_front();
    changed_.notify_all();
  }

 private:
  const size_t ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;
};

// Processor time of this thread, in nanoseconds.
double ThreadCpuNs() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

// What each of the three threads takes for a report, in nanoseconds of processor time.
struct Costs {
  double parse = 0;
  double decide = 0;
  double write = 0;
};

// As in a service: one thread takes JSON in, one decides, one writes and tells.
class Intake {
 public:
  Intake(const std::string& dir, uint64_t devices)
      : log_(OpenLog(dir)), turns_({.build = "bench"}, SystemClock()) {
    CommitJob reign = OrDie(turns_.Begin(*log_, std::numeric_limits<int64_t>::max()), "recover");
    OrDie(log_->Append(reign.commit, reign.side), "append");
    for (uint64_t i = 0; i < devices; ++i) topics_.push_back(ReportTopic(i));
    for (int step = 1; step <= kSteps; ++step) payloads_.push_back(ReportPayload(step));
  }

  Sample Take(uint32_t reports_a_commit, uint64_t commits) {
    uint64_t told_before = told_;
    uint64_t last_before = turns_.core().head().last.value();
    uint64_t reports = reports_a_commit * commits;
    Belt<std::vector<Engine::Request>> taken(1);
    Belt<Job> decided(kJobsAhead);
    auto each = [&](double& cost, const std::function<void()>& step) {
      double before = ThreadCpuNs();
      for (uint64_t i = 0; i < commits; ++i) step();
      cost = (ThreadCpuNs() - before) / static_cast<double>(reports);
    };
    double seconds = SecondsOf([&] {
      std::thread decider([&] {
        each(costs_.decide, [&] {
          decided.Put(Decide(std::move(taken.Front())));
          taken.PopFront();
        });
      });
      std::thread writer([&] {
        each(costs_.write, [&] {
          Write(decided.Front());
          decided.PopFront();
        });
      });
      each(costs_.parse, [&] { taken.Put(Parse(reports_a_commit)); });
      decider.join();
      writer.join();
    });
    OrDie(told_ - told_before == reports ? OkStatus() : Status(StatusCode::kInternal, "not told"),
          "tell of all reports");
    // An event a report, and a recorded digest now and then.
    uint64_t events = turns_.core().head().last.value() - last_before;
    OrDie(events >= reports ? OkStatus() : Status(StatusCode::kInternal, "events are missing"),
          "record all reports");
    return {static_cast<double>(reports) / seconds, reports};
  }

  // Of an event in a commit.
  double bytes_an_event() const { return static_cast<double>(bytes_) / static_cast<double>(told_); }
  // Of the last Take.
  const Costs& costs() const { return costs_; }

 private:
  std::vector<Engine::Request> Parse(uint32_t reports) {
    std::vector<Engine::Request> requests;
    requests.reserve(reports);
    for (uint32_t i = 0; i < reports; ++i) {
      const std::string& payload = payloads_[next_ / topics_.size() % payloads_.size()];
      Taken taken = TakeIn(MqttPath::kGate, topics_[next_ % topics_.size()], payload);
      ++next_;
      auto* command = std::get_if<DeviceCommand>(&taken);
      if (command == nullptr) OrDie(Status(StatusCode::kInternal, payload), "take a report");
      requests.push_back({std::move(command->command), [this](const Outcome& outcome) {
                            if (!outcome.ok()) OrDie(outcome.status, "decide a report");
                            ++told_;
                          }});
    }
    return requests;
  }

  Job Decide(std::vector<Engine::Request> requests) {
    std::deque<Item> items;
    items.push_back({std::move(requests)});
    Job job = turns_.Turn(items);
    OrDie(items.empty() ? OkStatus() : Status(StatusCode::kInternal, "too many for one commit"),
          "decide a turn");
    return job;
  }

  void Write(const Job& job) {
    Status status = writer_.Write(job);
    for (const Telling& telling : job.tellings) telling(status);
  }

  std::unique_ptr<RocksLog> log_;
  Turns turns_;
  JobWriter writer_{*log_, SystemClock(),
                    [this](Seq, uint32_t, size_t bytes, int64_t) { bytes_ += bytes; }};
  std::vector<std::string> topics_;
  std::vector<std::string> payloads_;
  uint64_t next_ = 0;   // The parsing thread's.
  uint64_t told_ = 0;   // The writer's, while there is one.
  uint64_t bytes_ = 0;  // Likewise.
  Costs costs_;
};

Sample Fill(Store& store, const std::vector<std::string>& rows, uint64_t commits) {
  double seconds = SecondsOf([&] {
    for (uint64_t i = 0; i < commits; ++i) store.Append(rows);
  });
  return {static_cast<double>(rows.size() * commits) / seconds, rows.size() * commits};
}

void Run(Bench& bench) {
  uint64_t devices = bench.Parameter("devices", 300, 10'000);
  uint64_t reports = bench.Parameter("reports", 600, 200'000);
  uint64_t commits_max = bench.Parameter("commits_max", 20, 2'000);
  std::vector<uint64_t> batches = bench.Parameters("batch", {16}, {16, 256, 4'096});
  const bool beside = bench.Parameter("others", 1, 1) != 0;  // 0: the file only.

  struct Named {
    std::string name;
    std::unique_ptr<Store> store;
    std::optional<Goal> goal;  // At 256 reports a commit.
  };
  std::vector<Named> others;
  // Servers first: they are forked, which RocksDB's threads do not survive.
  if (beside) {
    others.push_back({"postgresql_insert", MakePostgresInsertStore(bench), AtLeast(4)});
    others.push_back({"postgresql_copy", MakePostgresCopyStore(bench), std::nullopt});
    others.push_back({"redis_always", MakeRedisStore(bench), AtLeast(4)});
    others.push_back({"nats_unsynced", MakeNatsStore(bench), AtLeast(4)});
    others.push_back({"sqlite", MakeSqliteStore(bench), AtLeast(1.5)});
    others.push_back({"rocksdb_rows", MakeRocksStore(bench), AtLeast(1.5)});
  }
  std::unique_ptr<Store> file = MakeFileStore(bench);

  std::string dir = bench.NewDir();
  MakeUpgradingFleet(dir, devices);
  Intake intake(dir, devices);
  intake.Take(16, 10);  // Tells how large a commit's events are.
  const std::string row = RowOfReport();

  for (uint64_t batch : batches) {
    uint64_t commits = std::min(std::max<uint64_t>(reports / batch, 1), commits_max);
    std::vector<std::string> rows(batch, row);
    // Of a file the same bytes as of our commits, which hold an event in fewer.
    std::vector<std::string> bytes(batch,
                                   row.substr(0, static_cast<size_t>(intake.bytes_an_event())));
    std::vector<Side> sides = {
        {"updraft", [&] { return intake.Take(static_cast<uint32_t>(batch), commits); }},
        {"file", [&] { return Fill(*file, bytes, commits); },
         batch == 256 ? std::optional(AtLeast(0.6)) : std::nullopt}};
    for (Named& other : others) {
      if (other.store == nullptr) continue;
      sides.push_back({other.name, [&] { return Fill(*other.store, rows, commits); },
                       batch == 256 ? other.goal : std::nullopt});
    }
    bench.Compare("reports/s", {{"batch", batch}}, sides);
    bench.Tell("ns_parse", {{"batch", batch}}, {intake.costs().parse});
    bench.Tell("ns_decide", {{"batch", batch}}, {intake.costs().decide});
    bench.Tell("ns_write", {{"batch", batch}}, {intake.costs().write});
  }
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  updraft::Bench bench("durable", argc, argv, "sync=every_commit");
  updraft::Run(bench);
}
