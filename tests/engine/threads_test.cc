// The engine under many threads at once: who submits, reads, asks how it is, reads the log and
// stops does so together. Made for the thread sanitizer (tests/run --thread-sanitize), and says
// something without it: nobody is forgotten, nobody is told twice, and who was told yes finds it in
// the log.
#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/clock.h"
#include "engine/refusals.h"
#include "engine/updraft.h"
#include "events/log/memory_log.h"
#include "events/log/rocks_log.h"
#include "projections/world.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

constexpr int kSubmitters = 4;
constexpr int kCommandsEach = 400;
constexpr size_t kProductsAll = size_t{kSubmitters} * kCommandsEach;

// What became of the commands of all submitters.
struct Tally {
  std::atomic<int> accepted = 0;
  std::atomic<int> refused = 0;   // By Submit: no callback follows.
  std::atomic<int> answered = 0;  // By callbacks, well or not.
  std::atomic<int> looked = 0;    // Reads that were finished.
  std::atomic<int> looks = 0;     // Reads that were accepted.
  std::atomic<int> faults = 0;    // Seen on threads where Catch cannot be told.

  // Callbacks come on one thread, but a test may ask while they do.
  mutable std::mutex mutex;
  std::set<std::string> made;       // Products that were told to be there.
  std::set<std::string> not_taken;  // Why commands came to nothing.

  void Answered(const std::string& name, const Outcome& outcome) {
    ++answered;
    std::lock_guard lock(mutex);
    if (outcome.ok()) {
      faults += made.insert(name).second ? 0 : 1;
    } else {
      not_taken.insert(std::string(outcome.status.reason()));
    }
  }
};

std::string NameOf(int submitter, int i) {
  return "product_" + std::to_string(submitter) + "_" + std::to_string(i);
}

// Submits until it is through or the engine takes no more; every third answer submits again.
void SubmitAll(Engine& engine, Tally& tally, int submitter) {
  for (int i = 0; i < kCommandsEach; ++i) {
    std::string name = NameOf(submitter, i);
    Status status = engine.Submit(CreateProduct{.name = name}, [&, name, i](const Outcome& o) {
      tally.Answered(name, o);
      if (i % 3 != 0) return;
      Status again = engine.Submit(DeleteProduct{"nothing"}, [&](const Outcome& refused) {
        tally.Answered("", Outcome{refused.ok() ? Status(StatusCode::kInternal, "deleted nothing")
                                                : refused.status});
      });
      ++(again.ok() ? tally.accepted : tally.refused);
    });
    ++(status.ok() ? tally.accepted : tally.refused);
  }
}

void LookUntil(Engine& engine, Tally& tally, const std::atomic<bool>& over) {
  while (!over) {
    Status status = engine.Read([&](const World& world) -> Engine::Finish {
      return [&tally, products = world.products().size()](const Status& durable) {
        if (durable.ok() && products > kProductsAll) ++tally.faults;
        ++tally.looked;
      };
    });
    if (status.ok()) ++tally.looks;
    (void)engine.health();
    (void)engine.inbox_size();
    (void)engine.clock_held();
    std::this_thread::yield();
  }
}

// Sees whole commits only, without a gap, while they are appended.
void ReadLogUntil(const Engine& engine, Tally& tally, const std::atomic<bool>& over) {
  while (!over) {
    uint64_t next = 1;
    Status status = engine.log().Read(Seq(1), [&](const CommitReader& commit) {
      if (commit.header().first != Seq(next)) ++tally.faults;
      next = commit.last().value() + 1;
      return OkStatus();
    });
    if (!status.ok()) ++tally.faults;
  }
}

// All of them together; `meanwhile` decides how it ends.
void UnderLoad(Engine& engine, Tally& tally, const std::function<void()>& meanwhile) {
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  for (int s = 0; s < kSubmitters; ++s) {
    threads.emplace_back([&, s] { SubmitAll(engine, tally, s); });
  }
  std::thread looking([&] { LookUntil(engine, tally, over); });
  std::thread reading([&] { ReadLogUntil(engine, tally, over); });
  meanwhile();
  for (std::thread& thread : threads) thread.join();
  over = true;
  looking.join();
  reading.join();
  engine.Stop();
}

std::set<std::string> ProductsIn(const EventLog& log) {
  std::set<std::string> names;
  Status status = log.Read(Seq(1), [&](const CommitReader& commit) {
    for (events::Event::Reader event : commit.events()) {
      if (event.isProductCreated()) names.insert(event.getProductCreated().getName().cStr());
    }
    return OkStatus();
  });
  CHECK(status.ok());
  return names;
}

void CheckNobodyForgotten(const Tally& tally, const std::set<std::string>& in_log) {
  CHECK(tally.faults == 0);
  CHECK(tally.answered == tally.accepted);
  CHECK(tally.looked == tally.looks);
  for (const std::string& name : tally.made) CHECK(in_log.contains(name));
}

std::unique_ptr<Engine> Open(std::unique_ptr<EventLog> log) {
  auto opened = Engine::OpenWith({}, std::move(log), SystemClock());
  REQUIRE(opened.ok());
  return *std::move(opened);
}

void WaitFor(const std::function<bool()>& come) {
  while (!come()) std::this_thread::yield();
}

}  // namespace

TEST_CASE("submitters, readers of world and log, and nobody stops", "[engine][threads]") {
  auto disk = std::make_shared<MemoryDisk>();
  Tally tally;
  auto engine = Open(std::make_unique<MemoryLog>(disk));
  UnderLoad(*engine, tally, [] {});
  CHECK(tally.made.size() == kProductsAll);
  CheckNobodyForgotten(tally, ProductsIn(engine->log()));
}

TEST_CASE("stopped by several at once, under load", "[engine][threads]") {
  auto disk = std::make_shared<MemoryDisk>();
  Tally tally;
  auto engine = Open(std::make_unique<MemoryLog>(disk));
  UnderLoad(*engine, tally, [&] {
    WaitFor([&] { return tally.answered > 50; });
    std::thread other([&] { engine->Stop(); });
    engine->Stop();
    other.join();
    // Whoever returns from Stop finds all that was accepted answered.
    CHECK(engine->Submit(DeleteProduct{"nothing"}, nullptr).reason() == refusal::kEngineStopped);
  });
  CheckNobodyForgotten(tally, ProductsIn(engine->log()));
  for (const std::string& reason : tally.not_taken) {
    CHECK(reason == refusal::kUnknownProduct);  // Of the deletions; what was accepted was done.
  }
}

TEST_CASE("the log fails under load, with and without what it was given", "[engine][threads]") {
  for (auto fate : {MemoryLog::Fate::kFailedButKept, MemoryLog::Fate::kFailedAndLost}) {
    auto disk = std::make_shared<MemoryDisk>();
    Tally tally;
    auto memory = std::make_unique<MemoryLog>(disk);
    MemoryLog& log = *memory;
    auto engine = Open(std::move(memory));
    UnderLoad(*engine, tally, [&] {
      WaitFor([&] { return tally.answered > 20; });
      log.SetFate(1, fate);
      // Should the others be through by now.
      (void)engine->Submit(CreateProduct{.name = "one_more"}, nullptr);
      WaitFor([&] { return !engine->health().ok(); });
    });
    Status late = engine->Submit(CreateProduct{.name = "late"}, nullptr);
    CHECK_FALSE(late.ok());
    // Told yes and not there would be a lie; there and not told is a crash like any other.
    MemoryLog again(disk);
    CheckNobodyForgotten(tally, ProductsIn(again));
    CHECK(tally.made.count("late") == 0);
  }
}

TEST_CASE("who waits for pushes is answered when the engine ends", "[engine][threads]") {
  auto engine = Open(std::make_unique<MemoryLog>());
  std::atomic<int> waiting = 0;
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kSubmitters; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        Status status = engine->Submit(TakePushes{10}, [&](const Outcome&) { ++answered; });
        if (status.ok()) ++waiting;
      }
    });
  }
  WaitFor([&] { return waiting > 20; });
  engine->Stop();
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == waiting);
}

TEST_CASE("the same over the log on disk", "[engine][threads]") {
  TempDir temp;
  RocksLogOptions options{.dir = temp / "log", .create = true, .sidecar_key_path = temp / "key"};
  Tally tally;
  {
    Result<std::unique_ptr<RocksLog>> log = RocksLog::Open(options);
    REQUIRE(log.ok());
    auto engine = Open(*std::move(log));
    UnderLoad(*engine, tally, [&] {
      WaitFor([&] { return tally.answered > 50; });
      engine->Stop();
    });
  }
  Result<std::unique_ptr<RocksLog>> again = RocksLog::Open(options);
  REQUIRE(again.ok());
  CheckNobodyForgotten(tally, ProductsIn(**again));
}

}  // namespace updraft
