// The engine on a disk that fails at its Nth writing operation, for N = 1, 2, 3, … until a whole
// scenario passes without. Whoever was told something finds it after a restart; after the first
// failure nobody is told anything any more but that; and what was never taken is not there.
#include <future>
#include <set>

#include <catch2/catch.hpp>

#include "engine/clock.h"
#include "engine/refusals.h"
#include "engine/updraft.h"
#include "events/log/rocks_log.h"
#include "projections/world.h"
#include "tests/log/faulty_file_system.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

using Failure = FaultyFileSystem::Failure;
using Unsynced = FaultyFileSystem::Unsynced;

std::set<std::string> ProductNames(const World& world) {
  std::set<std::string> names;
  for (uint32_t p = 1; p <= world.products().size(); ++p) {
    names.insert(world.products()[ProductId(p)].name);
  }
  return names;
}

class Scenario {
 public:
  FaultyFileSystem& disk() { return disk_; }

  // Asks for things in groups, until something fails or all is done.
  void Run() {
    std::unique_ptr<Engine> engine = Open();
    if (engine == nullptr) return;
    for (int group = 0; group < kGroups; ++group) {
      std::vector<std::function<void()>> answers;
      for (int i = 0; i < kPerGroup; ++i) answers.push_back(Ask(*engine, group, i));
      answers.push_back(Look(*engine));
      for (auto& answer : answers) answer();
    }
    engine->Stop();
    if (failed_) CHECK(engine->health().reason() == refusal::kLogFailed);
  }

  // Starts again and compares with what was told.
  void Check() {
    std::unique_ptr<Engine> engine = Open();
    REQUIRE(engine != nullptr);
    std::promise<std::set<std::string>> seen;
    REQUIRE(engine
                ->Read([&](const World& world) -> Engine::Finish {
                  CHECK(world.digest() == world.ComputeDigest());
                  return [&seen, names = ProductNames(world)](const Status& durable) {
                    CHECK(durable.ok());
                    seen.set_value(names);
                  };
                })
                .ok());
    const std::set<std::string> names = seen.get_future().get();
    for (const std::string& name : told_) CHECK(names.contains(name));
    for (const std::string& name : never_taken_) CHECK_FALSE(names.contains(name));
  }

 private:
  static constexpr int kGroups = 4;
  static constexpr int kPerGroup = 3;

  std::unique_ptr<Engine> Open() {
    auto log = RocksLog::Open({.dir = temp_ / "log",
                               .create = true,
                               .sidecar_key_path = temp_ / "key",
                               .env = disk_.env()});
    if (!log.ok()) return nullptr;
    auto engine = Engine::OpenWith({}, *std::move(log), SystemClock());
    return engine.ok() ? *std::move(engine) : nullptr;
  }

  // Asks for a product; what is returned waits for the answer and keeps what it tells.
  std::function<void()> Ask(Engine& engine, int group, int number) {
    const std::string name = "product_" + std::to_string(group) + "_" + std::to_string(number);
    auto promise = std::make_shared<std::promise<Outcome>>();
    Status taken = engine.Submit(CreateProduct{.name = name},
                                 [promise](const Outcome& o) { promise->set_value(o); });
    if (!taken.ok()) {
      CHECK(taken.reason() == refusal::kLogFailed);
      never_taken_.insert(name);
      return [] {};
    }
    return [this, promise, name] {
      Outcome outcome = promise->get_future().get();
      if (outcome.ok()) {
        CHECK_FALSE(failed_);
        told_.insert(name);
      } else {
        CHECK(outcome.status.reason() == refusal::kLogFailed);
        CHECK(std::holds_alternative<std::monostate>(outcome.answer));
        failed_ = true;
      }
    };
  }

  // Looks at what there is: that, too, is told only when it is durable.
  std::function<void()> Look(Engine& engine) {
    auto promise = std::make_shared<std::promise<std::pair<Status, std::set<std::string>>>>();
    Status taken = engine.Read([promise](const World& world) -> Engine::Finish {
      return [promise, names = ProductNames(world)](const Status& durable) {
        promise->set_value({durable, names});
      };
    });
    if (!taken.ok()) return [] {};
    return [this, promise] {
      auto [durable, names] = promise->get_future().get();
      if (durable.ok()) {
        CHECK_FALSE(failed_);
        told_.insert(names.begin(), names.end());
      } else {
        CHECK(durable.reason() == refusal::kLogFailed);
        failed_ = true;
      }
    };
  }

  TempDir temp_;
  FaultyFileSystem disk_;
  bool failed_ = false;
  std::set<std::string> told_;
  std::set<std::string> never_taken_;
};

// False when the scenario has fewer writing operations.
bool FailNthWrite(uint64_t nth, Failure failure, std::optional<Unsynced> power_loss) {
  CAPTURE(nth, int(failure), power_loss.has_value());
  Scenario scenario;
  scenario.disk().FailWrite(nth, failure);
  scenario.Run();
  const bool hit = scenario.disk().writes() >= nth;
  scenario.disk().Heal();
  if (power_loss.has_value()) scenario.disk().LosePower(*power_loss);
  scenario.Check();
  return hit;
}

}  // namespace

TEST_CASE("whichever write fails, nobody was told what is not there", "[engine]") {
  for (Failure failure : {Failure::kOnce, Failure::kHalfWrite, Failure::kDiskFull}) {
    uint64_t nth = 1;
    while (FailNthWrite(nth, failure, std::nullopt)) ++nth;
    CHECK(nth > 20);
  }
}

TEST_CASE("whichever write the power fails at, nobody was told what is not there", "[engine]") {
  for (Unsynced unsynced : {Unsynced::kDropped, Unsynced::kHalfKept, Unsynced::kZeros}) {
    for (uint64_t nth = 1; FailNthWrite(nth, Failure::kForGood, unsynced); ++nth) {
    }
  }
}

}  // namespace updraft
