// A batch from its start to its end.
#include "tests/spec/spec.h"

namespace updraft {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("an online device is told at once, reports progress and succeeds by its version",
          "[batch]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  CHECK(f.StateOf(batch, "dev-1") == "QUEUED");

  Notice notice = f.Push();
  CHECK(notice.device_name == "dev-1");
  CHECK(notice.version == "2.0.0");
  CHECK(f.StateOf(batch, "dev-1") == "NOTIFIED");

  REQUIRE(f.Progress("dev-1", 0).ok());
  CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
  REQUIRE(f.Progress("dev-1", 100).ok());
  CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");

  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
  f.CheckReplay();
}

TEST_CASE("an offline device is told when it comes online", "[batch]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  CHECK(f.TakePushes().empty());
  CHECK(f.TaskOf(batch, "dev-1").pending == PendingReason::kOffline);
  f.Online("dev-1");
  CHECK(f.TakePushes().empty());  // It gets a moment to say what it runs.
  f.Pass(milliseconds(kSettleMs - 1));
  CHECK(f.TakePushes().empty());
  f.Pass(milliseconds(1));
  CHECK(f.Push().device_name == "dev-1");
}

TEST_CASE("a batch over all devices chooses those that are not on the target", "[batch]") {
  Fleet f(4);
  REQUIRE(f.Report("dev-2", "2.0.0").ok());
  BatchId batch = f.StartBatch();
  CHECK(f.Counts(batch) == "QUEUED 3");
  CHECK(f.StateOf(batch, "dev-2") == "none");
}

TEST_CASE("a batch pushes at its rate", "[batch]") {
  Fleet f(4);
  for (auto name : {"dev-1", "dev-2", "dev-3", "dev-4"}) f.Settled(name);
  BatchId batch = f.StartBatch({.push_per_minute = 10});
  CHECK(f.TakePushes().size() == 1);
  f.Pass(milliseconds(5'999));
  CHECK(f.TakePushes().empty());
  f.Pass(milliseconds(1));
  CHECK(f.TakePushes().size() == 1);
  f.Pass(minutes(10));
  CHECK(f.TakePushes().size() == 1);  // What was missed is not made up for.
  CHECK(f.Counts(batch) == "QUEUED 1 NOTIFIED 3");
}

TEST_CASE("a batch nobody can join is refused", "[batch]") {
  Fleet f(1);
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  f.Refused(f.BatchOrder(), refusal::kNoDeviceCanUpgrade);
}

}  // namespace updraft
