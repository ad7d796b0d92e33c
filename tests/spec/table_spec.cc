// Every state of a task with everything that can be said to it, also where nothing may change.
#include <map>

#include "tests/spec/spec.h"

namespace updraft {
namespace {

// "-": the state stays and the task's record is as it was.
struct Row {
  const char* input;
  std::array<const char*, kTaskStateCount> becomes;  // By the state it meets.
};

constexpr const char* kStates[] = {"CONFIRM",   "QUEUED", "NOTIFIED", "IN_PROGRESS",
                                   "SUCCEEDED", "FAILED", "CANCELED"};

// clang-format off
constexpr Row kTable[] = {
  //                   CONFIRM      QUEUED         NOTIFIED       IN_PROGRESS    SUCCEEDED FAILED CANCELED
  {"target",         {"SUCCEEDED", "SUCCEEDED",   "SUCCEEDED",   "SUCCEEDED",   "-", "-", "-"}},
  {"source",         {"-",         "-",           "-",           "-",           "-", "-", "-"}},
  {"third",          {"-",         "-",           "-",           "FAILED",      "-", "-", "-"}},
  {"step 0",         {"-",         "IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "-", "-", "-"}},
  {"step 100",       {"-",         "IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "-", "-", "-"}},
  {"step -1",        {"-",         "-",           "FAILED",      "FAILED",      "-", "-", "-"}},
  {"step -4",        {"-",         "-",           "FAILED",      "FAILED",      "-", "-", "-"}},
  {"pull",           {"-",         "NOTIFIED",    "-",           "-",           "-", "-", "-"}},
  {"online",         {"-",         "NOTIFIED",    "NOTIFIED",    "IN_PROGRESS", "-", "-", "-"}},
  {"a day",          {"-",         "-",           "-",           "FAILED",      "-", "-", "-"}},
  {"confirm",        {"QUEUED",    "-",           "-",           "-",           "-", "-", "-"}},
  {"cancel device",  {"CANCELED",  "CANCELED",    "CANCELED",    "CANCELED",    "-", "-", "-"}},
  {"cancel queued",  {"CANCELED",  "CANCELED",    "-",           "-",           "-", "-", "-"}},
  {"cancel notified",{"-",         "-",           "CANCELED",    "-",           "-", "-", "-"}},
  {"cancel upgrading",{"-",        "-",           "-",           "CANCELED",    "-", "-", "-"}},
  {"cancel unconfirmed",{"CANCELED","-",          "-",           "-",           "-", "-", "-"}},
  {"re-upgrade",     {"-",         "-",           "-",           "-",           "-", "CONFIRM", "CONFIRM"}},
  {"override",       {"CANCELED",  "CANCELED",    "CANCELED",    "-",           "-", "-", "-"}},
  {"keep",           {"-",         "-",           "-",           "-",           "-", "-", "-"}},
  {"delete device",  {"CANCELED",  "CANCELED",    "CANCELED",    "CANCELED",    "-", "-", "-"}},
  {"disable device", {"-",         "-",           "-",           "-",           "-", "-", "-"}},
};
// clang-format on

void Apply(Fleet& f, BatchId batch, TaskId task, std::string_view input) {
  static const std::map<std::string_view, std::function<void(Fleet&, BatchId, TaskId)>> kInputs = {
      {"target", [](Fleet& f, BatchId, TaskId) { (void)f.Report("dev-1", "2.0.0"); }},
      {"source", [](Fleet& f, BatchId, TaskId) { (void)f.Report("dev-1", "1.0.0"); }},
      {"third", [](Fleet& f, BatchId, TaskId) { (void)f.Report("dev-1", "1.7.7"); }},
      {"step 0", [](Fleet& f, BatchId, TaskId) { (void)f.Progress("dev-1", 0); }},
      {"step 100", [](Fleet& f, BatchId, TaskId) { (void)f.Progress("dev-1", 100); }},
      {"step -1", [](Fleet& f, BatchId, TaskId) { (void)f.Progress("dev-1", -1); }},
      {"step -4", [](Fleet& f, BatchId, TaskId) { (void)f.Progress("dev-1", -4); }},
      {"pull", [](Fleet& f, BatchId, TaskId) { (void)f.Pull("dev-1"); }},
      {"online",
       [](Fleet& f, BatchId, TaskId) {
         f.Settled("dev-1");
         f.TakePushes();
       }},
      {"a day", [](Fleet& f, BatchId, TaskId) { f.Pass(std::chrono::days(1)); }},
      {"confirm", [](Fleet& f, BatchId, TaskId task) { (void)f.When(ConfirmTasks{{task}}); }},
      {"cancel device",
       [](Fleet& f, BatchId, TaskId) {
         (void)f.When(CancelDevices{f.package(), Fleet::kProductKey, {"dev-1"}});
       }},
      {"cancel queued", [](Fleet& f, BatchId batch,
                           TaskId) { (void)f.When(CancelBatch{.batch = batch, .queued = true}); }},
      {"cancel notified",
       [](Fleet& f, BatchId batch, TaskId) {
         (void)f.When(CancelBatch{.batch = batch, .notified = true});
       }},
      {"cancel upgrading",
       [](Fleet& f, BatchId batch, TaskId) {
         (void)f.When(CancelBatch{.batch = batch, .in_progress = true});
       }},
      {"cancel unconfirmed",
       [](Fleet& f, BatchId batch, TaskId) {
         (void)f.When(CancelBatch{.batch = batch, .unconfirmed = true});
       }},
      {"re-upgrade",
       [](Fleet& f, BatchId batch, TaskId task) {
         // Away from the target again, so that there is something to do.
         (void)f.Report("dev-1", "1.0.0");
         (void)f.When(ReupgradeTasks{batch, {task}});
       }},
      {"override",
       [](Fleet& f, BatchId, TaskId) {
         PackageId other = f.AddPackage("other", "9.0.0");
         f.StartBatch({.package = other, .device_names = {"dev-1"}, .override_others = true});
       }},
      {"keep",
       [](Fleet& f, BatchId, TaskId) {
         PackageId other = f.AddPackage("other", "9.0.0");
         f.StartBatch({.package = other, .device_names = {"dev-1"}});
       }},
      {"delete device", [](Fleet& f, BatchId, TaskId) { f.Ok(DeleteDevice{f.Device("dev-1")}); }},
      {"disable device", [](Fleet& f, BatchId, TaskId) { f.Ok(DisableDevice{f.Device("dev-1")}); }},
  };
  kInputs.at(input)(f, batch, task);
}

}  // namespace

TEST_CASE("every state meets every input", "[table]") {
  for (const Row& row : kTable) {
    for (int from = 0; from < kTaskStateCount; ++from) {
      INFO(kStates[from] << " meets " << row.input);
      Fleet f(2);
      // dev-2 keeps the batch running.
      BatchId batch = f.StartBatch(
          {.device_names = {"dev-1", "dev-2"}, .timeout_minutes = 60, .need_confirm = true});
      TaskId task = f.TaskOf(batch, "dev-1").task;
      f.BringTo(batch, "dev-1", kStates[from]);
      REQUIRE(f.StateOf(batch, "dev-1") == kStates[from]);
      Digest before = DigestOf(task.value(), f.world().tasks()[task]);
      Apply(f, batch, task, row.input);
      std::string_view expected = row.becomes[from];
      bool stays = expected == "-";
      CHECK(TaskStateWord(ViewTask(f.world(), task)->state) == (stays ? kStates[from] : expected));
      if (stays) CHECK(DigestOf(task.value(), f.world().tasks()[task]) == before);
      f.CheckReplay();
    }
  }
}

}  // namespace updraft
