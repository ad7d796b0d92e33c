// The ways a task goes, one spec each; table_spec.cc has every pair of state and input.
#include "tests/spec/spec.h"

namespace updraft {

using std::chrono::milliseconds;

TEST_CASE("edge case 2: the target without any progress is success at 100 percent", "[task]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  f.BringTo(batch, "dev-1", "NOTIFIED");
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
  CHECK(f.TaskOf(batch, "dev-1").step == 100);
}

TEST_CASE("edge case 3: a device that was upgraded by other means succeeds without a push",
          "[task]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
  CHECK(f.TakePushes().empty());
}

TEST_CASE("edge case 4: the source version in the middle changes nothing; the push repeats",
          "[task]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 10});
  f.Push();
  REQUIRE(f.Progress("dev-1", 50).ok());
  int64_t due = f.TaskOf(batch, "dev-1").timeout_ms;
  f.Offline("dev-1");
  f.Pass(std::chrono::minutes(1));
  f.Online("dev-1");
  REQUIRE(f.Report("dev-1", "1.0.0").ok());  // Heard, so there is no need to wait.
  CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
  CHECK(f.Push().batch == batch);
  CHECK(f.TaskOf(batch, "dev-1").timeout_ms == due);
  CHECK(f.TakePushes().empty());
}

TEST_CASE("edge case 19: step 0 begins the upgrade", "[task]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 10});
  f.BringTo(batch, "dev-1", "NOTIFIED");
  REQUIRE(f.Progress("dev-1", 0).ok());
  CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
  CHECK(f.TaskOf(batch, "dev-1").timeout_ms == f.now_ms() + 600'000);
}

TEST_CASE("edge case 22: progress goes down without starting the clock anew", "[task]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 10});
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  int64_t due = f.TaskOf(batch, "dev-1").timeout_ms;
  REQUIRE(f.Progress("dev-1", 50).ok());
  f.Pass(milliseconds(5));
  REQUIRE(f.Progress("dev-1", 20).ok());
  CHECK(f.TaskOf(batch, "dev-1").step == 20);
  CHECK(f.TaskOf(batch, "dev-1").timeout_ms == due);
}

TEST_CASE("edge case 25: a device that never answers stays pushed; each return is told again",
          "[task]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 1});
  f.Push();
  for (int i = 0; i < 3; ++i) {
    f.Pass(std::chrono::days(10));
    CHECK(f.TakePushes().empty());
    f.Offline("dev-1");
    f.Settled("dev-1");
    CHECK(f.Push().batch == batch);
  }
  CHECK(f.StateOf(batch, "dev-1") == "NOTIFIED");
  CHECK(f.Counts(f.StartBatch({.device_names = {"dev-1"}})) == "FAILED 1");
  BatchId next = f.StartBatch({.device_names = {"dev-1"}, .override_others = true});
  CHECK(f.StateOf(next, "dev-1") == "QUEUED");
}

TEST_CASE("the same progress again makes no event, whatever words come with it", "[task]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  REQUIRE(f.Progress("dev-1", 20, "half").ok());
  size_t before = f.event_count();
  REQUIRE(f.Progress("dev-1", 20, "half").ok());
  REQUIRE(f.Progress("dev-1", 20).ok());
  CHECK(f.event_count() == before);
  CHECK(f.TaskOf(batch, "dev-1").text.value() == before);
}

TEST_CASE("a device's words of a failure are kept with it", "[task]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  f.BringTo(batch, "dev-1", "NOTIFIED");
  REQUIRE(f.Progress("dev-1", -4, "flash is read-only").ok());
  CHECK(f.TaskOf(batch, "dev-1").reason == "burn failed");
  CHECK(f.TaskOf(batch, "dev-1").text);
}

TEST_CASE("a notice says all that a device needs", "[task]") {
  Fleet f;
  f.Settled("dev-1");
  CreatePackage order = f.PackageOrder("full", "3.0.0");
  order.sign_with_sha256 = true;
  order.udi = "{\"a\":1}";
  PackageId package = std::get<CreatedPackage>(f.Ok(order).answer).package;
  BatchId batch =
      f.StartBatch({.package = package, .device_names = {"dev-1"}, .tags = {{"k", "v"}}});
  Notice notice = f.Push();
  CHECK(notice.batch == batch);
  CHECK(notice.product_key == Fleet::kProductKey);
  CHECK(notice.device_name == "dev-1");
  CHECK(notice.module == "default");
  CHECK(notice.version == "3.0.0");
  CHECK_FALSE(notice.diff);
  CHECK(notice.sign_with_sha256);
  CHECK(notice.size_bytes == 1'000);
  CHECK(notice.md5 == order.md5);
  CHECK(notice.sha256 == order.sha256);
  CHECK(notice.file == "f00d");
  CHECK(notice.suffix == "bin");
  CHECK(notice.udi == order.udi);
  CHECK(notice.tags == Tags{{"k", "v"}});
  CHECK(notice.time_ms == f.now_ms());
}

TEST_CASE("progress of a module without an open upgrade is told apart", "[task]") {
  Fleet f;
  f.StartBatch({.device_names = {"dev-1"}});
  CHECK(f.Progress("dev-2", 10).status.reason() == refusal::kNoOpenTask);
  CHECK(f.Progress("dev-1", 10, "", "mcu").status.reason() == refusal::kNoOpenTask);
  f.Refused(ReportProgress{f.Device("nobody"), "", 10, ""}, refusal::kUnknownDevice);
}

}  // namespace updraft
