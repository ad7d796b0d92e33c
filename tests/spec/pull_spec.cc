// A device asks for its upgrade.
#include "tests/spec/spec.h"

namespace updraft {

TEST_CASE("edge case 23: a device with nothing to upgrade is given nothing", "[pull]") {
  Fleet f;
  CHECK_FALSE(f.Pull("dev-1").has_value());
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  CHECK_FALSE(f.Pull("dev-1", "mcu").has_value());
  f.BringTo(batch, "dev-1", GENERATE("SUCCEEDED", "FAILED", "CANCELED"));
  CHECK_FALSE(f.Pull("dev-1").has_value());
  f.Refused(RequestPackage{f.Device("nobody")}, refusal::kUnknownDevice);
}

TEST_CASE("edge case 24: what waits for confirmation or its start is not there yet", "[pull]") {
  Fleet f;
  SECTION("confirmation") {
    f.StartBatch({.device_names = {"dev-1"}, .need_confirm = true});
    CHECK_FALSE(f.Pull("dev-1").has_value());
  }
  SECTION("start") {
    f.StartBatch({.device_names = {"dev-1"}, .start_ms = f.now_ms() + 300'000});
    f.Pass(std::chrono::milliseconds(299'999));
    CHECK_FALSE(f.Pull("dev-1").has_value());
    f.PassAsleep(std::chrono::milliseconds(1));
    CHECK(f.Pull("dev-1").has_value());
  }
}

TEST_CASE("a pull of what is pending counts as its push", "[pull]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  CHECK(f.Pull("dev-1")->batch == batch);
  CHECK(f.StateOf(batch, "dev-1") == "NOTIFIED");
  CHECK(f.TakePushes().empty());
}

TEST_CASE("edge case 26: a device whose link has expired asks for another; nothing changes",
          "[pull]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 1'440});
  f.BringTo(batch, "dev-1", GENERATE("NOTIFIED", "IN_PROGRESS"));
  size_t before = f.event_count();
  f.Pass(std::chrono::hours(23));
  CHECK(f.Pull("dev-1")->time_ms == f.now_ms());
  CHECK(f.event_count() == before);
}

TEST_CASE("a batch that does not push waits for its devices to ask", "[pull]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}, .need_push = false});
  CHECK(f.PushFor(std::chrono::hours(1)).empty());
  CHECK(f.TaskOf(batch, "dev-1").pending == PendingReason::kPull);
  CHECK(f.Pull("dev-1").has_value());
  f.Settled("dev-1");
  CHECK(f.PushFor(std::chrono::hours(1)).empty());
}

TEST_CASE("a paused batch gives nothing new, and again what it gave before", "[pull]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1", "dev-2"}});
  f.BringTo(batch, "dev-2", "NOTIFIED");
  f.Ok(PauseBatch{batch});
  CHECK_FALSE(f.Pull("dev-1").has_value());
  CHECK(f.Pull("dev-2").has_value());
}

TEST_CASE("a disabled device is given nothing", "[pull]") {
  Fleet f;
  f.StartBatch({.device_names = {"dev-1"}});
  f.Ok(DisableDevice{f.Device("dev-1")});
  CHECK_FALSE(f.Pull("dev-1").has_value());
  f.Ok(EnableDevice{f.Device("dev-1")});
  CHECK(f.Pull("dev-1").has_value());
}

}  // namespace updraft
