// Timeouts: from the first progress report, whatever happens meanwhile.
#include "tests/spec/spec.h"

namespace updraft {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::minutes;

TEST_CASE("a timeout has 1 to 1,440 minutes, or there is none", "[timeout]") {
  Fleet f(4);
  f.Refused(f.BatchOrder({.device_names = {"dev-1"}, .timeout_minutes = 1'441}),
            refusal::kTimeoutInvalid);
  BatchId shortest = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 1});
  BatchId longest = f.StartBatch({.device_names = {"dev-2"}, .timeout_minutes = 1'440});
  BatchId none = f.StartBatch({.device_names = {"dev-3"}});
  f.BringTo(shortest, "dev-1", "IN_PROGRESS");
  f.BringTo(longest, "dev-2", "IN_PROGRESS");
  f.BringTo(none, "dev-3", "IN_PROGRESS");
  f.Pass(minutes(1) - milliseconds(1));
  CHECK(f.StateOf(shortest, "dev-1") == "IN_PROGRESS");
  f.Pass(milliseconds(1));
  CHECK(f.StateOf(shortest, "dev-1") == "FAILED");
  CHECK(f.TaskOf(shortest, "dev-1").reason == "timeout");
  f.Pass(minutes(1'439));
  CHECK(f.StateOf(longest, "dev-2") == "FAILED");
  f.Pass(days(100));
  CHECK(f.StateOf(none, "dev-3") == "IN_PROGRESS");
}

TEST_CASE("edge case 1: a device that reports 100 percent and no version times out", "[timeout]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 10});
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  REQUIRE(f.Progress("dev-1", 100).ok());
  CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
  f.Pass(minutes(10));
  CHECK(f.TaskOf(batch, "dev-1").reason == "timeout");
}

TEST_CASE("there is no timeout before the first progress report", "[timeout]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1", "dev-2"}, .timeout_minutes = 1});
  f.BringTo(batch, "dev-2", "NOTIFIED");
  f.Pass(days(30));
  CHECK(f.Counts(batch) == "QUEUED 1 NOTIFIED 1");
}

TEST_CASE("neither progress nor reconnecting nor a pull starts the clock anew", "[timeout]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 10});
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  f.Pass(minutes(3));
  REQUIRE(f.Progress("dev-1", 50).ok());
  f.Pass(minutes(3));
  f.Settled("dev-1");
  f.TakePushes();
  REQUIRE(f.Progress("dev-1", 0).ok());
  REQUIRE(f.Pull("dev-1").has_value());
  f.Pass(minutes(4) - milliseconds(kSettleMs + 1));
  CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
  f.Pass(milliseconds(1));
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
}

TEST_CASE("edge case 11: the timeout comes although the device is offline", "[timeout]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 10});
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  f.Offline("dev-1");
  f.Pass(minutes(10));
  CHECK(f.TaskOf(batch, "dev-1").reason == "timeout");
}

TEST_CASE("edge case 12: the target reported after the timeout changes the version only",
          "[timeout]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 10});
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  f.Pass(minutes(10));
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.Then() == std::vector<std::string>{"versionReported"});
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
}

TEST_CASE("edge case 47: the target a moment before, in and after the timeout", "[timeout]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 10});
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  int after = GENERATE(-1, 0, 1);
  f.PassAsleep(minutes(10) + milliseconds(after));
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == (after < 0 ? "SUCCEEDED" : "FAILED"));
  if (after >= 0) CHECK(f.TaskOf(batch, "dev-1").reason == "timeout");
}

TEST_CASE("an upgrade that timed out is not pushed again and can be upgraded again", "[timeout]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(
      {.source_versions = {"1.0.0"}, .timeout_minutes = 30, .retry_minutes = 10, .retry_count = 5});
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  f.Pass(minutes(30));
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(f.PushFor(days(2)).empty());
  f.Ok(ReupgradeTasks{batch, {f.TaskOf(batch, "dev-1").task}});
  CHECK(f.TaskOf(batch, "dev-1").timeout_ms == 0);
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  CHECK(f.TaskOf(batch, "dev-1").timeout_ms == f.now_ms() + 30 * 60'000);
}

TEST_CASE("many timeouts in one moment come in bounded turns, and none is forgotten", "[timeout]") {
  Fleet f(0);
  f.CheckSeldom();
  f.RegisterMany(1, 2'500, "1.0.0");
  BatchId batch = f.StartBatch({.timeout_minutes = 10});
  std::vector<Command> steps;
  for (int i = 1; i <= 2'500; ++i) {
    DeviceRef device = f.Device("dev-" + std::to_string(i));
    steps.push_back(ReportProgress{device, "", 10, ""});
  }
  f.InOneTurn(steps);
  f.PassAsleep(minutes(10));
  // While most wait for their turn, a report finds its own task timed out.
  REQUIRE(f.Report("dev-2500", "2.0.0").ok());
  CHECK(f.StateOf(batch, "dev-2500") == "FAILED");
  f.Pass(milliseconds(0));
  CHECK(f.Counts(batch) == "FAILED 2500");
  f.CheckInvariants();
}

}  // namespace updraft
