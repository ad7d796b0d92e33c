// Cancelling a batch's tasks, or some devices'.
#include "tests/spec/spec.h"

namespace updraft {
namespace {

// dev-1 pending, dev-2 pushed, dev-3 upgrading, dev-4 to be confirmed.
BatchId StartMixed(Fleet& f) {
  BatchId batch =
      f.StartBatch({.device_names = {"dev-1", "dev-2", "dev-3", "dev-4"}, .need_confirm = true});
  f.BringTo(batch, "dev-1", "QUEUED");
  f.BringTo(batch, "dev-2", "NOTIFIED");
  f.BringTo(batch, "dev-3", "IN_PROGRESS");
  return batch;
}

}  // namespace

TEST_CASE("edge case 35: cancelling needs to be told what", "[cancel]") {
  Fleet f;
  BatchId batch = f.StartBatch();
  f.Refused(CancelBatch{.batch = batch}, refusal::kCancelOptionMissing);
  f.Refused(CancelBatch{.batch = batch, .unconfirmed = false}, refusal::kCancelOptionMissing);
  f.Refused(CancelBatch{.batch = BatchId(9), .queued = true}, refusal::kUnknownBatch);
}

TEST_CASE("each option cancels the tasks of its state", "[cancel]") {
  Fleet f;
  BatchId batch = StartMixed(f);
  SECTION("pending, and with them what is not confirmed") {
    f.Ok(CancelBatch{.batch = batch, .queued = true});
    CHECK(f.Counts(batch) == "NOTIFIED 1 IN_PROGRESS 1 CANCELED 2");
  }
  SECTION("pending, but not what is not confirmed") {
    f.Ok(CancelBatch{.batch = batch, .queued = true, .unconfirmed = false});
    CHECK(f.Counts(batch) == "CONFIRM 1 NOTIFIED 1 IN_PROGRESS 1 CANCELED 1");
  }
  SECTION("not confirmed") {
    f.Ok(CancelBatch{.batch = batch, .unconfirmed = true});
    CHECK(f.Counts(batch) == "QUEUED 1 NOTIFIED 1 IN_PROGRESS 1 CANCELED 1");
  }
  SECTION("pushed") {
    f.Ok(CancelBatch{.batch = batch, .notified = true});
    CHECK(f.Counts(batch) == "CONFIRM 1 QUEUED 1 IN_PROGRESS 1 CANCELED 1");
  }
  SECTION("upgrading") {
    f.Ok(CancelBatch{.batch = batch, .in_progress = true});
    CHECK(f.Counts(batch) == "CONFIRM 1 QUEUED 1 NOTIFIED 1 CANCELED 1");
  }
  CHECK(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
}

TEST_CASE("a batch whose last open task is cancelled with it is cancelled", "[cancel]") {
  Fleet f;
  BatchId batch = StartMixed(f);
  f.Ok(CancelBatch{.batch = batch, .queued = true, .notified = true, .in_progress = true});
  CHECK(f.Counts(batch) == "CANCELED 4");
  CHECK(f.TaskOf(batch, "dev-3").reason == "cancelled by user");
  CHECK(f.StatusOf(batch) == BatchStatus::CANCELED);
  f.Refused(CancelBatch{.batch = batch, .queued = true}, refusal::kAlreadyCanceled);
}

TEST_CASE("a batch whose devices were cancelled one by one is complete", "[cancel]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1", "dev-2"}});
  f.Ok(CancelDevices{f.package(), Fleet::kProductKey, {"dev-1"}});
  CHECK(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
  f.Ok(CancelDevices{f.package(), Fleet::kProductKey, {"dev-2"}});
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
}

TEST_CASE("cancelling what is not there changes nothing", "[cancel]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  size_t before = f.event_count();
  f.Ok(CancelBatch{.batch = batch, .notified = true});
  f.Ok(CancelBatch{.batch = batch, .unconfirmed = true});
  CHECK(f.event_count() == before);
  f.BringTo(batch, "dev-1", "SUCCEEDED");
  before = f.event_count();
  f.Ok(CancelBatch{.batch = batch, .queued = true, .notified = true, .in_progress = true});
  CHECK(f.event_count() == before);
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
}

TEST_CASE("the schedule of a batch can be cancelled before its start", "[cancel]") {
  Fleet f;
  BatchId batch = f.StartBatch({.start_ms = f.now_ms() + 600'000, .need_confirm = true});
  f.Ok(CancelBatch{.batch = batch, .scheduled = true});
  CHECK(f.Counts(batch) == "CANCELED 4");
  CHECK(f.StatusOf(batch) == BatchStatus::CANCELED);
  f.Pass(std::chrono::hours(1));
  CHECK(f.StatusOf(batch) == BatchStatus::CANCELED);
}

TEST_CASE("when a scheduled batch has started there is no schedule left to cancel", "[cancel]") {
  Fleet f;
  BatchId batch = f.StartBatch({.start_ms = f.now_ms() + 600'000});
  f.Pass(std::chrono::minutes(10));
  size_t before = f.event_count();
  f.Ok(CancelBatch{.batch = batch, .scheduled = true});
  CHECK(f.event_count() == before);
  CHECK(f.Counts(batch) == "QUEUED 4");
  f.Refused(CancelBatch{.batch = f.StartBatch(), .scheduled = true}, refusal::kNotScheduled);
}

TEST_CASE("edge case 36: a cancelled device that reports the target stays cancelled", "[cancel]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  f.Ok(CancelBatch{.batch = batch, .in_progress = true});
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "CANCELED");
  CHECK(f.Then() == std::vector<std::string>{"versionReported"});
}

TEST_CASE("up to 200 devices of a package are cancelled by name, in every open state", "[cancel]") {
  Fleet f;
  BatchId batch = StartMixed(f);
  f.Ok(CancelDevices{f.package(), Fleet::kProductKey, {"dev-1", "dev-2", "dev-3", "dev-4"}});
  CHECK(f.Counts(batch) == "CANCELED 4");
  Fleet g(0);
  g.CheckSeldom();
  g.RegisterMany(1, 201);
  BatchId large = g.StartBatch();
  CancelDevices order{g.package(), Fleet::kProductKey, {}};
  g.Refused(order, refusal::kTooManyTargets);
  for (int i = 1; i <= 201; ++i) order.device_names.push_back("dev-" + std::to_string(i));
  g.Refused(order, refusal::kTooManyTargets);
  order.device_names.pop_back();
  g.Ok(order);
  CHECK(g.Counts(large) == "QUEUED 1 CANCELED 200");
}

TEST_CASE("cancelling by name is all or nothing, and again is nothing", "[cancel]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1", "dev-2"}});
  auto cancel = [&](std::vector<std::string> names) {
    return CancelDevices{f.package(), Fleet::kProductKey, std::move(names), batch};
  };
  f.Refused(cancel({"dev-1", "dev-1"}), refusal::kDuplicateDevice);
  f.Refused(cancel({"dev-1", "nobody"}), refusal::kUnknownDevice);
  f.Refused(cancel({"dev-1", "dev-3"}), refusal::kNoSuchUpgrade);
  f.BringTo(batch, "dev-2", "SUCCEEDED");
  f.Refused(cancel({"dev-1", "dev-2"}), refusal::kWrongTaskState);
  f.Ok(cancel({"dev-1"}));
  size_t before = f.event_count();
  f.Ok(cancel({"dev-1"}));
  CHECK(f.event_count() == before);
}

TEST_CASE("the open upgrade of a device is found behind a newer one that failed", "[cancel]") {
  Fleet f;
  BatchId open = f.StartBatch({.device_names = {"dev-1"}});
  BatchId failed = f.StartBatch({.device_names = {"dev-1"}});
  REQUIRE(f.StateOf(failed, "dev-1") == "FAILED");
  f.Ok(CancelDevices{f.package(), Fleet::kProductKey, {"dev-1"}});
  CHECK(f.StateOf(open, "dev-1") == "CANCELED");
  CHECK(f.StateOf(failed, "dev-1") == "FAILED");
}

TEST_CASE("a user's cancelling during a scheduled end does not change its cause", "[cancel]") {
  Fleet f(0);
  f.CheckSeldom();
  f.RegisterMany(1, 12'000, "1.0.0");
  BatchId batch =
      f.StartBatch({.start_ms = f.now_ms() + 600'000, .end_ms = f.now_ms() + 600'000 + 3'600'000});
  f.Pass(std::chrono::minutes(10));
  f.PassAsleep(std::chrono::hours(1));
  f.OneTurn();
  REQUIRE(f.world().batches()[batch].sweeping);
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  CHECK(f.Counts(batch) == "CANCELED 12000");
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
  CHECK(f.TaskOf(batch, "dev-12000").reason == "schedule finished");
}

}  // namespace updraft
