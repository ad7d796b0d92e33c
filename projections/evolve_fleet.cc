// Products, modules, versions, devices, presence and keys.
#include <cstring>

#include "events/base/assert.h"
#include "projections/evolution.h"

namespace updraft {

void Evolution::On(events::ProductCreated::Reader event) {
  ProductId id = w_.products_.Add();
  Assert(id.value() == event.getProduct(), "products are numbered in the log's order");
  Set<&Product::key>(id, ToString(event.getProductKey()));
  Set<&Product::name>(id, ToString(event.getName()));
  Set<&Product::auth_type>(id, ToString(event.getAuthType()));
  Set<&Product::description>(id, ToString(event.getDescription()));
  Set<&Product::node_type>(id, event.getNodeType());
  Set<&Product::data_format>(id, event.getDataFormat());
  Set<&Product::created>(id, time_ms_);
  Set<&Product::modified>(id, time_ms_);
  w_.product_index_.emplace_back();
  w_.product_by_key_[w_.products_[id].key] = id;
  w_.product_by_name_[w_.products_[id].name] = id;
}

void Evolution::On(events::ProductUpdated::Reader event) {
  ProductId id(event.getProduct());
  w_.product_by_name_.erase(w_.products_[id].name);
  Set<&Product::name>(id, ToString(event.getName()));
  Set<&Product::description>(id, ToString(event.getDescription()));
  Set<&Product::dynamic_registration>(id, event.getDynamicRegistration());
  Set<&Product::modified>(id, time_ms_);
  w_.product_by_name_[w_.products_[id].name] = id;
}

void Evolution::On(events::ProductDeleted::Reader event) {
  ProductId id(event.getProduct());
  Set<&Product::deleted>(id, true);
  Set<&Product::modified>(id, time_ms_);
  w_.product_by_key_.erase(w_.products_[id].key);
  w_.product_by_name_.erase(w_.products_[id].name);
}

void Evolution::On(events::ModuleNamed::Reader event) {
  ModuleId id = w_.modules_.Add();
  ProductId product(event.getProduct());
  Assert(id.value() == event.getModule(), "modules are numbered in the log's order");
  Set<&Module::product>(id, product);
  Set<&Module::name>(id, ToString(event.getName()));
  w_.module_index_.emplace_back();
  ListModule(id);
  CountNaming(DeviceId(event.getDevice()));
}

void Evolution::ListModule(ModuleId id) {
  const Module& module = w_.modules_[id];
  ProductIndex& index = w_.MutableIndexOf(module.product);
  index.modules[LowerCase(module.name)] = id;
  index.module_list.push_back(id);
}

void Evolution::On(events::ModuleCreated::Reader event) {
  ModuleId id(event.getModule());
  Set<&Module::name>(id, ToString(event.getName()));
  Set<&Module::alias>(id, ToString(event.getAlias()));
  Set<&Module::description>(id, ToString(event.getDescription()));
  Set<&Module::registered>(id, true);
  Set<&Module::created>(id, time_ms_);
  Set<&Module::modified>(id, time_ms_);
}

void Evolution::On(events::ModuleUpdated::Reader event) {
  ModuleId id(event.getModule());
  Set<&Module::alias>(id, ToString(event.getAlias()));
  Set<&Module::description>(id, ToString(event.getDescription()));
  Set<&Module::modified>(id, time_ms_);
}

void Evolution::On(events::ModuleDeleted::Reader event) {
  ModuleId id(event.getModule());
  Set<&Module::registered>(id, false);
  Set<&Module::modified>(id, time_ms_);
}

void Evolution::On(events::VersionNamed::Reader event) {
  VersionId id = w_.versions_.Add();
  ProductId product(event.getProduct());
  Assert(id.value() == event.getVersion(), "versions are numbered in the log's order");
  Set<&Version::product>(id, product);
  Set<&Version::text>(id, ToString(event.getText()));
  w_.MutableIndexOf(product).versions[w_.versions_[id].text] = id;
  CountNaming(DeviceId(event.getDevice()));
}

void Evolution::CountNaming(DeviceId device) {
  if (!device) return;
  auto day = static_cast<uint16_t>(time_ms_ / 86'400'000);
  bool same_day = w_.devices_[device].naming_day == day;
  uint8_t count = same_day ? w_.devices_[device].naming_count : 0;
  Set<&Device::naming_day>(device, day);
  Set<&Device::naming_count>(device, static_cast<uint8_t>(count + 1));
}

void Evolution::On(events::DevicesRegistered::Reader event) {
  ProductId product(event.getProduct());
  capnp::Data::Reader commitments = event.getCommitments();
  constexpr size_t kCommitmentBytes = 16;
  for (size_t i = 0; i < commitments.size() / kCommitmentBytes; ++i) {
    DeviceId id = w_.devices_.Add();
    Assert(id.value() == event.getFirst() + i, "devices are numbered in the log's order");
    Set<&Device::product>(id, product);
    Set<&Device::created>(id, time_ms_);
    std::array<uint8_t, 8> head;
    std::memcpy(head.data(), commitments.begin() + i * kCommitmentBytes, head.size());
    Set<&Device::commitment>(id, head);
    w_.MutableIndexOf(product).devices.Append(id, 0);
  }
  if (event.getApplication() == 0) return;
  RegistrationId registration = w_.registrations_.Add();
  Set<&Registration::application>(registration, event.getApplication());
  Set<&Registration::first>(registration, DeviceId(event.getFirst()));
  Set<&Registration::count>(registration,
                            static_cast<uint32_t>(commitments.size() / kCommitmentBytes));
  w_.registration_by_application_[event.getApplication()] = registration;
}

void Evolution::On(events::DeviceUpdated::Reader event) {
  std::array<uint8_t, 8> head;
  std::memcpy(head.data(), event.getCommitment().begin(), head.size());
  Set<&Device::commitment>(DeviceId(event.getDevice()), head);
}

void Evolution::On(events::DeviceDeleted::Reader event) {
  DeviceId id(event.getDevice());
  const Device& device = w_.devices_[id];
  for (InstalledId i = device.newest_installed; i; i = w_.installed_[i].older) {
    const Installed& installed = w_.installed_[i];
    if (installed.version) CountInUse(id, installed.module, installed.version, -1);
  }
  w_.MutableIndexOf(device.product).devices.Move(id, 0, PagedIds<DeviceId, 1>::kNone);
  Set<&Device::deleted>(id, true);
  Set<&Device::connected_run>(id, 0u);
}

void Evolution::On(events::DeviceDisabled::Reader event) {
  DeviceId id(event.getDevice());
  Set<&Device::disabled>(id, true);
  PlaceOpenTasks(id);
}

void Evolution::On(events::DeviceEnabled::Reader event) {
  DeviceId id(event.getDevice());
  Set<&Device::disabled>(id, false);
  PlaceOpenTasks(id);
}

// Every device is offline from here on, and none of them is touched: a connection counts in its own
// run only.
void Evolution::On(events::BrokerEpochBegan::Reader event) {
  SetGlobal<&Globals::broker_epoch>(event.getEpoch());
  SetGlobal<&Globals::broker_run>(w_.globals_.broker_run + 1);
  for (BatchId batch : w_.agenda_.with_ready) {
    BatchIndex& index = w_.MutableIndexOf(batch);
    index.ready.Clear();
    index.repeats.Clear();
  }
  w_.agenda_.with_ready.clear();
}

void Evolution::MarkActive(DeviceId id) {
  if (w_.devices_[id].activated == 0) Set<&Device::activated>(id, time_ms_);
}

void Evolution::On(events::DeviceOnline::Reader event) {
  DeviceId id(event.getDevice());
  MarkActive(id);
  Set<&Device::generation>(id, event.getGeneration());
  Set<&Device::connected_run>(id, w_.globals_.broker_run);
  Set<&Device::presence_changed>(id, time_ms_);
  Set<&Device::settled>(id, false);
  bool waits = false;
  for (InstalledId i = w_.devices_[id].newest_installed; i; i = w_.installed_[i].older) {
    TaskId task = w_.installed_[i].open_task;
    if (!task) continue;
    waits = true;
    TaskState state = w_.tasks_[task].state;
    if (state == TaskState::NOTIFIED || state == TaskState::IN_PROGRESS) {
      Set<&Task::repeat_owed>(task, true);
    }
    PlaceInReadySets(task);
  }
  if (waits) {
    w_.agenda_.timers.Arm({time_ms_ + kSettleMs, TimerKind::kDeviceSettles, id.value()});
  }
}

void Evolution::On(events::DeviceOffline::Reader event) {
  DeviceId id(event.getDevice());
  Set<&Device::connected_run>(id, 0u);
  Set<&Device::presence_changed>(id, time_ms_);
  PlaceOpenTasks(id);
}

void Evolution::On(events::DeviceSettled::Reader event) {
  DeviceId id(event.getDevice());
  Set<&Device::settled>(id, true);
  PlaceOpenTasks(id);
}

void Evolution::On(events::VersionReported::Reader event) {
  DeviceId device(event.getDevice());
  MarkActive(device);
  SetVersion(device, ModuleId(event.getModule()), VersionId(event.getVersion()));
}

void Evolution::On(events::VersionsImported::Reader event) {
  for (uint32_t device : event.getDevices()) {
    SetVersion(DeviceId(device), ModuleId(event.getModule()), VersionId(event.getVersion()));
  }
}

void Evolution::SetVersion(DeviceId device, ModuleId module, VersionId version) {
  InstalledId id = FindOrAddInstalled(device, module);
  if (VersionId before = w_.installed_[id].version) CountInUse(device, module, before, -1);
  CountInUse(device, module, version, 1);
  Set<&Installed::version>(id, version);
}

void Evolution::CountInUse(DeviceId device, ModuleId module, VersionId version, int by) {
  ModuleIndex& index = w_.MutableIndexOf(module);
  index.devices += by;
  if ((index.in_use[version] += by) == 0) index.in_use.erase(version);
  std::pair block(version, device.value() / kVersionBlockDevices);
  if ((index.in_use_of_block[block] += by) == 0) index.in_use_of_block.erase(block);
}

InstalledId Evolution::FindOrAddInstalled(DeviceId device, ModuleId module) {
  if (InstalledId id = w_.FindInstalled(device, module)) return id;
  InstalledId id = w_.installed_.Add();
  Set<&Installed::device>(id, device);
  Set<&Installed::module>(id, module);
  Set<&Installed::older>(id, w_.devices_[device].newest_installed);
  Set<&Device::newest_installed>(device, id);
  return id;
}

void Evolution::On(events::KeyCreated::Reader event) {
  KeyId id = w_.keys_.Add();
  Assert(id.value() == event.getKey(), "keys are numbered in the log's order");
  Set<&Key::access_key_id>(id, ToString(event.getAccessKeyId()));
  Set<&Key::note>(id, ToString(event.getNote()));
  Set<&Key::formal>(id, event.getFormal());
  Set<&Key::enabled>(id, true);
  Set<&Key::created>(id, time_ms_);
  w_.key_by_access_key_id_[w_.keys_[id].access_key_id] = id;
}

void Evolution::On(events::KeyChanged::Reader event) {
  KeyId id(event.getKey());
  Set<&Key::formal>(id, event.getFormal());
  Set<&Key::enabled>(id, event.getEnabled());
}

void Evolution::On(events::KeyDeleted::Reader event) {
  KeyId id(event.getKey());
  Set<&Key::deleted>(id, true);
  Set<&Key::enabled>(id, false);
  w_.key_by_access_key_id_.erase(w_.keys_[id].access_key_id);
}

void Evolution::On(events::ClientTokenUsed::Reader event) {
  SetGlobal<&Globals::tokens>(w_.globals_.tokens + 1);
  UsedToken token;
  token.number = w_.globals_.tokens;
  token.call_high = event.getCallHigh();
  token.call_low = event.getCallLow();
  token.order_high = event.getOrderHigh();
  token.order_low = event.getOrderLow();
  token.creation = event.getCreation();
  token.first = event.getFirst();
  token.count = event.getCount();
  token.warning = ToString(event.getWarning());
  token.used = time_ms_;
  w_.digest_.Add(DigestOf(token.number, token));
  w_.token_by_call_[{token.call_high, token.call_low}] = token.number;
  w_.used_tokens_.push_back(std::move(token));
  // One comes and up to two go, so that no event pays for many that ran out together.
  for (int i = 0; i < 2; ++i) {
    bool ran_out = time_ms_ - w_.used_tokens_.front().used >= kTokenKeptMs;
    if (ran_out || w_.used_tokens_.size() > kTokensMax) DropOldestToken();
  }
}

void Evolution::DropOldestToken() {
  const UsedToken& token = w_.used_tokens_.front();
  auto it = w_.token_by_call_.find(Fingerprint{token.call_high, token.call_low});
  // The same token may have been used again since it ran out.
  if (it->second == token.number) w_.token_by_call_.erase(it);
  w_.digest_.Subtract(DigestOf(token.number, token));
  w_.used_tokens_.pop_front();
}

}  // namespace updraft
