// How many device reports a second become durable? JSON comes in, is parsed, decided, and committed
// with an fsync, so and so many reports a commit; the engine decides the next turn while the disk
// writes the last one, on two threads as in the engine itself. Beside it the same number of rows of
// the same size go to a bare file and to what people would use instead, which only store them.
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "adapters/mqtt/intake.h"
#include "bench/bench.h"
#include "bench/fleet_log.h"
#include "bench/stores.h"
#include "engine/turns.h"

namespace updraft {
namespace {

constexpr int kSteps = 100;

// The engine's turns on this thread, its writing on another, with reports of one turn a commit.
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
    double seconds = SecondsOf([&] {
      std::thread writer([&] { Write(commits); });
      for (uint64_t i = 0; i < commits; ++i) HandOver(DecideTurn(reports_a_commit));
      writer.join();
    });
    uint64_t reports = reports_a_commit * commits;
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

 private:
  Job DecideTurn(uint32_t reports) {
    std::deque<Item> items;
    for (uint32_t i = 0; i < reports; ++i) {
      const std::string& payload = payloads_[next_ / topics_.size() % payloads_.size()];
      Taken taken = TakeIn(MqttPath::kGate, topics_[next_ % topics_.size()], payload);
      ++next_;
      auto* command = std::get_if<DeviceCommand>(&taken);
      OrDie(command != nullptr ? OkStatus() : Status(StatusCode::kInternal, payload),
            "take a report");
      items.push_back({std::move(command->command),
                       [this](const Outcome& outcome) {
                         OrDie(outcome.status, "decide a report");
                         ++told_;
                       },
                       {},
                       nullptr});
    }
    Job job = turns_.Turn(items);
    OrDie(items.empty() ? OkStatus() : Status(StatusCode::kInternal, "too many for one commit"),
          "decide a turn");
    return job;
  }

  void HandOver(Job job) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return jobs_.size() <= kJobsAhead; });
    jobs_.push_back(std::move(job));
    changed_.notify_all();
  }

  void Write(uint64_t jobs) {
    JobWriter writer(*log_, SystemClock(),
                     [&](Seq, uint32_t, size_t bytes, int64_t) { bytes_ += bytes; });
    for (uint64_t i = 0; i < jobs; ++i) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !jobs_.empty(); });
      Job job = std::move(jobs_.front());
      lock.unlock();
      Status status = writer.Write(job);
      for (Telling& telling : job.tellings) telling(status);
      lock.lock();
      jobs_.pop_front();  // Only now: what is being written counts as ahead.
      changed_.notify_all();
    }
  }

  std::unique_ptr<RocksLog> log_;
  Turns turns_;
  std::vector<std::string> topics_;
  std::vector<std::string> payloads_;
  uint64_t next_ = 0;
  uint64_t told_ = 0;  // The writer's, while there is one.
  uint64_t bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;  // The front is being written.
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
    bench.Compare("reports/s", {{"batch", batch}, {"commits", commits}}, sides);
  }
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  updraft::Bench bench("durable", argc, argv, "sync=every_commit");
  updraft::Run(bench);
}
