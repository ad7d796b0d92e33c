// Retries: when a failed attempt is made again.
#include "tests/spec/spec.h"

namespace updraft {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::minutes;

namespace {

CreateBatch Retrying(uint32_t interval, uint32_t count) {
  return {.source_versions = {"1.0.0"}, .retry_minutes = interval, .retry_count = count};
}

}  // namespace

TEST_CASE("a retry comes after 0, 10, 30, 60 or 1,440 minutes, 1, 2 or 5 times", "[retry]") {
  Fleet f;
  for (uint32_t interval : {0, 10, 30, 60, 1'440}) {
    for (uint32_t count : {1, 2, 5}) {
      CHECK(f.Ok(f.BatchOrder(Retrying(interval, count))).ok());
    }
  }
  for (uint32_t interval : {1, 9, 11, 1'439, 1'441}) {
    f.Refused(f.BatchOrder(Retrying(interval, 1)), refusal::kRetryIntervalInvalid);
  }
  for (uint32_t count : {0, 3, 4, 6}) {
    f.Refused(f.BatchOrder(Retrying(10, count)), refusal::kRetryCountInvalid);
  }
  CreateBatch order = f.BatchOrder(Retrying(10, 1));
  order.retry_minutes.reset();
  f.Refused(order, refusal::kRetryIntervalInvalid);
}

TEST_CASE("the interval is below the timeout: at 60 minutes 30, at 1,440 60", "[retry]") {
  Fleet f;
  auto order = [&](uint32_t interval, uint32_t timeout) {
    CreateBatch c = Retrying(interval, 1);
    c.timeout_minutes = timeout;
    return f.BatchOrder(c);
  };
  f.Refused(order(60, 60), refusal::kRetryNotBelowTimeout);
  f.Refused(order(1'440, 1'440), refusal::kRetryNotBelowTimeout);
  CHECK(f.Ok(order(30, 60)).ok());
  CHECK(f.Ok(order(60, 61)).ok());
  CHECK(f.Ok(order(60, 1'440)).ok());
  CHECK(f.Ok(order(0, 1)).ok());
  CHECK(f.Ok(order(1'440, 0)).ok());
}

TEST_CASE("a changed timeout stays above the retry interval", "[retry]") {
  Fleet f;
  CreateBatch order = Retrying(30, 1);
  order.dynamic = true;
  BatchId batch = f.StartBatch(order);
  f.Refused(EditBatch{.batch = batch, .timeout_minutes = 30}, refusal::kRetryNotBelowTimeout);
  f.Ok(EditBatch{.batch = batch, .timeout_minutes = 31});
}

TEST_CASE("edge case 5: a third version while upgrading is retried as often as ordered",
          "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(Retrying(10, 2));
  f.Push();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    INFO("attempt " << attempt);
    REQUIRE(f.Progress("dev-1", 10).ok());
    REQUIRE(f.Report("dev-1", "1.7.7").ok());
    if (attempt == 3) break;
    CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
    CHECK(f.TaskOf(batch, "dev-1").retry_waiting);
    f.Pass(minutes(10) - milliseconds(1));
    CHECK(f.TakePushes().empty());
    f.Pass(milliseconds(1));
    CHECK(f.Push().device_name == "dev-1");
    CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
  }
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(f.TaskOf(batch, "dev-1").reason == "report version is not conform");
  CHECK(f.TaskOf(batch, "dev-1").retries == 2);
}

TEST_CASE("edge case 6: without source versions the first failure is the end", "[retry]") {
  Fleet f;
  CreateBatch order = Retrying(10, 2);
  order.source_versions.clear();
  Outcome outcome = f.Ok(f.BatchOrder(order));
  CHECK_FALSE(std::get<CreatedBatch>(outcome.answer).warning.empty());
  BatchId batch = std::get<CreatedBatch>(outcome.answer).batch;
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  REQUIRE(f.Report("dev-1", "1.7.7").ok());
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(f.TaskOf(batch, "dev-1").retries == 0);
}

TEST_CASE("edge case 7: a failure when pushed is retried at once and stays pushed", "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(Retrying(0, 1));
  f.Push();
  REQUIRE(f.Progress("dev-1", -2).ok());
  CHECK(f.StateOf(batch, "dev-1") == "NOTIFIED");
  CHECK(f.TaskOf(batch, "dev-1").retries == 1);
  CHECK(f.Push().device_name == "dev-1");
  REQUIRE(f.Progress("dev-1", -2).ok());
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(f.TaskOf(batch, "dev-1").reason == "download failed");
}

TEST_CASE("edge case 8: a batch of named devices never retries, and the operator is warned",
          "[retry]") {
  Fleet f;
  CreateBatch order =
      f.BatchOrder({.device_names = {"dev-1"}, .retry_minutes = 10, .retry_count = 5});
  Outcome outcome = f.Ok(order);
  CHECK_FALSE(std::get<CreatedBatch>(outcome.answer).warning.empty());
  BatchId batch = std::get<CreatedBatch>(outcome.answer).batch;
  f.BringTo(batch, "dev-1", "FAILED");
  CHECK(f.TaskOf(batch, "dev-1").retries == 0);
}

TEST_CASE("a diff package's own source version counts as given", "[retry]") {
  Fleet f;
  PackageId diff = f.AddDiff("diff", "1.0.0", "2.0.0");
  CreateBatch order = f.BatchOrder(
      {.package = diff, .device_names = {"dev-1"}, .retry_minutes = 10, .retry_count = 1});
  Outcome outcome = f.Ok(order);
  CHECK(std::get<CreatedBatch>(outcome.answer).warning.empty());
  BatchId batch = std::get<CreatedBatch>(outcome.answer).batch;
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  REQUIRE(f.Progress("dev-1", -4).ok());
  CHECK(f.TaskOf(batch, "dev-1").retry_waiting);
}

TEST_CASE("edge case 9: the fixed clock ends the retries before they are used up", "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  CreateBatch order = Retrying(30, 5);
  order.timeout_minutes = 60;
  BatchId batch = f.StartBatch(order);
  f.Push();
  REQUIRE(f.Progress("dev-1", 1).ok());
  int64_t began = f.now_ms();
  REQUIRE(f.Progress("dev-1", -1).ok());
  f.Pass(minutes(30));
  f.Push();
  CHECK(f.now_ms() == began + 30 * 60'000);
  REQUIRE(f.Progress("dev-1", -1).ok());
  f.Pass(minutes(30));
  CHECK(f.TakePushes().empty());
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(f.TaskOf(batch, "dev-1").reason == "timeout");
  CHECK(f.TaskOf(batch, "dev-1").retries == 2);
}

TEST_CASE("edge case 10: a timeout while a retry waits is the end", "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  CreateBatch order = Retrying(30, 5);
  order.timeout_minutes = 31;
  BatchId batch = f.StartBatch(order);
  f.Push();
  REQUIRE(f.Progress("dev-1", 1).ok());
  f.Pass(minutes(2));
  REQUIRE(f.Progress("dev-1", -1).ok());
  f.Pass(minutes(29));
  CHECK(f.TaskOf(batch, "dev-1").reason == "timeout");
  CHECK_FALSE(f.TaskOf(batch, "dev-1").retry_waiting);
  CHECK(f.PushFor(days(1)).empty());
}

TEST_CASE("every failure that a device can report is retried", "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  CreateBatch order = Retrying(0, 5);
  BatchId batch = f.StartBatch(order);
  f.Push();
  std::pair<int, std::string_view> steps[] = {
      {-1, "upgrade failed"}, {-2, "download failed"}, {-3, "verify failed"}, {-4, "burn failed"}};
  for (auto [step, reason] : steps) {
    REQUIRE(f.Progress("dev-1", step).ok());
    CHECK(f.TaskOf(batch, "dev-1").reason == reason);
    f.Push();
  }
  CHECK(f.TaskOf(batch, "dev-1").retries == 4);
}

TEST_CASE("while a retry waits, further failures use up none and make no event twice", "[retry]") {
  Fleet f;
  BatchId batch = f.StartBatch(Retrying(10, 2));
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  REQUIRE(f.Progress("dev-1", -1).ok());
  REQUIRE(f.Progress("dev-1", -2, "no space").ok());
  CHECK(f.TaskOf(batch, "dev-1").retries == 1);
  CHECK(f.TaskOf(batch, "dev-1").reason == "download failed");
  size_t before = f.event_count();
  REQUIRE(f.Progress("dev-1", -2, "no space").ok());
  REQUIRE(f.Progress("dev-1", -2).ok());
  CHECK(f.event_count() == before);
}

TEST_CASE("while a retry waits, progress drops it and the target ends it", "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(Retrying(10, 2));
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  REQUIRE(f.Progress("dev-1", -1).ok());
  SECTION("progress") {
    REQUIRE(f.Progress("dev-1", 10).ok());
    CHECK_FALSE(f.TaskOf(batch, "dev-1").retry_waiting);
    CHECK(f.PushFor(days(1)).empty());
    CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
  }
  SECTION("the target") {
    REQUIRE(f.Report("dev-1", "2.0.0").ok());
    CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
  }
}

TEST_CASE("a retry that is due while the device is offline waits for it", "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(Retrying(10, 1));
  f.Push();
  REQUIRE(f.Progress("dev-1", -1).ok());
  f.Offline("dev-1");
  f.Pass(minutes(20));
  CHECK(f.TakePushes().empty());
  f.Settled("dev-1");
  CHECK(f.Push().batch == batch);
}

TEST_CASE("reconnecting does not bring a retry forward", "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  f.StartBatch(Retrying(10, 1));
  f.Push();
  REQUIRE(f.Progress("dev-1", -1).ok());
  f.Settled("dev-1");
  CHECK(f.PushFor(minutes(10) - milliseconds(kSettleMs + 1)).empty());
  CHECK(f.PushFor(milliseconds(1)).size() == 1);
}

TEST_CASE("a pull while a retry waits is the retry's delivery", "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(Retrying(10, 1));
  f.Push();
  REQUIRE(f.Progress("dev-1", -1).ok());
  REQUIRE(f.Pull("dev-1").has_value());
  CHECK_FALSE(f.TaskOf(batch, "dev-1").retry_waiting);
  CHECK(f.PushFor(days(1)).empty());
}

TEST_CASE("a cancelled task is not retried", "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(Retrying(10, 5));
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  REQUIRE(f.Progress("dev-1", -1).ok());
  f.Ok(CancelBatch{.batch = batch, .in_progress = true});
  CHECK(f.PushFor(days(1)).empty());
  CHECK(f.StateOf(batch, "dev-1") == "CANCELED");
}

TEST_CASE("a retry waits through a restart", "[retry]") {
  Fleet f;
  f.Settled("dev-1");
  f.StartBatch(Retrying(60, 1));
  f.Push();
  f.Ok(AcknowledgePushes{PushNumber(1)});
  REQUIRE(f.Progress("dev-1", -1).ok());
  f.Pass(minutes(30));
  f.Restart();
  CHECK(f.PushFor(minutes(30) - milliseconds(1)).empty());
  CHECK(f.PushFor(milliseconds(1)).size() == 1);
}

}  // namespace updraft
