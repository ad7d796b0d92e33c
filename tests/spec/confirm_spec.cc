// Upgrades that somebody has to agree to.
#include "tests/spec/spec.h"

namespace updraft {

TEST_CASE("a batch that needs confirmation pushes nothing before", "[confirm]") {
  Fleet f(1);
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.need_confirm = true});
  CHECK(f.Counts(batch) == "CONFIRM 1");
  CHECK(f.PushFor(std::chrono::hours(1)).empty());
  f.Ok(ConfirmTasks{f.TasksOf(batch)});
  CHECK(f.Counts(batch) == "QUEUED 1");
  CHECK(f.Push().device_name == "dev-1");
  f.Refused(ConfirmTasks{f.TasksOf(batch)}, refusal::kWrongTaskState);
}

TEST_CASE("1 to 10 tasks are confirmed, all or none", "[confirm]") {
  Fleet f(11);
  BatchId batch = f.StartBatch({.need_confirm = true});
  std::vector<TaskId> tasks = f.TasksOf(batch);
  f.Refused(ConfirmTasks{{}}, refusal::kTooManyTasks);
  f.Refused(ConfirmTasks{tasks}, refusal::kTooManyTasks);
  f.Refused(ConfirmTasks{{tasks[0], tasks[0]}}, refusal::kTooManyTasks);
  f.Refused(ConfirmTasks{{tasks[0], TaskId(99)}}, refusal::kUnknownTask);
  TaskId last = tasks.back();
  tasks.pop_back();
  f.Ok(ConfirmTasks{tasks});
  CHECK(f.Counts(batch) == "CONFIRM 1 QUEUED 10");
  f.Refused(ConfirmTasks{{last, tasks[0]}}, refusal::kWrongTaskState);
  CHECK(f.Counts(batch) == "CONFIRM 1 QUEUED 10");
}

TEST_CASE("a scheduled batch is confirmed between its start and its end", "[confirm]") {
  Fleet f(2);
  BatchId batch = f.StartBatch({.start_ms = f.now_ms() + 600'000,
                                .end_ms = f.now_ms() + 600'000 + 3'600'000,
                                .need_confirm = true});
  std::vector<TaskId> tasks = f.TasksOf(batch);
  f.Pass(std::chrono::milliseconds(599'999));
  f.Refused(ConfirmTasks{{tasks[0]}}, refusal::kOutsideSchedule);
  f.PassAsleep(std::chrono::milliseconds(1));
  f.Ok(ConfirmTasks{{tasks[0]}});
  f.PassAsleep(std::chrono::hours(1));
  CHECK_FALSE(f.When(ConfirmTasks{{tasks[1]}}).ok());
  CHECK(f.Counts(batch) == "CANCELED 2");
}

TEST_CASE("neither progress nor failure counts before the confirmation", "[confirm]") {
  Fleet f(1);
  BatchId batch = f.StartBatch({.need_confirm = true});
  CHECK(f.Progress("dev-1", 10).status.reason() == refusal::kNotPushed);
  CHECK(f.Progress("dev-1", -1).status.reason() == refusal::kNotPushed);
  CHECK(f.Counts(batch) == "CONFIRM 1");
}

}  // namespace updraft
