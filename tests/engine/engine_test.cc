// The engine with its threads, over a log in memory.
#include <atomic>
#include <future>
#include <limits>
#include <thread>

#include <catch2/catch.hpp>

#include "engine/clock.h"
#include "engine/refusals.h"
#include "engine/updraft.h"
#include "engine/view.h"
#include "events/log/memory_log.h"
#include "projections/world.h"

namespace updraft {
namespace {

constexpr const char* kProductKey = "a1pk";

// A clock that stands still unless it is turned.
class HandClock : public Clock {
 public:
  int64_t WallUs() const override { return wall_us_; }
  int64_t MonotonicUs() const override { return monotonic_us_; }
  void Turn(std::chrono::milliseconds by) {
    wall_us_ += by.count() * 1'000;
    monotonic_us_ += by.count() * 1'000;
  }

 private:
  std::atomic<int64_t> wall_us_{1'767'225'600'000'000};
  std::atomic<int64_t> monotonic_us_{0};
};

struct Bench {
  explicit Bench(std::shared_ptr<MemoryDisk> on = std::make_shared<MemoryDisk>()) : disk(on) {}

  void Open(EngineOptions options = {}) {
    auto memory = std::make_unique<MemoryLog>(disk);
    log = memory.get();
    Result<std::unique_ptr<Engine>> opened =
        Engine::OpenWith(std::move(options), std::move(memory), SystemClock());
    REQUIRE(opened.ok());
    engine = *std::move(opened);
  }

  std::future<Outcome> Ask(Command command) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    std::future<Outcome> future = promise->get_future();
    Status status =
        engine->Submit(std::move(command), [promise](const Outcome& o) { promise->set_value(o); });
    if (!status.ok()) promise->set_value(Outcome{status, {}});
    return future;
  }
  Outcome Do(Command command) { return Ask(std::move(command)).get(); }

  // A product with one online device that runs 1.0.0, and a package to 2.0.0.
  PackageId MakeFleet() {
    REQUIRE(Do(CreateProduct{.name = "product", .product_key = kProductKey}).ok());
    RegisterDevices devices{.product_key = kProductKey};
    devices.devices.push_back({.name = "dev-1"});
    REQUIRE(Do(devices).ok());
    REQUIRE(Do(ReportPresence{Device(), true, 1, 1}).ok());
    REQUIRE(Do(ReportVersion{Device(), "", "1.0.0"}).ok());
    CreatePackage package;
    package.product_key = kProductKey;
    package.name = "package";
    package.target_version = "2.0.0";
    package.needs_verification = false;
    package.file = "f00d";
    package.size_bytes = 1;
    package.md5 = std::string(16, 'm');
    package.sha256 = std::string(32, 's');
    return std::get<CreatedPackage>(Do(package).answer).package;
  }
  static DeviceRef Device() { return {{}, kProductKey, "dev-1"}; }

  Digest DigestNow() {
    std::promise<Digest> promise;
    REQUIRE(engine
                ->Read([&](const World& world) -> Engine::Finish {
                  return [&promise, digest = world.digest()](const Status&) {
                    promise.set_value(digest);
                  };
                })
                .ok());
    return promise.get_future().get();
  }

  std::shared_ptr<MemoryDisk> disk;
  MemoryLog* log = nullptr;
  std::unique_ptr<Engine> engine;
};

}  // namespace

TEST_CASE("nothing is told while the disk has not answered: not success, refusal or look",
          "[engine]") {
  Bench b;
  b.Open();
  b.log->Hold();
  std::atomic<int> told = 0;
  auto count = [&](const Outcome&) { ++told; };
  REQUIRE(
      b.engine->Submit(CreateProduct{.name = "product", .product_key = kProductKey}, count).ok());
  b.log->AwaitHeld();
  // Decided in the next turn, on a world that knows the product.
  REQUIRE(b.engine->Submit(CreateProduct{.name = "product"}, count).ok());
  REQUIRE(b.engine
              ->Read([&](const World& world) -> Engine::Finish {
                CHECK(world.products().size() == 1);
                return [&](const Status&) { ++told; };
              })
              .ok());
  // One turn runs ahead of the disk; what came too late for it still waits.
  while (b.engine->inbox_size() > 1) std::this_thread::yield();
  CHECK(told == 0);
  b.log->Release();
  b.engine->Stop();
  CHECK(told == 3);
}

TEST_CASE(
    "after a failed append everything is refused for ever, and the next start knows what was "
    "told",
    "[engine]") {
  Bench b;
  b.Open();
  REQUIRE(b.Do(CreateProduct{.name = "first"}).ok());
  b.log->SetFate(1, MemoryLog::Fate::kFailedAndLost);
  Outcome outcome = b.Do(CreateProduct{.name = "second"});
  CHECK(outcome.status.reason() == refusal::kLogFailed);
  CHECK(outcome.status.code() == StatusCode::kDataLoss);
  CHECK(b.Do(CreateProduct{.name = "third"}).status.reason() == refusal::kLogFailed);
  CHECK(b.engine->health().reason() == refusal::kLogFailed);
  b.engine->Stop();

  b.Open();
  CHECK(b.Do(CreateProduct{.name = "first"}).status.reason() == refusal::kProductNameTaken);
  CHECK(b.Do(CreateProduct{.name = "second"}).ok());
}

TEST_CASE("a restart folds the log to the same world", "[engine]") {
  Bench b;
  b.Open();
  PackageId package = b.MakeFleet();
  REQUIRE(b.Do(CreateBatch{.product_key = kProductKey, .package = package}).ok());
  REQUIRE(b.Do(TakePushes{10}).ok());
  Digest before = b.DigestNow();
  b.engine->Stop();
  b.Open();
  CHECK(b.DigestNow() == before);
}

TEST_CASE("who waits for pushes is answered when one is due", "[engine]") {
  Bench b;
  b.Open();
  PackageId package = b.MakeFleet();
  std::future<Outcome> pushes = b.Ask(TakePushes{10});
  REQUIRE(b.Do(CreateBatch{.product_key = kProductKey, .package = package}).ok());
  Outcome taken = pushes.get();
  REQUIRE(taken.ok());
  const auto& list = std::get<TakenPushes>(taken.answer).pushes;
  REQUIRE(list.size() == 1);
  CHECK(list[0].notice.device_name == "dev-1");
  CHECK(list[0].number == PushNumber(1));
  CHECK_FALSE(list[0].again);
}

TEST_CASE(
    "a push that the broker did not confirm goes out again after a restart, a confirmed one "
    "does not",
    "[engine]") {
  Bench b;
  b.Open();
  PackageId package = b.MakeFleet();
  REQUIRE(b.Do(CreateBatch{.product_key = kProductKey, .package = package}).ok());
  REQUIRE(b.Do(TakePushes{10}).ok());
  b.engine->Stop();

  b.Open();
  Outcome again = b.Do(TakePushes{10});
  const auto& list = std::get<TakenPushes>(again.answer).pushes;
  REQUIRE(list.size() == 1);
  CHECK(list[0].again);
  CHECK(list[0].number == PushNumber(1));
  REQUIRE(b.Do(AcknowledgePushes{PushNumber(1)}).ok());
  b.engine->Stop();

  b.Open();
  std::future<Outcome> none = b.Ask(TakePushes{10});
  b.engine->Stop();
  CHECK(std::get<TakenPushes>(none.get().answer).pushes.empty());
}

TEST_CASE("a full inbox refuses and says so", "[engine]") {
  Bench b;
  b.Open({.inbox_max = 2});
  b.log->Hold();
  REQUIRE(b.engine->Submit(CreateProduct{.name = "product"}, nullptr).ok());
  b.log->AwaitHeld();
  // One more turn may be decided ahead of the disk; what comes then waits in the inbox.
  int accepted = 0;
  Status status;
  while (status.ok()) {
    status = b.engine->Submit(DeleteProduct{"nothing"}, nullptr);
    accepted += status.ok() ? 1 : 0;
    REQUIRE(accepted < 10'000'000);
  }
  CHECK(status.reason() == refusal::kInboxFull);
  CHECK(status.code() == StatusCode::kUnavailable);
  b.log->Release();
}

TEST_CASE(
    "of many asked at once the inbox takes the first that fit, and the rest stays with the asker",
    "[engine]") {
  Bench b;
  b.Open({.inbox_max = 3});
  std::vector<std::string> told;
  std::vector<Engine::Request> requests;
  for (int i = 0; i < 100; ++i) {
    std::string name = "product_" + std::to_string(i);
    requests.push_back({CreateProduct{.name = name}, [&told, name](const Outcome& outcome) {
                          CHECK(outcome.ok());
                          told.push_back(name);
                        }});
  }
  bool was_full = false;
  while (!requests.empty()) {
    size_t before = requests.size();
    Status status = b.engine->Submit(requests);
    CHECK(status.ok() == requests.empty());
    CHECK(before - requests.size() <= 3);
    if (!status.ok()) CHECK(status.reason() == refusal::kInboxFull);
    was_full |= !status.ok();
  }
  CHECK(was_full);
  b.engine->Stop();
  REQUIRE(told.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(told[i] == "product_" + std::to_string(i));
  requests.push_back({CreateProduct{.name = "late"}, nullptr});
  CHECK(b.engine->Submit(requests).reason() == refusal::kEngineStopped);
  CHECK(requests.size() == 1);
}

TEST_CASE("every accepted command is answered once, whoever submits and however it ends",
          "[engine]") {
  for (bool fails : {false, true}) {
    CAPTURE(fails);
    Bench b;
    b.Open();
    if (fails) b.log->SetFate(20, MemoryLog::Fate::kFailedAndLost);
    std::atomic<int> accepted = 0;
    std::atomic<int> answered = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          std::string name = "product_" + std::to_string(t) + "_" + std::to_string(i);
          Status status =
              b.engine->Submit(CreateProduct{.name = name}, [&](const Outcome&) { ++answered; });
          if (!status.ok()) return;
          ++accepted;
        }
      });
    }
    while (accepted < 100 && b.engine->health().ok()) std::this_thread::yield();
    b.engine->Stop();  // Under load.
    for (std::thread& thread : threads) thread.join();
    CHECK(accepted == answered);
    if (!fails) {
      CHECK(b.engine->Submit(CreateProduct{.name = "late"}, nullptr).reason() ==
            refusal::kEngineStopped);
    }
  }
}

TEST_CASE("callbacks may submit again", "[engine]") {
  Bench b;
  b.Open();
  std::promise<Outcome> second;
  REQUIRE(b.engine
              ->Submit(CreateProduct{.name = "first"},
                       [&](const Outcome&) {
                         CHECK(b.engine
                                   ->Submit(CreateProduct{.name = "second"},
                                            [&](const Outcome& o) { second.set_value(o); })
                                   .ok());
                       })
              .ok());
  CHECK(second.get_future().get().ok());
}

TEST_CASE("a clock far ahead of the log holds pushes until somebody confirms it", "[engine]") {
  Bench b;
  HandClock clock;
  auto open = [&] {
    auto memory = std::make_unique<MemoryLog>(b.disk);
    auto opened = Engine::OpenWith({}, std::move(memory), clock);
    REQUIRE(opened.ok());
    b.engine = *std::move(opened);
  };
  open();
  PackageId package = b.MakeFleet();
  // A named device joins with the command, whenever the engine stops.
  CreateBatch batch{.product_key = kProductKey, .package = package, .scope = Scope::kSpecific};
  batch.device_names = {"dev-1"};
  REQUIRE(b.Do(batch).ok());
  b.engine->Stop();
  clock.Turn(std::chrono::hours(24 * 31));

  open();
  CHECK(b.engine->clock_held());
  std::future<Outcome> pushes = b.Ask(TakePushes{10});
  REQUIRE(b.Do(ReportPresence{Bench::Device(), true, 2, 1}).ok());
  REQUIRE(b.Do(ReportVersion{Bench::Device(), "", "1.0.0"}).ok());
  CHECK(pushes.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  REQUIRE(b.Do(ConfirmClock{}).ok());
  CHECK(std::get<TakenPushes>(pushes.get().answer).pushes.size() == 1);
  CHECK_FALSE(b.engine->clock_held());
}

TEST_CASE("a clock in doubt is in doubt after a restart too", "[engine]") {
  Bench b;
  HandClock clock;
  auto open = [&] {
    auto opened = Engine::OpenWith({}, std::make_unique<MemoryLog>(b.disk), clock);
    REQUIRE(opened.ok());
    b.engine = *std::move(opened);
  };
  open();
  b.MakeFleet();
  b.engine->Stop();
  const int64_t before_ms = b.disk->head.time_ms;
  clock.Turn(std::chrono::hours(24 * 365));
  for (int i = 0; i < 3; ++i) {
    open();
    CHECK(b.engine->clock_held());
    clock.Turn(std::chrono::seconds(10));
    REQUIRE(b.Do(ReportVersion{Bench::Device(), "", fmt::format("1.0.{}", i)}).ok());
    b.engine->Stop();
  }
  CHECK(b.disk->head.time_ms - before_ms < 60'000);  // The log's time goes on by itself.
  open();
  REQUIRE(b.Do(ConfirmClock{}).ok());
  REQUIRE(b.Do(ReportVersion{Bench::Device(), "", "2.0.0"}).ok());
  CHECK(b.disk->head.time_ms == clock.WallUs() / 1'000);
}

TEST_CASE("who asks for no pushes is answered at once, and is in nobody's way", "[engine]") {
  Bench b;
  b.Open();
  CHECK(std::get<TakenPushes>(b.Do(TakePushes{.max = 0}).answer).pushes.empty());
}

TEST_CASE("what is never due does not come near", "[engine]") {
  LogTime time(/*last_commit_ms=*/0, /*wall_us=*/1'767'225'600'000'000, 0);
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  CHECK(time.UntilUs(kNever) == kNever);
  CHECK(time.UntilUs(kNever / 1'000) > 0);
  CHECK(time.UntilUs(kNever / 1'000 + 1) == kNever);
  CHECK(time.UntilUs(1'767'225'600'001) == 1'000);
  CHECK(time.UntilUs(0) == 0);
}

TEST_CASE("the log's time goes on while the wall clock stands, jumps or goes back", "[engine]") {
  constexpr int64_t kSecond = 1'000'000;
  LogTime time(/*last_commit_ms=*/1'000'000, /*wall_us=*/900'000 * 1'000, 0);
  int64_t last = time.Advance(900'000 * 1'000, 0);
  CHECK(last == 1'000'000);  // Not before the last commit.
  // The wall clock is behind: time goes slower than it, but goes.
  int64_t now = time.Advance(901'000 * 1'000, kSecond);
  CHECK(now == 1'000'950);
  // It jumps ahead: time is drawn to it at a bounded rate.
  now = time.Advance(int64_t{9'000'000} * 1'000, 2 * kSecond);
  CHECK(now == 1'002'000);
  // No time has passed: none passes.
  CHECK(time.Advance(int64_t{9'000'000} * 1'000, 2 * kSecond) == now);
  CHECK(time.UntilUs(now + 5) == 5'000);
  CHECK(time.UntilUs(now - 5) == 0);
}

}  // namespace updraft
