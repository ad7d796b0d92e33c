// Verification: a package proves itself on a few devices before many get it.
#include "tests/spec/spec.h"

namespace updraft {
namespace {

PackageId Unverified(Fleet& f) {
  CreatePackage order = f.PackageOrder("unverified", "3.0.0");
  order.needs_verification = true;
  return std::get<CreatedPackage>(f.Ok(order).answer).package;
}

PackageStatus StatusOf(const Fleet& f, PackageId package) {
  return f.world().packages()[package].status;
}

CreateBatch Verification(PackageId package, std::vector<std::string> names) {
  return {.package = package, .verification = true, .device_names = std::move(names)};
}

void Succeed(Fleet& f, std::string_view name) { REQUIRE(f.Report(name, "3.0.0").ok()); }

}  // namespace

TEST_CASE("a package that needs verification is refused for batches before", "[verification]") {
  Fleet f;
  PackageId package = Unverified(f);
  CHECK(StatusOf(f, package) == PackageStatus::UNVERIFIED);
  f.Refused(f.BatchOrder({.package = package}), refusal::kPackageNotVerified);
  f.StartBatch(Verification(package, {"dev-1"}));
  f.Refused(f.BatchOrder({.package = package}), refusal::kPackageNotVerified);
}

TEST_CASE("a package is verified when every device of its verification succeeds",
          "[verification]") {
  Fleet f;
  PackageId package = Unverified(f);
  f.StartBatch(Verification(package, {"dev-1", "dev-2"}));
  CHECK(StatusOf(f, package) == PackageStatus::VERIFYING);
  Succeed(f, "dev-1");
  CHECK(StatusOf(f, package) == PackageStatus::VERIFYING);
  Succeed(f, "dev-2");
  CHECK(StatusOf(f, package) == PackageStatus::VERIFIED);
  f.StartBatch({.package = package});
}

TEST_CASE("edge case 37: of three devices two succeed and one is cancelled: not verified",
          "[verification]") {
  Fleet f;
  PackageId package = Unverified(f);
  BatchId batch = f.StartBatch(Verification(package, {"dev-1", "dev-2", "dev-3"}));
  Succeed(f, "dev-1");
  Succeed(f, "dev-2");
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  CHECK(StatusOf(f, package) == PackageStatus::FAILED);
  f.Refused(f.BatchOrder({.package = package}), refusal::kPackageNotVerified);
}

TEST_CASE("a verification takes 1 to 10 named devices", "[verification]") {
  Fleet f(11);
  PackageId package = Unverified(f);
  std::vector<std::string> names;
  for (int i = 1; i <= 11; ++i) names.push_back("dev-" + std::to_string(i));
  f.Refused(f.BatchOrder(Verification(package, names)), refusal::kTooManyTargets);
  f.Refused(f.BatchOrder(Verification(package, {})), refusal::kTargetsMissing);
  names.pop_back();
  BatchId batch = f.StartBatch(Verification(package, names));
  CHECK(f.Counts(batch) == "QUEUED 10");
}

TEST_CASE("a package being verified or verified is not verified again, a failed one may be",
          "[verification]") {
  Fleet f;
  PackageId package = Unverified(f);
  BatchId batch = f.StartBatch(Verification(package, {"dev-1"}));
  f.Refused(f.BatchOrder(Verification(package, {"dev-2"})), refusal::kVerificationRunning);
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  CHECK(StatusOf(f, package) == PackageStatus::FAILED);
  f.StartBatch(Verification(package, {"dev-2"}));
  Succeed(f, "dev-2");
  CHECK(StatusOf(f, package) == PackageStatus::VERIFIED);
  f.Refused(f.BatchOrder(Verification(package, {"dev-3"})), refusal::kAlreadyVerified);
}

TEST_CASE("a package that needs no verification may be verified and its status stays",
          "[verification]") {
  Fleet f;
  BatchId batch = f.StartBatch(Verification(f.package(), {"dev-1"}));
  CHECK(StatusOf(f, f.package()) == PackageStatus::NEEDS_NONE);
  SECTION("it succeeds") { f.BringTo(batch, "dev-1", "SUCCEEDED"); }
  SECTION("it fails") { f.BringTo(batch, "dev-1", "FAILED"); }
  CHECK(StatusOf(f, f.package()) == PackageStatus::NEEDS_NONE);
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
  f.StartBatch({.device_names = {"dev-2"}});
}

TEST_CASE("a failed verification is judged again when its failed device is upgraded again",
          "[verification]") {
  Fleet f;
  PackageId package = Unverified(f);
  BatchId batch = f.StartBatch(Verification(package, {"dev-1", "dev-2"}));
  Succeed(f, "dev-1");
  f.BringTo(batch, "dev-2", "FAILED");
  CHECK(StatusOf(f, package) == PackageStatus::FAILED);
  f.Ok(ReupgradeTasks{batch, {f.TaskOf(batch, "dev-2").task}});
  CHECK(StatusOf(f, package) == PackageStatus::VERIFYING);
  CHECK(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
  Succeed(f, "dev-2");
  CHECK(StatusOf(f, package) == PackageStatus::VERIFIED);
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
}

TEST_CASE("an older verification upgraded again does not unsay a newer one", "[verification]") {
  Fleet f;
  PackageId package = Unverified(f);
  BatchId old = f.StartBatch(Verification(package, {"dev-1"}));
  f.BringTo(old, "dev-1", "FAILED");
  f.StartBatch(Verification(package, {"dev-2"}));
  Succeed(f, "dev-2");
  REQUIRE(StatusOf(f, package) == PackageStatus::VERIFIED);
  f.Ok(ReupgradeTasks{old, {f.TaskOf(old, "dev-1").task}});
  CHECK(StatusOf(f, package) == PackageStatus::VERIFIED);
}

TEST_CASE("a verification whose device is busy fails, its batch is over", "[verification]") {
  Fleet f;
  f.StartBatch({.device_names = {"dev-1"}});
  PackageId package = Unverified(f);
  // A verification never overrides, whatever is asked.
  CreateBatch order = Verification(package, {"dev-1"});
  order.override_others = true;
  BatchId batch = f.StartBatch(order);
  CHECK(f.Counts(batch) == "FAILED 1");
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
  CHECK(StatusOf(f, package) == PackageStatus::FAILED);
}

TEST_CASE("a verification times out after the configured default, a day if nothing is said",
          "[verification]") {
  SECTION("a day") {
    Fleet f;
    BatchId batch = f.StartBatch(Verification(f.package(), {"dev-1"}));
    f.BringTo(batch, "dev-1", "IN_PROGRESS");
    f.Pass(std::chrono::minutes(1'440) - std::chrono::milliseconds(1));
    CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
    f.Pass(std::chrono::milliseconds(1));
    CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  }
  SECTION("as configured, unless the order says otherwise") {
    Fleet f(2, {.verification_timeout_minutes = 20});
    BatchId batch = f.StartBatch(Verification(f.package(), {"dev-1"}));
    CreateBatch order = Verification(f.package(), {"dev-2"});
    order.timeout_minutes = 5;
    BatchId shorter = f.StartBatch(order);
    CHECK(f.world().batches()[batch].timeout_minutes == 20);
    CHECK(f.world().batches()[shorter].timeout_minutes == 5);
  }
}

TEST_CASE("a verification pushes without a pace", "[verification]") {
  Fleet f(4);
  for (auto name : {"dev-1", "dev-2", "dev-3"}) f.Settled(name);
  CreateBatch order = Verification(f.package(), {"dev-1", "dev-2", "dev-3"});
  order.push_per_minute = 10;
  f.StartBatch(order);
  CHECK(f.TakePushes().size() == 3);
}

TEST_CASE("a verification of devices that all run the target is refused", "[verification]") {
  Fleet f;
  PackageId package = Unverified(f);
  REQUIRE(f.Report("dev-1", "3.0.0").ok());
  f.Refused(f.BatchOrder(Verification(package, {"dev-1"})), refusal::kNoDeviceCanUpgrade);
  CHECK(StatusOf(f, package) == PackageStatus::UNVERIFIED);
}

TEST_CASE("deleting a device of a verification decides it", "[verification]") {
  Fleet f;
  PackageId package = Unverified(f);
  f.StartBatch(Verification(package, {"dev-1"}));
  f.Ok(DeleteDevice{f.Device("dev-1")});
  CHECK(StatusOf(f, package) == PackageStatus::FAILED);
}

}  // namespace updraft
