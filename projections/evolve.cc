#include "projections/evolve.h"

#include "events/base/assert.h"
#include "projections/evolution.h"
#include "projections/side_values.h"

namespace updraft {

void Evolve(World& world, Seq seq, int64_t time_ms, events::Event::Reader event) {
  Evolution(world, seq, time_ms).Apply(event);
}

void ApplySide(World& world, std::string_view key, const std::optional<std::string>& value) {
  DeviceId device = DeviceOfSideKey(key);
  if (!device || !world.devices_.Has(device)) return;
  ProductId product = world.devices_[device].product;
  world.names_.Erase(product, device);
  if (!value) return;
  std::optional<std::string_view> name = NameInDevicePrivate(*value);
  Assert(name.has_value(), "the sidecar's value of device {} was written by this engine", device);
  world.names_.Add(product, device, *name);
}

// No default: a kind of event that this forgot fails the build.
void Evolution::Apply(events::Event::Reader event) {
  using events::Event;
  switch (event.which()) {
    case Event::ENGINE_STARTED:
      return On(event.getEngineStarted());
    case Event::SCHEMA_RAISED:
      return On(event.getSchemaRaised());
    case Event::DIGEST_RECORDED:
      return On(event.getDigestRecorded());
    case Event::CLOCK_CONFIRMED:
      return On(event.getClockConfirmed());
    case Event::PRODUCT_CREATED:
      return On(event.getProductCreated());
    case Event::PRODUCT_UPDATED:
      return On(event.getProductUpdated());
    case Event::PRODUCT_DELETED:
      return On(event.getProductDeleted());
    case Event::MODULE_NAMED:
      return On(event.getModuleNamed());
    case Event::MODULE_CREATED:
      return On(event.getModuleCreated());
    case Event::MODULE_UPDATED:
      return On(event.getModuleUpdated());
    case Event::MODULE_DELETED:
      return On(event.getModuleDeleted());
    case Event::VERSION_NAMED:
      return On(event.getVersionNamed());
    case Event::DEVICES_REGISTERED:
      return On(event.getDevicesRegistered());
    case Event::DEVICE_UPDATED:
      return On(event.getDeviceUpdated());
    case Event::DEVICE_DELETED:
      return On(event.getDeviceDeleted());
    case Event::DEVICE_DISABLED:
      return On(event.getDeviceDisabled());
    case Event::DEVICE_ENABLED:
      return On(event.getDeviceEnabled());
    case Event::BROKER_EPOCH_BEGAN:
      return On(event.getBrokerEpochBegan());
    case Event::DEVICE_ONLINE:
      return On(event.getDeviceOnline());
    case Event::DEVICE_OFFLINE:
      return On(event.getDeviceOffline());
    case Event::DEVICE_SETTLED:
      return On(event.getDeviceSettled());
    case Event::VERSION_REPORTED:
      return On(event.getVersionReported());
    case Event::KEY_CREATED:
      return On(event.getKeyCreated());
    case Event::KEY_CHANGED:
      return On(event.getKeyChanged());
    case Event::KEY_DELETED:
      return On(event.getKeyDeleted());
    case Event::PACKAGE_CREATED:
      return On(event.getPackageCreated());
    case Event::PACKAGE_STATUS_CHANGED:
      return On(event.getPackageStatusChanged());
    case Event::PACKAGE_DELETED:
      return On(event.getPackageDeleted());
    case Event::BATCH_CREATED:
      return On(event.getBatchCreated());
    case Event::GRAY_CUT:
      return On(event.getGrayCut());
    case Event::TARGETS_CHOSEN:
      return On(event.getTargetsChosen());
    case Event::BATCH_STARTED:
      return On(event.getBatchStarted());
    case Event::BATCH_EDITED:
      return On(event.getBatchEdited());
    case Event::BATCH_PAUSED:
      return On(event.getBatchPaused());
    case Event::BATCH_RESUMED:
      return On(event.getBatchResumed());
    case Event::BATCH_STOPPED:
      return On(event.getBatchStopped());
    case Event::SWEEP_BEGAN:
      return On(event.getSweepBegan());
    case Event::SWEEP_ENDED:
      return On(event.getSweepEnded());
    case Event::BATCH_ENDED:
      return On(event.getBatchEnded());
    case Event::BATCH_REOPENED:
      return On(event.getBatchReopened());
    case Event::TASK_PUSHED:
      return On(event.getTaskPushed());
    case Event::TASK_PULLED:
      return On(event.getTaskPulled());
    case Event::PUSHES_ACKNOWLEDGED:
      return On(event.getPushesAcknowledged());
    case Event::UPGRADE_BEGAN:
      return On(event.getUpgradeBegan());
    case Event::PROGRESS_REPORTED:
      return On(event.getProgressReported());
    case Event::RETRY_PLANNED:
      return On(event.getRetryPlanned());
    case Event::RETRY_CAME_DUE:
      return On(event.getRetryCameDue());
    case Event::FAILURE_NOTED:
      return On(event.getFailureNoted());
    case Event::SOURCE_LEARNED:
      return On(event.getSourceLearned());
    case Event::TASK_SUCCEEDED:
      return On(event.getTaskSucceeded());
    case Event::TASK_FAILED:
      return On(event.getTaskFailed());
    case Event::TASKS_CANCELED:
      return On(event.getTasksCanceled());
    case Event::TASK_CONFIRMED:
      return On(event.getTaskConfirmed());
    case Event::TASK_REOPENED:
      return On(event.getTaskReopened());
    case Event::CLIENT_TOKEN_USED:
      return On(event.getClientTokenUsed());
    case Event::VERSIONS_IMPORTED:
      return On(event.getVersionsImported());
  }
  Unreachable();
}

void Evolution::On(events::SchemaRaised::Reader event) {
  SetGlobal<&Globals::schema_version>(event.getVersion());
}

void Evolution::On(events::ClockConfirmed::Reader) {
  SetGlobal<&Globals::clock_confirmed_ms>(time_ms_);
}

}  // namespace updraft
