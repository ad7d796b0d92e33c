#include "tests/fuzz/small_fleet.h"

#include "engine/intake.h"
#include "events/base/assert.h"
#include "projections/digest.h"

namespace updraft {

CreatePackage WinterPackage() {
  CreatePackage package;
  package.product_key = "a1pk";
  package.name = "winter";
  package.target_version = "2";
  package.needs_verification = false;
  package.file = "f00d";
  package.size_bytes = 1;
  package.md5 = std::string(16, 'm');
  package.sha256 = std::string(32, 's');
  return package;
}

SmallFleet::SmallFleet() {
  core_.BeginReign(now_ms_);
  Must(CreateProduct{.name = "lamp", .product_key = "a1pk"});
  Must(RegisterDevices{.product_key = "a1pk", .devices = {{.name = "dev1"}, {.name = "dev2"}}});
  Must(BrokerStarted{1});
  for (const char* name : {"dev1", "dev2"}) {
    DeviceRef device = {.product_key = "a1pk", .name = name};
    Must(ReportPresence{device, true, 1, 1});
    Must(ReportVersion{.device = device, .version = "1"});
  }
  Must(WinterPackage());
  CreateBatch batch;
  batch.product_key = "a1pk";
  batch.package = PackageId(1);
  batch.scope = Scope::kSpecific;
  batch.device_names = {"dev1", "dev2"};
  Must(batch);
}

void SmallFleet::Must(Command command) {
  Outcome outcome = Ask(std::move(command));
  Assert(outcome.ok(), "the fleet is made: {}", outcome.status.ToString());
}

Outcome SmallFleet::Ask(Command command) {
  FillIn(command);
  core_.BeginTurn(now_ms_);
  core_.RunAgenda();
  Outcome outcome = core_.Execute(command, KeyId());
  core_.EndTurn();
  return outcome;
}

std::vector<Push> SmallFleet::TakePushes(uint32_t max) {
  core_.BeginTurn(now_ms_);
  core_.RunAgenda();
  std::vector<Push> pushes = core_.TakePushes(max);
  core_.EndTurn();
  return pushes;
}

void SmallFleet::Check() const {
  Assert(world().digest() == world().ComputeDigest(), "the digest is that of the records");
}

}  // namespace updraft
