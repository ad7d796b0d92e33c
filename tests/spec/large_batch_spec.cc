// Batches over fleets that take many turns.
#include "engine/decide_internal.h"
#include "tests/spec/spec.h"

namespace updraft {
namespace {

constexpr int kDevices = 50'000;

void RegisterFleet(Fleet& f) {
  f.CheckSeldom();
  f.RegisterMany(1, kDevices, "1.0.0");
}

// Creates the batch and leaves its walk where it is after one turn.
BatchId Begin(Fleet& f, CreateBatch order = {}) {
  f.InOneTurn({f.BatchOrder(std::move(order))});
  return f.world().batches().newest();
}

}  // namespace

TEST_CASE("a batch over a fleet is chosen in bounded steps; others are served between them",
          "[large]") {
  Fleet f(0);
  RegisterFleet(f);
  BatchId batch = Begin(f);
  uint32_t before = CountTasks(f.world(), batch)->total();
  CHECK(before <= kTasksPerStep);
  size_t turns = 0;
  while (f.world().batches()[batch].walking) {
    f.OneTurn();
    uint32_t now = CountTasks(f.world(), batch)->total();
    REQUIRE(now - before <= kTasksPerStep);
    before = now;
    REQUIRE(++turns <= kDevices / kTasksPerStep);
  }
  CHECK(f.Counts(batch) == "QUEUED 50000");
  f.CheckInvariants();
  f.CheckReplay();
}

TEST_CASE("a walk that is cancelled in its middle chooses nobody more", "[large]") {
  Fleet f(0);
  RegisterFleet(f);
  BatchId batch = Begin(f);
  f.OneTurn();
  REQUIRE(f.world().batches()[batch].walking);
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  CHECK_FALSE(f.world().batches()[batch].walking);
  TaskCounts counts = *CountTasks(f.world(), batch);
  CHECK(counts.total() < kDevices);
  CHECK(counts.by_state[static_cast<int>(TaskState::CANCELED)] == counts.total());
  CHECK(f.StatusOf(batch) == BatchStatus::CANCELED);
  f.CheckInvariants();
}

TEST_CASE("a walk and a survey go on after a crash in their middle", "[large]") {
  Fleet f(0);
  RegisterFleet(f);
  SECTION("all") {
    BatchId batch = Begin(f);
    f.Restart();
    f.OneTurn();
    f.Restart();
    f.Pass(std::chrono::milliseconds(0));
    CHECK(f.Counts(batch) == "QUEUED 50000");
  }
  SECTION("a part") {
    BatchId batch = Begin(f, {.scope = Scope::kGray, .gray_thousandths = 1'000});
    f.Restart();
    f.Pass(std::chrono::milliseconds(0));
    CHECK(f.Counts(batch) == "QUEUED 500");
  }
  f.CheckInvariants();
  f.CheckReplay();
}

TEST_CASE("devices that register or change during a walk are not lost to a dynamic batch",
          "[large]") {
  Fleet f(0);
  RegisterFleet(f);
  BatchId batch = Begin(f, {.dynamic = true, .source_versions = {"1.0.0"}});
  std::string last = "dev-" + std::to_string(kDevices);
  f.InOneTurn(
      {ReportVersion{f.Device(last), "", "0.9"}, ReportVersion{f.Device(last), "", "1.0.0"}});
  CHECK(f.StateOf(batch, last) == "QUEUED");
  f.Register("late");
  REQUIRE(f.Report("late", "1.0.0").ok());
  f.Pass(std::chrono::milliseconds(0));
  CHECK(f.Counts(batch) == "QUEUED 50001");  // Each of them once.
  f.CheckInvariants();
}

TEST_CASE("a sweep over a fleet takes bounded steps and outlasts a crash", "[large]") {
  Fleet f(0);
  RegisterFleet(f);
  BatchId batch = f.StartBatch();
  f.InOneTurn({CancelBatch{.batch = batch, .queued = true}});
  uint32_t open = f.world().OpenTasks(batch);
  CHECK(open > 0);
  CHECK(kDevices - open <= kChunkRecordsMax * 2);
  // A task that the sweep has not come to is cancelled when its device speaks.
  std::string last = "dev-" + std::to_string(kDevices);
  REQUIRE(f.StateOf(batch, last) == "QUEUED");
  f.InOneTurn({ReportVersion{f.Device(last), "", "2.0.0"}});
  CHECK(f.StateOf(batch, last) == "CANCELED");
  f.Restart();
  f.Pass(std::chrono::milliseconds(0));
  CHECK(f.Counts(batch) == "CANCELED 50000");
  CHECK(f.StatusOf(batch) == BatchStatus::CANCELED);
  f.CheckInvariants();
  f.CheckReplay();
}

TEST_CASE("a large batch does not hold up the walk of a small one", "[large]") {
  Fleet f(0);
  RegisterFleet(f);
  f.Register("odd-one");
  REQUIRE(f.Report("odd-one", "0.9").ok());
  BatchId large = Begin(f);
  BatchId small = Begin(f, {.source_versions = {"0.9"}});
  // Both go through the fleet, in turn.
  int turns = 0;
  while (f.world().batches()[small].walking) {
    f.OneTurn();
    REQUIRE(++turns < 100);
  }
  CHECK(f.world().batches()[large].walking);
}

}  // namespace updraft
