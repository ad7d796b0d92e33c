// All that is derived from records, from the records alone: what Evolve keeps true step by step.
// In the order of ids, as events named them.
#include "projections/evolution.h"

namespace updraft {

void Evolution::DeriveAll() {
  DeriveProducts();
  DeriveCalls();
  DeriveDevices();
  DeriveBatches();
  DeriveTasks();
}

void Evolution::DeriveProducts() {
  for (ProductId id(1); w_.products_.Has(id); id = ProductId(id.value() + 1)) {
    const Product& product = w_.products_[id];
    w_.product_index_.emplace_back();
    if (product.deleted) continue;
    w_.product_by_key_[product.key] = id;
    w_.product_by_name_[product.name] = id;
  }
  for (ModuleId id(1); w_.modules_.Has(id); id = ModuleId(id.value() + 1)) {
    w_.module_index_.emplace_back();
    ListModule(id);
  }
  for (VersionId id(1); w_.versions_.Has(id); id = VersionId(id.value() + 1)) {
    const Version& version = w_.versions_[id];
    w_.MutableIndexOf(version.product).versions[version.text] = id;
  }
  for (PackageId id(1); w_.packages_.Has(id); id = PackageId(id.value() + 1)) {
    w_.package_index_.emplace_back();
    if (!w_.packages_[id].deleted) CountPackage(id, 1);
  }
  for (KeyId id(1); w_.keys_.Has(id); id = KeyId(id.value() + 1)) {
    if (!w_.keys_[id].deleted) w_.key_by_access_key_id_[w_.keys_[id].access_key_id] = id;
  }
}

void Evolution::DeriveCalls() {
  for (const UsedToken& token : w_.used_tokens_) {
    w_.token_by_call_[{token.call_high, token.call_low}] = token.number;
  }
  for (RegistrationId id(1); w_.registrations_.Has(id); id = RegistrationId(id.value() + 1)) {
    w_.registration_by_application_[w_.registrations_[id].application] = id;
  }
}

void Evolution::DeriveDevices() {
  for (DeviceId id(1); w_.devices_.Has(id); id = DeviceId(id.value() + 1)) {
    const Device& device = w_.devices_[id];
    int in_class = device.deleted ? PagedIds<DeviceId, 1>::kNone : 0;
    w_.MutableIndexOf(device.product).devices.Append(id, in_class);
  }
  for (InstalledId id(1); w_.installed_.Has(id); id = InstalledId(id.value() + 1)) {
    const Installed& installed = w_.installed_[id];
    if (installed.version && !w_.devices_[installed.device].deleted) {
      CountInUse(installed.device, installed.module, installed.version, 1);
    }
  }
}

void Evolution::DeriveBatches() {
  for (BatchId id(1); w_.batches_.Has(id); id = BatchId(id.value() + 1)) {
    const Batch& batch = w_.batches_[id];
    w_.batch_index_.emplace_back();
    w_.MutableIndexOf(batch.package).batches.push_back(id);
    if (batch.dynamic && !batch.stopped) ListAsDynamic(id, true);
    NoteWork(id);
    ArmIfLive({batch.start_ms, TimerKind::kBatchStart, id.value()});
    ArmIfLive({batch.end_ms, TimerKind::kBatchEnd, id.value()});
  }
}

void Evolution::DeriveTasks() {
  for (TaskId id(1); w_.tasks_.Has(id); id = TaskId(id.value() + 1)) {
    const Task& task = w_.tasks_[id];
    TaskState state = task.state;
    w_.MutableIndexOf(task.batch).tasks.Append(id, static_cast<int>(state));
    if (!IsOpen(state)) continue;
    PlaceInReadySets(id);
    ArmIfLive({task.timeout_due, TimerKind::kTaskTimeout, id.value()});
    ArmIfLive({task.retry_due, TimerKind::kRetryDue, id.value()});
    int64_t settles = w_.devices_[task.device].presence_changed + kSettleMs;
    ArmIfLive({settles, TimerKind::kDeviceSettles, task.device.value()});
  }
}

void Evolution::ArmIfLive(const Timer& timer) {
  if (timer.due_ms != 0 && w_.IsLive(timer)) w_.agenda_.timers.Arm(timer);
}

}  // namespace updraft
