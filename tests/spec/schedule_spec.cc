// Batches with a start and an end.
#include "tests/spec/spec.h"

namespace updraft {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;

CreateBatch Scheduled(const Fleet& f, int64_t from_now, int64_t length = 0) {
  return {.device_names = {"dev-1"},
          .start_ms = f.now_ms() + from_now,
          .end_ms = length == 0 ? 0 : f.now_ms() + from_now + length};
}

}  // namespace

TEST_CASE("a start lies 5 minutes to 7 days ahead", "[schedule]") {
  Fleet f;
  auto order = [&](int64_t ahead) { return f.BatchOrder(Scheduled(f, ahead)); };
  f.Refused(order(0), refusal::kStartInPast);
  f.Refused(order(-1), refusal::kStartInPast);
  f.Refused(order(5 * kMinuteMs - 1), refusal::kStartTooSoon);
  f.Refused(order(7 * kDayMs + 1), refusal::kStartTooLate);
  f.StartBatch(Scheduled(f, 5 * kMinuteMs));
  CreateBatch latest = Scheduled(f, 7 * kDayMs);
  latest.device_names = {"dev-2"};
  f.StartBatch(latest);
}

TEST_CASE("an end lies 1 hour to 30 days after the start, and needs one", "[schedule]") {
  Fleet f;
  auto order = [&](int64_t length) { return f.BatchOrder(Scheduled(f, 10 * kMinuteMs, length)); };
  f.Refused(order(-1), refusal::kEndBeforeStart);
  f.Refused(order(kHourMs - 1), refusal::kEndTooSoon);
  f.Refused(order(30 * kDayMs + 1), refusal::kEndTooLate);
  CreateBatch no_start = f.BatchOrder({.device_names = {"dev-1"}});
  no_start.end_ms = f.now_ms() + 2 * kHourMs;
  f.Refused(no_start, refusal::kEndWithoutStart);
  f.StartBatch(Scheduled(f, 10 * kMinuteMs, kHourMs));
  CreateBatch longest = Scheduled(f, 10 * kMinuteMs, 30 * kDayMs);
  longest.device_names = {"dev-2"};
  f.StartBatch(longest);
}

TEST_CASE("before its start a batch is planned and tells nobody", "[schedule]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(Scheduled(f, 10 * kMinuteMs));
  CHECK(f.StatusOf(batch) == BatchStatus::PLANNED);
  CHECK(f.TaskOf(batch, "dev-1").pending == PendingReason::kScheduled);
  CHECK(f.TaskOf(batch, "dev-1").scheduled_ms == f.now_ms() + 10 * kMinuteMs);
  CHECK(f.PushFor(minutes(10) - milliseconds(1)).empty());
  CHECK(f.PushFor(milliseconds(1)).size() == 1);
  CHECK(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
}

TEST_CASE("devices are chosen when the batch is created, not when it starts", "[schedule]") {
  Fleet f(1);
  CreateBatch order = Scheduled(f, 10 * kMinuteMs);
  order.device_names.clear();
  BatchId batch = f.StartBatch(order);
  f.Register("late");
  REQUIRE(f.Report("late", "1.0.0").ok());
  f.Pass(minutes(10));
  CHECK(f.Counts(batch) == "QUEUED 1");
}

TEST_CASE("a device that reaches the target before the start succeeds without a push",
          "[schedule]") {
  Fleet f;
  BatchId batch = f.StartBatch(Scheduled(f, 10 * kMinuteMs));
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
}

TEST_CASE("progress before the start is of another upgrade: it begins nothing", "[schedule]") {
  Fleet f;
  BatchId batch = f.StartBatch(Scheduled(f, 10 * kMinuteMs));
  CHECK(f.Progress("dev-1", 10).status.reason() == refusal::kNotPushed);
  CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
  f.Pass(minutes(10));
  REQUIRE(f.Progress("dev-1", 10).ok());
  CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
}

TEST_CASE("at the end every open task is cancelled and the batch is complete", "[schedule]") {
  Fleet f(4);
  CreateBatch order = Scheduled(f, 10 * kMinuteMs, kHourMs);
  order.device_names = {"dev-1", "dev-2", "dev-3", "dev-4"};
  BatchId batch = f.StartBatch(order);
  f.Pass(minutes(10));
  f.BringTo(batch, "dev-2", "NOTIFIED");
  f.BringTo(batch, "dev-3", "IN_PROGRESS");
  f.BringTo(batch, "dev-4", "SUCCEEDED");
  f.Pass(hours(1) - milliseconds(1));
  CHECK(f.Counts(batch) == "QUEUED 1 NOTIFIED 1 IN_PROGRESS 1 SUCCEEDED 1");
  f.Pass(milliseconds(1));
  CHECK(f.Counts(batch) == "SUCCEEDED 1 CANCELED 3");
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
  for (auto name : {"dev-1", "dev-2", "dev-3"}) {
    CHECK(f.TaskOf(batch, name).reason == "schedule finished");
  }
  REQUIRE(f.Report("dev-3", "2.0.0").ok());  // Its version changes, nothing else.
  CHECK(f.StateOf(batch, "dev-3") == "CANCELED");
}

TEST_CASE("tasks that wait for confirmation end with the batch as well", "[schedule]") {
  Fleet f;
  CreateBatch order = Scheduled(f, 10 * kMinuteMs, kHourMs);
  order.need_confirm = true;
  BatchId batch = f.StartBatch(order);
  f.Pass(minutes(70));
  CHECK(f.Counts(batch) == "CANCELED 1");
}

TEST_CASE("a batch without an end runs on", "[schedule]") {
  Fleet f;
  BatchId batch = f.StartBatch(Scheduled(f, 10 * kMinuteMs));
  f.Pass(days(400));
  CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
}

TEST_CASE("a report in the moment of the end finds the task ended", "[schedule]") {
  Fleet f;
  CreateBatch order = Scheduled(f, 10 * kMinuteMs, kHourMs);
  BatchId batch = f.StartBatch(order);
  f.Pass(minutes(10));
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  SECTION("a moment before") {
    f.Pass(hours(1) - milliseconds(1));
    REQUIRE(f.Report("dev-1", "2.0.0").ok());
    CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
  }
  SECTION("in it") {
    f.PassAsleep(hours(1));
    REQUIRE(f.Report("dev-1", "2.0.0").ok());
    CHECK(f.StateOf(batch, "dev-1") == "CANCELED");
  }
}

TEST_CASE("of an end and an earlier timeout, both overdue, the timeout came first", "[schedule]") {
  Fleet f;
  CreateBatch order = Scheduled(f, 10 * kMinuteMs, kHourMs);
  order.timeout_minutes = 30;
  BatchId batch = f.StartBatch(order);
  f.Pass(minutes(10));
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  f.PassAsleep(hours(2));
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.TaskOf(batch, "dev-1").reason == "timeout");
}

TEST_CASE("a planned batch can be cancelled and upgraded again, before and after its start",
          "[schedule]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(Scheduled(f, 10 * kMinuteMs, kHourMs));
  f.Ok(CancelBatch{.batch = batch, .scheduled = true});
  CHECK(f.StatusOf(batch) == BatchStatus::CANCELED);
  f.Ok(ReupgradeTasks{batch, {f.TaskOf(batch, "dev-1").task}});
  CHECK(f.StatusOf(batch) == BatchStatus::PLANNED);
  CHECK(f.PushFor(minutes(10) - milliseconds(1)).empty());
  CHECK(f.PushFor(milliseconds(1)).size() == 1);
  f.Ok(CancelBatch{.batch = batch, .notified = true});
  f.Ok(ReupgradeTasks{batch, {f.TaskOf(batch, "dev-1").task}});
  CHECK(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
  f.Pass(hours(1));
  CHECK(f.Counts(batch) == "CANCELED 1");
  f.Refused(ReupgradeTasks{batch, {f.TaskOf(batch, "dev-1").task}}, refusal::kOutsideSchedule);
}

TEST_CASE("a schedule outlasts restarts", "[schedule]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(Scheduled(f, 7 * kDayMs, 30 * kDayMs));
  f.Restart();
  f.Pass(days(7) - milliseconds(1));
  CHECK(f.StatusOf(batch) == BatchStatus::PLANNED);
  f.Restart();
  f.Pass(milliseconds(1));
  CHECK(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
  f.Restart();
  f.Pass(days(30));
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
}

TEST_CASE("what came due while the clock was in doubt comes before any push", "[schedule]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch(Scheduled(f, 3'600'000, 2 * 3'600'000));
  f.Pass(hours(1));
  REQUIRE(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
  f.core().HoldClock();
  f.PassAsleep(hours(3));  // Its end passes, and nobody looks.
  f.core().BeginTurn(f.now_ms());
  REQUIRE(f.core().Execute(ConfirmClock{}, KeyId()).ok());
  CHECK(f.core().TakePushes(10).empty());
  f.core().EndTurn();
  f.core().BeginTurn(f.now_ms());
  CHECK(f.core().TakePushes(10).empty());
  CHECK(f.Counts(batch) == "CANCELED 1");
}

TEST_CASE("only who may confirm the clock ends the doubt", "[schedule]") {
  Fleet f;
  Outcome made = f.Ok(CreateKey{.formal = false, .access_key_id = "UDguest"});
  f.core().HoldClock();
  f.core().BeginTurn(f.now_ms());
  CHECK_FALSE(f.core().Execute(ConfirmClock{}, std::get<CreatedKey>(made.answer).key).ok());
  CHECK(f.core().clock_held());
  f.core().EndTurn();
}

}  // namespace updraft
