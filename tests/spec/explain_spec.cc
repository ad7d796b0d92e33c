// Why a task is in its state: the chain of events, in an operator's words.
#include "engine/explain.h"
#include "tests/spec/spec.h"

namespace updraft {
namespace {

std::vector<Explanation> Story(const Fleet& f, TaskId task) {
  Result<std::vector<Explanation>> story = ExplainTask(f.log(), task);
  INFO(story.status().ToString());
  REQUIRE(story.ok());
  for (size_t i = 1; i < story->size(); ++i) REQUIRE((*story)[i - 1].seq < (*story)[i].seq);
  return *story;
}

std::string Tale(const std::vector<Explanation>& story) {
  std::string text;
  for (const Explanation& e : story) text += e.cause + ": " + e.sentence + "\n";
  return text;
}

bool Tells(const std::vector<Explanation>& story, std::string_view what) {
  return Tale(story).find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a story goes from the batch to the success, with who caused what", "[explain]") {
  Fleet f(2);
  Outcome key = f.Ok(CreateKey{.formal = true, .access_key_id = "UDoperator"});
  f.Settled("dev-1");
  Outcome created = f.When(f.BatchOrder({.device_names = {"dev-1"}, .timeout_minutes = 10}),
                           std::get<CreatedKey>(key.answer).key);
  BatchId batch = std::get<CreatedBatch>(created.answer).batch;
  f.Push();
  REQUIRE(f.Progress("dev-1", 5, "downloading").ok());
  REQUIRE(f.Progress("dev-1", 99).ok());
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(Tale(Story(f, f.TaskOf(batch, "dev-1").task)) ==
        "key UDoperator: the batch was created: keeping other upgrades, to version '2.0.0'\n"
        "key UDoperator: the device joined batch 1 to version '2.0.0': it waits to be pushed\n"
        "engine: the notice was pushed to the device\n"
        "device: the device reported its first progress, 5 percent, saying \"downloading\": it is "
        "upgrading, it times out at 2026-01-01 00:10:02 UTC\n"
        "device: the device reported 99 percent\n"
        "device: the device reported version '2.0.0'\n"
        "device: the device reported the target version '2.0.0': the upgrade succeeded\n");
}

TEST_CASE("edge case 46: a third version that a client sends at boot is named as the cause",
          "[explain]") {
  Fleet f(1);
  BatchId batch = f.StartBatch();
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  REQUIRE(f.Report("dev-1", "app-1.0.0-20180101.1000").ok());
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(Tells(Story(f, f.TaskOf(batch, "dev-1").task),
              "the device reported version 'app-1.0.0-20180101.1000', which is neither the source "
              "'1.0.0' nor the target '2.0.0': the upgrade failed"));
}

TEST_CASE("a story tells of failures, retries and the timeout that ends them", "[explain]") {
  Fleet f(1);
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(
      {.source_versions = {"1.0.0"}, .timeout_minutes = 11, .retry_minutes = 10, .retry_count = 5});
  f.Push();
  REQUIRE(f.Progress("dev-1", 1).ok());
  REQUIRE(f.Progress("dev-1", -2, "no space").ok());
  REQUIRE(f.Progress("dev-1", -3).ok());
  f.Pass(std::chrono::minutes(10));
  f.Push();
  f.Offline("dev-1");
  f.Settled("dev-1");
  f.TakePushes();
  f.Pass(std::chrono::minutes(1));
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  std::vector<Explanation> story = Story(f, f.TaskOf(batch, "dev-1").task);
  CHECK(Tells(story,
              "-2, download failed, saying \"no space\": the attempt failed, a retry follows "
              "at 2026-01-01 00:10:02 UTC"));
  CHECK(Tells(story, "-3, verification of the file failed, while a retry waits"));
  CHECK(Tells(story, "timer: the retry is due"));
  CHECK(Tells(story, "for the retry"));
  CHECK(Tells(story, "device: the device went offline"));
  CHECK(Tells(story, "for it came back online"));
  CHECK(Tells(story, "timer: the time from the first progress report ran out"));
  CHECK(Tells(story, "reported version '2.0.0', which changes nothing: the upgrade had ended"));
}

TEST_CASE("a story tells what an operator did", "[explain]") {
  Fleet f(3);
  BatchId batch = f.StartBatch({.device_names = {"dev-1", "dev-2"},
                                .start_ms = f.now_ms() + 600'000,
                                .end_ms = f.now_ms() + 4'200'000,
                                .need_push = false,
                                .need_confirm = true});
  TaskId task = f.TaskOf(batch, "dev-1").task;
  f.Pass(std::chrono::minutes(10));
  f.Ok(ConfirmTasks{{task}});
  f.Ok(PauseBatch{batch});
  f.Ok(ResumeBatch{batch});
  f.Ok(EditBatch{.batch = batch, .push_per_minute = 30});
  REQUIRE(f.Pull("dev-1").has_value());
  f.Ok(DisableDevice{f.Device("dev-1")});
  f.Ok(EnableDevice{f.Device("dev-1")});
  f.Ok(CancelBatch{.batch = batch, .queued = true, .notified = true, .in_progress = true});
  f.Ok(ReupgradeTasks{batch, {task}});
  f.Pass(std::chrono::hours(1));
  std::vector<Explanation> story = Story(f, task);
  for (auto what :
       {"it starts at 2026-01-01 00:10:00 UTC", "it ends at", "devices must ask",
        "it waits to be confirmed", "scheduled start was reached", "was confirmed", "was paused",
        "was resumed", "30 pushes a minute", "asked for its upgrade", "was disabled", "was enabled",
        "tasks that are to be confirmed, pending push, pushed, upgrading", "a user cancelled it",
        "runs again", "was begun again", "its open tasks are being cancelled",
        "scheduled end was reached: the upgrade"}) {
    INFO(what);
    CHECK(Tells(story, what));
  }
}

TEST_CASE("a story tells of conflicts, takeovers and deletion", "[explain]") {
  Fleet f(2);
  BatchId first = f.StartBatch({.device_names = {"dev-1"}});
  BatchId kept_out = f.StartBatch({.device_names = {"dev-1"}});
  BatchId second = f.StartBatch({.device_names = {"dev-1"}, .override_others = true});
  TaskId tasks[] = {f.TaskOf(first, "dev-1").task, f.TaskOf(kept_out, "dev-1").task,
                    f.TaskOf(second, "dev-1").task};
  DeviceId device = f.Id("dev-1");
  f.Ok(DeleteDevice{f.Device("dev-1")});
  CHECK(Tells(Story(f, tasks[0]), "a later batch took the device over: the upgrade was cancelled"));
  CHECK(Tells(Story(f, tasks[1]), "it failed at once, for the device's module has another open"));
  CHECK(Tells(Story(f, tasks[2]), "the device was deleted: the upgrade was cancelled"));
  Result<std::vector<Explanation>> of_device = ExplainDevice(f.log(), {.id = device});
  REQUIRE(of_device.ok());
  CHECK(Tells(*of_device, "the device was registered"));
  CHECK(Tells(*of_device, "the device reported version '1.0.0' of module 'default'"));
  CHECK(Tells(*of_device, "joined batch 3"));
}

TEST_CASE("a device is explained by its name; a deleted one by its id only", "[explain]") {
  Fleet f(2);
  CHECK(ExplainDevice(f.log(), f.Device("dev-1")).ok());
  f.Ok(DeleteDevice{f.Device("dev-1")});
  CHECK(ExplainDevice(f.log(), f.Device("dev-1")).status().reason() == refusal::kUnknownDevice);
  CHECK(ExplainTask(f.log(), TaskId(99)).status().code() == StatusCode::kNotFound);
}

}  // namespace updraft
