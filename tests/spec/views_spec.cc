// What operators see: counts, reasons, pages.
#include <random>

#include "tests/spec/spec.h"

namespace updraft {

TEST_CASE("the counts by state add up to the targets, of a batch and of a package", "[views]") {
  Fleet f(4);
  BatchId first = f.StartBatch({.device_names = {"dev-1", "dev-2", "dev-3"}});
  f.BringTo(first, "dev-1", "SUCCEEDED");
  f.BringTo(first, "dev-2", "IN_PROGRESS");
  BatchId second = f.StartBatch({.device_names = {"dev-2", "dev-4"}});
  CHECK(f.Counts(first) == "QUEUED 1 IN_PROGRESS 1 SUCCEEDED 1");
  CHECK(f.Counts(second) == "QUEUED 1 FAILED 1");
  CHECK(CountTasks(f.world(), first)->total() == 3);
  TaskCounts package = *CountTasks(f.world(), f.package());
  CHECK(package.by_state == std::array<uint32_t, 7>{0, 2, 0, 1, 1, 1, 0});
  CHECK_FALSE(CountTasks(f.world(), BatchId(99)).has_value());
  CHECK_FALSE(CountTasks(f.world(), PackageId(99)).has_value());
}

TEST_CASE("a pending task says why: the schedule before the connection before the rate",
          "[views]") {
  Fleet f(2);
  BatchId batch = f.StartBatch(
      {.device_names = {"dev-1"}, .push_per_minute = 10, .start_ms = f.now_ms() + 600'000});
  auto reason = [&] { return f.TaskOf(batch, "dev-1").pending; };
  CHECK(reason() == PendingReason::kScheduled);  // Although it is offline.
  f.Pass(std::chrono::minutes(10));
  CHECK(reason() == PendingReason::kOffline);
  f.Settled("dev-1");
  CHECK(reason() == PendingReason::kRate);
  f.Push();
  CHECK(reason() == PendingReason::kNone);
}

TEST_CASE("a task is found by its batch and device, the newest of several", "[views]") {
  Fleet f(1);
  BatchId batch = f.StartBatch({.dynamic = true, .source_versions = {"1.5.0"}});
  REQUIRE(f.Report("dev-1", "1.5.0").ok());
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  REQUIRE(f.Report("dev-1", "1.4.0").ok());
  REQUIRE(f.Report("dev-1", "1.5.0").ok());
  CHECK(f.TaskOf(batch, "dev-1").task == f.TasksOf(batch).back());
  CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
  CHECK_FALSE(ViewTask(f.world(), TaskId(99)).has_value());
  CHECK_FALSE(ViewTask(f.world(), batch, DeviceId(99)).has_value());
}

TEST_CASE("a cursor shows each task whose state does not change exactly once", "[views]") {
  Fleet f(40);
  f.CheckSeldom();
  BatchId batch = f.StartBatch();
  std::mt19937 random(7);
  auto state_of = [&](TaskId id) {
    return static_cast<int>(TaskState(f.world().tasks()[id].state));
  };
  constexpr uint32_t kQueued = 1u << static_cast<int>(TaskState::QUEUED);
  std::vector<TaskId> seen;
  while (true) {
    std::vector<TaskId> page;
    TaskId after = seen.empty() ? TaskId() : seen.back();
    f.world().IndexOf(batch).tasks.PageAfter(kQueued, after, 7, state_of,
                                             [&](TaskId id) { page.push_back(id); });
    if (page.empty()) break;
    seen.insert(seen.end(), page.begin(), page.end());
    // Some of the odd ones move between two pages.
    for (int i = 0; i < 3; ++i) {
      std::string name = "dev-" + std::to_string(random() % 20 * 2 + 1);
      if (f.StateOf(batch, name) == "QUEUED") f.BringTo(batch, name, "IN_PROGRESS");
    }
  }
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  for (int i = 2; i <= 40; i += 2) {
    TaskId task = f.TaskOf(batch, "dev-" + std::to_string(i)).task;
    CHECK(std::count(seen.begin(), seen.end(), task) == 1);
  }
}

}  // namespace updraft
