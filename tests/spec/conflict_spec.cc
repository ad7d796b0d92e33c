// One open upgrade a device and module: keep the old one, or override it.
#include "tests/spec/spec.h"

namespace updraft {
namespace {

constexpr CreateBatch kOverriding = {.override_others = true};

BatchId Override(Fleet& f) {
  CreateBatch order = kOverriding;
  order.package = f.AddPackage("newer", "3.0.0");
  order.device_names = {"dev-1"};
  return f.StartBatch(order);
}

}  // namespace

TEST_CASE("a batch that keeps others fails at once on a busy device", "[conflict]") {
  Fleet f;
  BatchId old = f.StartBatch({.device_names = {"dev-1"}});
  auto state = GENERATE("QUEUED", "NOTIFIED", "IN_PROGRESS");
  f.BringTo(old, "dev-1", state);
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(f.TaskOf(batch, "dev-1").reason == "conflict");
  CHECK(f.StateOf(old, "dev-1") == state);
}

TEST_CASE("a batch that overrides cancels what is not upgrading", "[conflict]") {
  Fleet f;
  BatchId old = f.StartBatch({.device_names = {"dev-1"}});
  f.BringTo(old, "dev-1", GENERATE("QUEUED", "NOTIFIED"));
  BatchId batch = Override(f);
  CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
  CHECK(f.StateOf(old, "dev-1") == "CANCELED");
  CHECK(f.TaskOf(old, "dev-1").reason == "overridden");
  CHECK(f.StatusOf(old) == BatchStatus::COMPLETED);
}

TEST_CASE("a batch that overrides cancels what waits for confirmation", "[conflict]") {
  Fleet f;
  BatchId old = f.StartBatch({.device_names = {"dev-1"}, .need_confirm = true});
  BatchId batch = Override(f);
  CHECK(f.StateOf(old, "dev-1") == "CANCELED");
  CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
}

TEST_CASE("edge case 13: an upgrading device is never overridden, the new task fails",
          "[conflict]") {
  Fleet f;
  BatchId old = f.StartBatch({.device_names = {"dev-1"}});
  f.BringTo(old, "dev-1", "IN_PROGRESS");
  BatchId batch = Override(f);
  CHECK(f.StateOf(old, "dev-1") == "IN_PROGRESS");
  CHECK(f.TaskOf(batch, "dev-1").reason == "conflict");
}

TEST_CASE("a waiting retry counts by the state it shows", "[conflict]") {
  Fleet f;
  BatchId old = f.StartBatch({.source_versions = {"1.0.0"}, .retry_minutes = 10, .retry_count = 1});
  bool upgrading = GENERATE(false, true);
  f.BringTo(old, "dev-1", upgrading ? "IN_PROGRESS" : "NOTIFIED");
  REQUIRE(f.Progress("dev-1", -1).ok());
  BatchId batch = Override(f);
  CHECK(f.StateOf(old, "dev-1") == (upgrading ? "IN_PROGRESS" : "CANCELED"));
  CHECK(f.StateOf(batch, "dev-1") == (upgrading ? "FAILED" : "QUEUED"));
}

TEST_CASE("edge case 14: a device that acts on an overridden notice", "[conflict]") {
  Fleet f;
  BatchId old = f.StartBatch({.device_names = {"dev-1"}});
  f.BringTo(old, "dev-1", "NOTIFIED");
  BatchId batch = Override(f);
  SECTION("reporting the old target leaves the new task as it is") {
    REQUIRE(f.Report("dev-1", "2.0.0").ok());
    CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
  }
  SECTION("after progress, which counts for the new task, it is a wrong version") {
    REQUIRE(f.Progress("dev-1", 50).ok());
    CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
    REQUIRE(f.Report("dev-1", "2.0.0").ok());
    CHECK(f.TaskOf(batch, "dev-1").reason == "report version is not conform");
  }
  CHECK(f.StateOf(old, "dev-1") == "CANCELED");
}

TEST_CASE("edge case 15: an upgrade of another module is no conflict", "[conflict]") {
  Fleet f;
  f.StartBatch({.device_names = {"dev-1"}});
  f.Ok(CreateModule{.product_key = Fleet::kProductKey, .name = "mcu"});
  CreatePackage order = f.PackageOrder("mcu-package", "7");
  order.module = "mcu";
  PackageId package = std::get<CreatedPackage>(f.Ok(order).answer).package;
  BatchId batch = f.StartBatch({.package = package, .device_names = {"dev-1"}});
  CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
  REQUIRE(f.Report("dev-1", "7", "mcu").ok());
  CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
}

TEST_CASE("a due timeout frees the device before a new batch looks at it", "[conflict]") {
  Fleet f;
  BatchId old = f.StartBatch({.device_names = {"dev-1"}, .timeout_minutes = 1});
  f.BringTo(old, "dev-1", "IN_PROGRESS");
  f.PassAsleep(std::chrono::minutes(1));
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
}

TEST_CASE("several modules at a time and overriding do not go together", "[conflict]") {
  Fleet f;
  CreateBatch order = f.BatchOrder({.override_others = true, .multi_module = true});
  f.Refused(order, refusal::kOverrideNotWithMultiModule);
  order.override_others = false;
  f.Ok(order);
}

}  // namespace updraft
