// Push pacing: how many devices a minute are told, in any minute.
#include <algorithm>

#include "tests/spec/spec.h"

namespace updraft {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr int64_t kWindowMs = 60'000;

// Most of `times` in any half-open window of a minute.
size_t MostInAMinute(const std::vector<int64_t>& times) {
  size_t most = 0;
  for (size_t from = 0, to = 0; from < times.size(); ++from) {
    while (to < times.size() && times[to] < times[from] + kWindowMs) ++to;
    most = std::max(most, to - from);
  }
  return most;
}

// `count` devices that are online and have settled.
void Crowd(Fleet& f, int count) {
  f.CheckSeldom();
  f.RegisterMany(1, count, "1.0.0");
  std::vector<Command> online;
  for (int i = 1; i <= count; ++i) {
    online.push_back(ReportPresence{f.Device("dev-" + std::to_string(i)), true, 1, 1});
  }
  f.InOneTurn(online);
  f.Pass(milliseconds(kSettleMs));
}

void Append(std::vector<int64_t>& all, std::vector<int64_t> more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

TEST_CASE("a batch pushes its rate in a minute, and never more in any minute", "[pace]") {
  for (int rate : {10, 70, 999, 1'000}) {
    INFO("rate " << rate);
    Fleet f(0);
    Crowd(f, rate * 3);
    f.StartBatch({.push_per_minute = static_cast<uint32_t>(rate)});
    std::vector<int64_t> times = f.PushFor(minutes(3) - milliseconds(1));
    CHECK(times.size() == static_cast<size_t>(rate) * 3);
    CHECK(MostInAMinute(times) == static_cast<size_t>(rate));
    // No burst: two pushes are an interval apart, but for the rounding to whole milliseconds.
    for (size_t i = 1; i < times.size(); ++i) {
      REQUIRE(times[i] - times[i - 1] >= kWindowMs / rate);
    }
    f.CheckInvariants();
  }
}

TEST_CASE("push k is due k intervals after the first, rounded up to the millisecond", "[pace]") {
  Fleet f(0);
  Crowd(f, 5);
  f.StartBatch({.push_per_minute = 70});
  int64_t start = f.now_ms();
  std::vector<int64_t> times = f.PushFor(seconds(10));
  CHECK(times ==
        std::vector<int64_t>{start, start + 858, start + 1'715, start + 2'572, start + 3'429});
}

TEST_CASE("pushes that come late are not made up for", "[pace]") {
  Fleet f(0);
  Crowd(f, 300);
  f.StartBatch({.push_per_minute = 70});
  std::vector<int64_t> times;
  // Somebody asks at odd times only.
  for (int round = 0; round < 60; ++round) {
    f.Pass(milliseconds(700 + 371 * (round % 7)));
    std::vector<Push> pushes = f.TakePushes();
    REQUIRE(pushes.size() <= 1);
    times.insert(times.end(), pushes.size(), f.now_ms());
  }
  Append(times, f.PushFor(minutes(2)));
  CHECK(MostInAMinute(times) <= 70);
}

TEST_CASE("after an idle time a batch goes on at its rate", "[pace]") {
  Fleet f(0);
  Crowd(f, 40);
  BatchId batch = f.StartBatch({.push_per_minute = 10});
  std::vector<int64_t> times = f.PushFor(minutes(1) - milliseconds(1));
  CHECK(times.size() == 10);
  f.Ok(PauseBatch{batch});
  CHECK(f.PushFor(minutes(20)).empty());
  f.Ok(ResumeBatch{batch});
  Append(times, f.PushFor(minutes(1) - milliseconds(1)));
  CHECK(times.size() == 20);
  CHECK(MostInAMinute(times) == 10);
}

TEST_CASE("pausing and resuming gives no push more", "[pace]") {
  Fleet f(0);
  Crowd(f, 200);
  BatchId batch = f.StartBatch({.push_per_minute = 70});
  std::vector<int64_t> times;
  for (int i = 0; i < 100; ++i) {
    f.Ok(PauseBatch{batch});
    f.Ok(ResumeBatch{batch});
    Append(times, f.PushFor(milliseconds(900)));
  }
  CHECK(MostInAMinute(times) <= 70);
  CHECK(times.size() >= 95);
}

TEST_CASE("a changed rate counts from the last push", "[pace]") {
  Fleet f(0);
  Crowd(f, 100);
  BatchId batch = f.StartBatch({.push_per_minute = 10});
  CHECK(f.TakePushes().size() == 1);
  f.Pass(seconds(3));
  f.Ok(EditBatch{.batch = batch, .push_per_minute = 15});  // One each 4 seconds.
  CHECK(f.TakePushes().empty());
  f.Pass(milliseconds(999));
  CHECK(f.TakePushes().empty());
  f.Pass(milliseconds(1));
  CHECK(f.TakePushes().size() == 1);
}

TEST_CASE("changing the rate to and fro gives no push more", "[pace]") {
  Fleet f(0);
  Crowd(f, 3'000);
  BatchId batch = f.StartBatch({.push_per_minute = 999});
  std::vector<int64_t> times;
  uint32_t rates[] = {1'000, 10, 999, 70, 1'000, 11};
  for (int i = 0; i < 120; ++i) {
    Append(times, f.PushFor(milliseconds(130 + 777 * (i % 5))));
    f.Ok(EditBatch{.batch = batch, .push_per_minute = rates[i % 6]});
  }
  CHECK(MostInAMinute(times) <= 1'000);
  // With the two lowest only, no minute holds more than the higher of them.
  f.Ok(EditBatch{.batch = batch, .push_per_minute = 11});
  f.PushFor(minutes(2));
  times.clear();
  for (int i = 0; i < 200; ++i) {
    f.Ok(EditBatch{.batch = batch, .push_per_minute = i % 2 == 0 ? 10u : 11u});
    Append(times, f.PushFor(milliseconds(1'777)));
  }
  CHECK(MostInAMinute(times) <= 11);
}

TEST_CASE("a batch without a limit tells all at once; a limit set later counts from then",
          "[pace]") {
  Fleet f(0);
  Crowd(f, 30);
  BatchId batch = f.StartBatch();
  CHECK(f.TakePushes(20).size() == 20);
  f.Ok(EditBatch{.batch = batch, .push_per_minute = 10});
  CHECK(f.TakePushes().empty());
  std::vector<int64_t> times = f.PushFor(minutes(1));
  CHECK(times.size() == 10);
}

TEST_CASE("edge case 42: a restart keeps the pace and the clocks", "[pace]") {
  Fleet f(0);
  Crowd(f, 100);
  BatchId batch = f.StartBatch({.push_per_minute = 10, .timeout_minutes = 10});
  std::vector<int64_t> times;
  f.BringTo(batch, "dev-100", "IN_PROGRESS");
  int64_t due = f.now_ms() + 10 * kWindowMs;
  for (int i = 0; i < 50; ++i) {
    Append(times, f.PushFor(milliseconds(2'345)));
    f.Ok(AcknowledgePushes{PushNumber(f.world().globals().pushes)});
    f.Restart();
  }
  CHECK(times.size() >= 19);
  CHECK(MostInAMinute(times) == 10);
  // What comes due while the engine is away happens once, when it is back.
  f.Pass(milliseconds(due - f.now_ms() - 1));
  CHECK(f.StateOf(batch, "dev-100") == "IN_PROGRESS");
  f.Restart();
  f.Pass(milliseconds(1));
  CHECK(f.StateOf(batch, "dev-100") == "FAILED");
  CHECK(f.TaskOf(batch, "dev-100").reason == "timeout");
  f.CheckInvariants();
}

TEST_CASE("each batch has a pace of its own", "[pace]") {
  Fleet f(0);
  Crowd(f, 40);
  std::vector<std::string> even, odd;
  for (int i = 1; i <= 40; ++i) (i % 2 ? odd : even).push_back("dev-" + std::to_string(i));
  f.StartBatch({.device_names = even, .push_per_minute = 10});
  f.StartBatch({.device_names = odd, .push_per_minute = 10});
  CHECK(f.PushFor(minutes(1) - milliseconds(1)).size() == 20);
}

TEST_CASE("a batch with much to push does not hold up another", "[pace]") {
  Fleet f(0);
  Crowd(f, 40);
  std::vector<std::string> most;
  for (int i = 1; i <= 39; ++i) most.push_back("dev-" + std::to_string(i));
  f.StartBatch({.device_names = most});
  BatchId small = f.StartBatch({.device_names = {"dev-40"}});
  f.TakePushes(2);
  f.TakePushes(2);
  CHECK(f.StateOf(small, "dev-40") == "NOTIFIED");
}

TEST_CASE("an answer to a pull takes no place in the pace", "[pace]") {
  Fleet f(0);
  Crowd(f, 3);
  f.StartBatch({.push_per_minute = 10});
  REQUIRE(f.Pull("dev-1").has_value());
  CHECK(f.TakePushes().size() == 1);
  REQUIRE(f.Pull("dev-3").has_value());
  f.Pass(seconds(6));
  CHECK(f.TakePushes().empty());  // All three know.
}

TEST_CASE("a retry takes a place in the pace", "[pace]") {
  Fleet f(0);
  Crowd(f, 3);
  f.StartBatch(
      {.source_versions = {"1.0.0"}, .push_per_minute = 10, .retry_minutes = 0, .retry_count = 1});
  CHECK(f.Push().device_name == "dev-1");
  REQUIRE(f.Progress("dev-1", -1).ok());
  CHECK(f.TakePushes().empty());
  std::vector<int64_t> times = f.PushFor(seconds(18));
  REQUIRE(times.size() == 3);
  CHECK(times[1] - times[0] >= 6'000);
  CHECK(times[2] - times[1] >= 6'000);
}

TEST_CASE("repeats at reconnect take no place in a batch's pace but one in the engine's",
          "[pace]") {
  Fleet f(0, {.repeats_per_second = 100});
  Crowd(f, 50);
  BatchId batch = f.StartBatch();
  CHECK(f.TakePushes().size() == 50);
  f.Ok(EditBatch{.batch = batch, .push_per_minute = 10});
  std::vector<Command> again;
  for (int i = 1; i <= 50; ++i) {
    again.push_back(ReportPresence{f.Device("dev-" + std::to_string(i)), true, 1, 2});
  }
  f.InOneTurn(again);
  f.Pass(milliseconds(kSettleMs));
  std::vector<int64_t> times = f.PushFor(seconds(2));
  CHECK(times.size() == 50);
  CHECK(times.back() - times.front() >= 480);
}

TEST_CASE("notices in doubt at a restart are sent again, once, at the pace of repeats", "[pace]") {
  Fleet f(0, {.repeats_per_second = 100});
  Crowd(f, 10);
  BatchId batch = f.StartBatch();
  CHECK(f.TakePushes().size() == 10);
  f.Ok(AcknowledgePushes{PushNumber(4)});
  REQUIRE(f.Report("dev-5", "2.0.0").ok());  // Has done it.
  f.BringTo(batch, "dev-6", "IN_PROGRESS");  // May have, or may wait for a retry.
  f.Restart();
  size_t before = f.event_count();
  std::vector<Push> first = f.TakePushes();
  REQUIRE(first.size() <= 2);
  REQUIRE_FALSE(first.empty());
  CHECK(first[0].again);
  CHECK(first[0].number == PushNumber(6));
  std::vector<int64_t> rest = f.PushFor(seconds(1));
  CHECK(first.size() + rest.size() == 5);
  CHECK(f.event_count() == before);  // They were recorded before.
  CHECK(f.PushFor(seconds(5)).empty());
}

TEST_CASE("what the broker has acknowledged is not sent again", "[pace]") {
  Fleet f(0);
  Crowd(f, 3);
  f.StartBatch();
  CHECK(f.TakePushes().size() == 3);
  f.Ok(AcknowledgePushes{PushNumber(3)});
  size_t before = f.event_count();
  f.Ok(AcknowledgePushes{PushNumber(2)});  // Late word.
  CHECK(f.event_count() == before);
  f.Restart();
  CHECK(f.PushFor(seconds(5)).empty());
}

TEST_CASE("a rate may be changed while the batch runs, not after", "[pace]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .push_per_minute = 10});
  size_t before = f.event_count();
  f.Ok(EditBatch{.batch = batch, .push_per_minute = 10});
  CHECK(f.event_count() == before);
  f.Ok(EditBatch{.batch = batch, .push_per_minute = 20, .tags = {{{"a", "b"}}}});
  f.Settled("dev-1");
  CHECK(f.Push().tags == Tags{{"a", "b"}});
  f.Refused(EditBatch{.batch = batch, .tags = {{{"a", "}"}}}}, refusal::kTagsInvalid);
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  f.Refused(EditBatch{.batch = batch, .push_per_minute = 10}, refusal::kBatchEnded);
  f.Refused(PauseBatch{batch}, refusal::kBatchEnded);
}

TEST_CASE("pausing twice is pausing once", "[pace]") {
  Fleet f;
  BatchId batch = f.StartBatch();
  f.Ok(ResumeBatch{batch});
  f.Ok(PauseBatch{batch});
  size_t before = f.event_count();
  f.Ok(PauseBatch{batch});
  CHECK(f.event_count() == before);
  f.Settled("dev-1");
  CHECK(f.TakePushes().empty());
  CHECK(f.TaskOf(batch, "dev-1").pending == PendingReason::kPaused);
  f.Refused(PauseBatch{BatchId(99)}, refusal::kUnknownBatch);
}

TEST_CASE("repeats keep to the pace that is set for them, whatever it is", "[pace]") {
  for (uint32_t rate : {300u, 700u, 1'500u, 4'000u}) {
    CAPTURE(rate);
    Fleet f(0, {.repeats_per_second = rate});
    const int devices = static_cast<int>(rate);
    f.CheckSeldom();
    f.RegisterMany(1, devices, "1.0.0");
    std::vector<Command> come, again;
    for (int i = 1; i <= devices; ++i) {
      come.push_back(ReportPresence{f.Device("dev-" + std::to_string(i)), true, 1, 1});
      again.push_back(ReportPresence{f.Device("dev-" + std::to_string(i)), true, 1, 2});
    }
    f.InOneTurn(come);
    f.Pass(milliseconds(kSettleMs));
    f.StartBatch();
    REQUIRE(f.TakePushes(10'000).size() == rate);
    f.InOneTurn(again);
    f.Pass(milliseconds(kSettleMs));
    std::vector<int64_t> times = f.PushFor(seconds(2));
    REQUIRE(times.size() == rate);
    CHECK(times.back() - times.front() >= 990);
    CHECK(times.back() - times.front() <= 1'010);
  }
}

TEST_CASE("a notice in doubt is sent again while others of its batch are being cancelled",
          "[pace]") {
  Fleet f(0);
  f.RegisterMany(1, 2'000, "1.0.0");
  f.Settled("dev-1");
  BatchId batch = f.StartBatch();
  REQUIRE(f.TakePushes().size() == 1);
  f.InOneTurn({CancelBatch{.batch = batch, .queued = true}});
  f.Restart();
  REQUIRE(f.world().batches()[batch].sweeping);
  f.core().BeginTurn(f.now_ms());
  std::vector<Push> again = f.core().TakePushes(10);
  REQUIRE(again.size() == 1);
  CHECK(again[0].again);
  f.core().EndTurn();
}

TEST_CASE("a difference in doubt is not sent again to a device that it no longer fits", "[pace]") {
  Fleet f(0);
  Crowd(f, 3);
  BatchId batch = f.StartBatch({.package = f.AddDiff("diff", "1.0.0", "2.0.0")});
  REQUIRE(f.TakePushes().size() == 3);
  f.Restart();
  REQUIRE(f.Report("dev-1", "1.1.0").ok());
  f.Ok(DisableDevice{f.Device("dev-2")});
  std::vector<int64_t> again = f.PushFor(seconds(5));
  CHECK(again.size() == 1);
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(f.StateOf(batch, "dev-2") == "NOTIFIED");
}

}  // namespace updraft
