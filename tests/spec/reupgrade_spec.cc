// A failed or cancelled task is upgraded again.
#include "tests/spec/spec.h"

namespace updraft {
namespace {

TaskId TaskIn(const Fleet& f, BatchId batch, std::string_view name = "dev-1") {
  return f.TaskOf(batch, name).task;
}

}  // namespace

TEST_CASE("only failed and cancelled tasks are upgraded again", "[reupgrade]") {
  Fleet f(2);
  BatchId batch = f.StartBatch({.device_names = {"dev-1", "dev-2"}, .need_confirm = true});
  auto state =
      GENERATE("CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "CANCELED");
  f.BringTo(batch, "dev-1", state);
  ReupgradeTasks order{batch, {TaskIn(f, batch)}};
  if (state == std::string_view("FAILED") || state == std::string_view("CANCELED")) {
    f.Ok(order);
    CHECK(f.StateOf(batch, "dev-1") == "CONFIRM");
  } else {
    f.Refused(order, refusal::kWrongTaskState);
  }
}

TEST_CASE("attempts, progress and clock are new, and the device is told", "[reupgrade]") {
  Fleet f(1);
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(
      {.source_versions = {"1.0.0"}, .timeout_minutes = 60, .retry_minutes = 0, .retry_count = 1});
  f.Push();
  REQUIRE(f.Progress("dev-1", 40).ok());
  REQUIRE(f.Progress("dev-1", -1, "oh").ok());
  f.Push();
  REQUIRE(f.Progress("dev-1", -1).ok());
  REQUIRE(f.StatusOf(batch) == BatchStatus::COMPLETED);
  f.Ok(ReupgradeTasks{batch, {TaskIn(f, batch)}});
  TaskView task = f.TaskOf(batch, "dev-1");
  CHECK(TaskStateWord(task.state) == "QUEUED");
  CHECK(task.reason.empty());
  CHECK(task.retries == 0);
  CHECK(task.step == 0);
  CHECK(task.timeout_ms == 0);
  CHECK_FALSE(task.text);
  CHECK(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
  CHECK(f.world().batches()[batch].ended == 0);
  CHECK(f.Push().task == task.task);
  REQUIRE(f.Progress("dev-1", -1).ok());
  CHECK(f.TaskOf(batch, "dev-1").retries == 1);
}

TEST_CASE("a device that was online all the while is told of its second upgrade", "[reupgrade]") {
  Fleet f(1);
  BatchId batch = f.StartBatch();
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  f.Settled("dev-1");  // Nothing waited for it then.
  f.Ok(ReupgradeTasks{batch, {TaskIn(f, batch)}});
  CHECK(f.Push().device_name == "dev-1");
}

TEST_CASE("a device on the target succeeds at once when it is upgraded again", "[reupgrade]") {
  Fleet f(1);
  BatchId batch = f.StartBatch();
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  f.Ok(ReupgradeTasks{batch, {TaskIn(f, batch)}});
  CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
  CHECK(f.TaskOf(batch, "dev-1").reason == "already on target version");
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
}

TEST_CASE("edge case 43: another open upgrade stands in the way in keep mode", "[reupgrade]") {
  Fleet f(2);
  bool overriding = GENERATE(false, true);
  BatchId batch = f.StartBatch({.override_others = overriding});
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  PackageId other = f.AddPackage("other", "3.0.0");
  BatchId rival = f.StartBatch({.package = other, .device_names = {"dev-1"}});
  ReupgradeTasks order{batch, {TaskIn(f, batch)}};
  if (!overriding) {
    f.Refused(order, refusal::kOtherTaskOpen);
    return;
  }
  SECTION("overriding ends it") {
    f.Ok(order);
    CHECK(f.StateOf(rival, "dev-1") == "CANCELED");
    CHECK(f.StatusOf(rival) == BatchStatus::COMPLETED);
    CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
  }
  SECTION("unless it is upgrading") {
    f.BringTo(rival, "dev-1", "IN_PROGRESS");
    f.Refused(order, refusal::kOtherTaskOpen);
  }
}

TEST_CASE("1 to 10 tasks of one batch are upgraded again, all or none", "[reupgrade]") {
  Fleet f(11);
  BatchId batch = f.StartBatch();
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  std::vector<TaskId> tasks = f.TasksOf(batch);
  f.Refused(ReupgradeTasks{batch, {}}, refusal::kTooManyTasks);
  f.Refused(ReupgradeTasks{batch, tasks}, refusal::kTooManyTasks);
  f.Refused(ReupgradeTasks{batch, {tasks[0], tasks[0]}}, refusal::kTooManyTasks);
  f.Refused(ReupgradeTasks{batch, {tasks[0], TaskId(99)}}, refusal::kUnknownTask);
  f.Refused(ReupgradeTasks{BatchId(9), {tasks[0]}}, refusal::kUnknownBatch);
  PackageId other = f.AddPackage("other", "3.0.0");
  BatchId second = f.StartBatch({.package = other, .device_names = {"dev-11"}});
  f.Refused(ReupgradeTasks{second, {tasks[0]}}, refusal::kUnknownTask);
  f.Refused(ReupgradeTasks{batch, {tasks[0], tasks[10]}}, refusal::kOtherTaskOpen);
  tasks.pop_back();
  f.Ok(ReupgradeTasks{batch, tasks});
  CHECK(f.Counts(batch) == "QUEUED 10 CANCELED 1");
}

TEST_CASE("two tasks of one device are not upgraded again together", "[reupgrade]") {
  Fleet f(1);
  BatchId batch = f.StartBatch({.dynamic = true, .source_versions = {"1.0.0"}});
  f.BringTo(batch, "dev-1", "FAILED");
  REQUIRE(f.Report("dev-1", "0.9").ok());
  REQUIRE(f.Report("dev-1", "1.0.0").ok());
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  f.Refused(ReupgradeTasks{batch, f.TasksOf(batch)}, refusal::kOtherTaskOpen);
}

TEST_CASE("a deleted device or package is not upgraded again", "[reupgrade]") {
  Fleet f(2);
  BatchId batch = f.StartBatch();
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  ReupgradeTasks order{batch, {TaskIn(f, batch)}};
  SECTION("device") {
    f.Ok(DeleteDevice{f.Device("dev-1")});
    f.Refused(order, refusal::kUnknownDevice);
  }
  SECTION("package") {
    f.Ok(DeletePackage{f.package()});
    f.Refused(order, refusal::kUnknownPackage);
  }
}

TEST_CASE("a task of a cancelled dynamic batch is upgraded again without taking others",
          "[reupgrade]") {
  Fleet f(1);
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.dynamic = true, .source_versions = {"1.0.0"}});
  f.Ok(StopBatch{batch});
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  f.Ok(ReupgradeTasks{batch, {TaskIn(f, batch)}});
  CHECK(f.StatusOf(batch) == BatchStatus::CANCELED);
  CHECK(f.Push().device_name == "dev-1");
}

TEST_CASE("a task of an unverified package is not upgraded again", "[reupgrade]") {
  Fleet f(3);
  CreatePackage order = f.PackageOrder("unverified", "3.0.0");
  order.needs_verification = true;
  PackageId package = std::get<CreatedPackage>(f.Ok(order).answer).package;
  BatchId verification =
      f.StartBatch({.package = package, .verification = true, .device_names = {"dev-1"}});
  REQUIRE(f.Report("dev-1", "3.0.0").ok());
  BatchId batch = f.StartBatch({.package = package, .device_names = {"dev-2"}});
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  f.Ok(ReupgradeTasks{batch, {TaskIn(f, batch, "dev-2")}});
  CHECK(f.StateOf(batch, "dev-2") == "QUEUED");
  CHECK(f.StateOf(verification, "dev-1") == "SUCCEEDED");
}

}  // namespace updraft
