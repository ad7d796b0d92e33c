// The simulation itself: that it repeats, that it sees what is wrong, and that it makes it small.
#include <catch2/catch.hpp>

#include "tests/simulation/shrink.h"

namespace updraft::simulation {
namespace {

// A reference model's turn with one command.
RefTurn TurnOf(int64_t time_ms, Command command, Status status = OkStatus()) {
  RefTurn turn;
  turn.time_ms = time_ms;
  turn.inputs.push_back({std::move(command), Outcome{std::move(status), {}, time_ms}});
  return turn;
}

struct Model {
  Model() {
    Say(CreateProduct{.product_key = "pk"});
    RegisterDevices devices{.product_key = "pk"};
    for (const char* name : {"dev-1", "dev-2", "dev-3"}) devices.devices.push_back({.name = name});
    Say(devices);
    Say(CreatePackage{.product_key = "pk",
                      .name = "package",
                      .target_version = "2",
                      .needs_verification = false});
    for (const char* name : {"dev-1", "dev-2", "dev-3"}) {
      Say(ReportPresence{{{}, "pk", name}, true, 1, 1});
      Say(ReportVersion{{{}, "pk", name}, "", "1"});
    }
    Say(CreateBatch{.product_key = "pk",
                    .package = PackageId(1),
                    .scope = Scope::kSpecific,
                    .device_names = {"dev-1", "dev-2", "dev-3"},
                    .push_per_minute = 10});
    REQUIRE(wrong.empty());
  }

  void Say(Command command, Status status = OkStatus()) {
    reference.Apply(TurnOf(now_ms, std::move(command), std::move(status)));
  }
  void Push(int task, int64_t after_ms, RefPushKind kind = RefPushKind::kFirst) {
    RefTurn turn;
    turn.time_ms = now_ms += after_ms;
    turn.pushes.push_back({.task = task, .kind = kind});
    reference.Apply(turn);
  }

  int64_t now_ms = 1'000'000;
  std::vector<std::string> wrong;
  Reference reference{
      {}, [this](const std::string& checker, const std::string&) { wrong.push_back(checker); }};
};

Scenario WithoutFaults(uint64_t seed) {
  Scenario scenario = DrawScenario(seed);
  scenario.setting.files = false;
  return scenario;
}

}  // namespace

TEST_CASE("a seed is the same run each time, and another seed another run") {
  for (uint64_t seed : {3, 11, 25}) {
    RunResult one = Run(DrawScenario(seed), /*keep_trace=*/true);
    RunResult other = Run(DrawScenario(seed), /*keep_trace=*/true);
    CHECK(one.trace == other.trace);
    CHECK(one.fingerprint == other.fingerprint);
    CHECK(one.fingerprint != Run(DrawScenario(seed + 1), false).fingerprint);
  }
}

TEST_CASE("the model sees two pushes of a batch closer than its pace allows") {
  Model m;
  m.Push(1, 6'000);
  m.Push(2, 6'000);
  CHECK(m.wrong.empty());
  m.Push(3, 5'999);
  CHECK(m.wrong == std::vector<std::string>{"pace"});
}

TEST_CASE("the model sees a push to a device that is away, or that was told already") {
  Model m;
  m.Say(ReportPresence{{{}, "pk", "dev-1"}, false, 1, 1});
  m.Push(1, 6'000);
  CHECK(m.wrong == std::vector<std::string>{"push"});
  m.wrong.clear();
  m.Push(2, 6'000);
  CHECK(m.wrong.empty());
  m.Push(2, 6'000, RefPushKind::kRepeat);
  CHECK(m.wrong == std::vector<std::string>{"push"});
}

TEST_CASE("the model sees a command that is refused although it may, and one that may not") {
  Model m;
  m.Say(PauseBatch{BatchId(1)}, Status(StatusCode::kFailedPrecondition, "BATCH_ENDED", "over"));
  CHECK(m.wrong == std::vector<std::string>{"answers"});
  m.wrong.clear();
  m.Say(PauseBatch{BatchId(7)});
  CHECK(m.wrong == std::vector<std::string>{"answers"});
}

TEST_CASE("a task's clock starts with the first step and a retry does not start it anew") {
  Model m;
  m.Say(CreatePackage{
      .product_key = "pk", .name = "other", .target_version = "3", .needs_verification = false});
  m.Say(CancelBatch{.batch = BatchId(1), .queued = true});
  m.Say(CreateBatch{.product_key = "pk",
                    .package = PackageId(2),
                    .source_versions = {"1"},
                    .push_per_minute = 1'000,
                    .timeout_minutes = 60,
                    .retry_minutes = 10,
                    .retry_count = 2});
  RefTurn walk;
  walk.time_ms = m.now_ms;
  walk.walks.push_back({.batch = 2, .cursor = 3, .ended = true});
  m.reference.Apply(walk);
  m.Push(4, 1'000);
  m.Say(ReportProgress{{{}, "pk", "dev-1"}, "", 1});
  int64_t due = m.now_ms + 60 * 60'000;
  CHECK(m.reference.tasks()[4].timeout_due == due);
  m.Say(ReportProgress{{{}, "pk", "dev-1"}, "", -1});
  CHECK(m.reference.tasks()[4].retry_due == m.now_ms + 10 * 60'000);
  m.Push(4, 10 * 60'000, RefPushKind::kRetry);
  m.Say(ReportProgress{{{}, "pk", "dev-1"}, "", 5});
  CHECK(m.reference.tasks()[4].timeout_due == due);
  m.now_ms = due;
  m.Say(ReportVersion{{{}, "pk", "dev-1"}, "", "3"});
  CHECK(m.reference.tasks()[4].state == State::kFailed);
  CHECK(m.reference.tasks()[4].reason == "timeout");
  CHECK(m.wrong.empty());
}

TEST_CASE("a failure is made small: what is left is what it needs") {
  // A fault that is no engine's: a batch that is there when everything ends is called a failure.
  Scenario scenario = WithoutFaults(7);
  auto fails = [](const Scenario& candidate) {
    for (const Action& action : candidate.actions) {
      if (action.act == Act::kCreateBatch) return true;
    }
    return false;
  };
  REQUIRE(fails(scenario));
  Scenario smallest = ShrinkBy(scenario, fails, 10'000);
  REQUIRE(smallest.actions.size() == 1);
  CHECK(smallest.actions[0].act == Act::kCreateBatch);
}

}  // namespace updraft::simulation
