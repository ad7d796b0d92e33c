#include "projections/world.h"

#include <algorithm>
#include <limits>

#include "events/base/assert.h"

namespace updraft {
namespace {

template <class IdType, class V>
IdType Find(const V& map, std::string_view key) {
  auto it = map.find(key);
  return it == map.end() ? IdType() : it->second;
}

}  // namespace

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

World::World() = default;

ProductId World::FindProduct(std::string_view key) const {
  return Find<ProductId>(product_by_key_, key);
}
ProductId World::FindProductByName(std::string_view name) const {
  return Find<ProductId>(product_by_name_, name);
}
ModuleId World::FindModule(ProductId product, std::string_view name) const {
  return Find<ModuleId>(IndexOf(product).modules, LowerCase(name));
}
VersionId World::FindVersion(ProductId product, std::string_view text) const {
  return Find<VersionId>(IndexOf(product).versions, text);
}
PackageId World::FindPackageByName(std::string_view name) const {
  return Find<PackageId>(package_by_name_, name);
}
KeyId World::FindKey(std::string_view access_key_id) const {
  return Find<KeyId>(key_by_access_key_id_, access_key_id);
}

const UsedToken* World::FindToken(Fingerprint call, int64_t now_ms) const {
  auto it = token_by_call_.find(call);
  if (it == token_by_call_.end()) return nullptr;
  const UsedToken& token = used_tokens_[it->second - used_tokens_.front().number];
  return now_ms - token.used < kTokenKeptMs ? &token : nullptr;
}

RegistrationId World::FindRegistration(uint64_t application) const {
  auto it = registration_by_application_.find(application);
  return it == registration_by_application_.end() ? RegistrationId() : it->second;
}

RegistrationId World::RegistrationOf(DeviceId first) const {
  // They lie in the order of their devices.
  uint32_t low = 1;
  auto high = static_cast<uint32_t>(registrations_.size()) + 1;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (registrations_[RegistrationId(middle)].first < first) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  RegistrationId id(low);
  bool found = registrations_.Has(id) && registrations_[id].first == first;
  return found ? id : RegistrationId();
}

InstalledId World::FindInstalled(DeviceId device, ModuleId module) const {
  InstalledId id = devices_[device].newest_installed;
  while (id && installed_[id].module != module) id = installed_[id].older;
  return id;
}

VersionId World::VersionOf(DeviceId device, ModuleId module) const {
  InstalledId id = FindInstalled(device, module);
  return id ? installed_[id].version : VersionId();
}

DeviceId World::NextRunning(ModuleId module, std::span<const VersionId> versions,
                            DeviceId after) const {
  const auto& blocks = IndexOf(module).in_use_of_block;
  auto runs_one = [&](DeviceId id) {
    VersionId version = devices_[id].deleted ? VersionId() : VersionOf(id, module);
    return version && std::find(versions.begin(), versions.end(), version) != versions.end();
  };
  for (uint32_t at = after.value() + 1; devices_.Has(DeviceId(at));) {
    // The next block, this one included, in which somebody runs one of them.
    uint32_t block = UINT32_MAX;
    for (VersionId version : versions) {
      auto it = blocks.lower_bound({version, at / kVersionBlockDevices});
      if (it != blocks.end() && it->first.first == version) {
        block = std::min(block, it->first.second);
      }
    }
    if (block == UINT32_MAX) return DeviceId();
    at = std::max(at, block * kVersionBlockDevices);
    const uint32_t end = (block + 1) * kVersionBlockDevices;
    for (; at < end && devices_.Has(DeviceId(at)); ++at) {
      if (runs_one(DeviceId(at))) return DeviceId(at);
    }
  }
  return DeviceId();
}

TaskId World::OpenTask(DeviceId device, ModuleId module) const {
  InstalledId id = FindInstalled(device, module);
  return id ? installed_[id].open_task : TaskId();
}

bool World::HasOpenTask(DeviceId device) const {
  for (InstalledId id = devices_[device].newest_installed; id; id = installed_[id].older) {
    if (installed_[id].open_task) return true;
  }
  return false;
}

uint32_t World::OpenTasks(BatchId id) const {
  const auto& counts = IndexOf(id).tasks.counts();
  uint32_t open = 0;
  for (int state = 0; state < kTaskStateCount; ++state) {
    if (IsOpen(static_cast<TaskState>(state))) open += counts[state];
  }
  return open;
}

bool World::IsLive(const Timer& timer) const {
  switch (timer.kind) {
    case TimerKind::kBatchStart: {
      const Batch& batch = batches_[BatchId(timer.id)];
      return batch.status == BatchStatus::PLANNED && batch.start_ms == timer.due_ms;
    }
    case TimerKind::kBatchEnd: {
      const Batch& batch = batches_[BatchId(timer.id)];
      bool running =
          batch.status == BatchStatus::PLANNED || batch.status == BatchStatus::IN_PROGRESS;
      return running && batch.end_ms == timer.due_ms && !batch.sweep_by_schedule;
    }
    case TimerKind::kTaskTimeout: {
      const Task& task = tasks_[TaskId(timer.id)];
      return task.state == TaskState::IN_PROGRESS && task.timeout_due == timer.due_ms;
    }
    case TimerKind::kRetryDue: {
      const Task& task = tasks_[TaskId(timer.id)];
      return task.retry_waiting && task.retry_due == timer.due_ms;
    }
    case TimerKind::kDeviceSettles: {
      const Device& device = devices_[DeviceId(timer.id)];
      return IsOnline(DeviceId(timer.id)) && !device.settled &&
             device.presence_changed + kSettleMs == timer.due_ms;
    }
  }
  Unreachable();
}

// A few at a time: after a large batch there may be a million.
void World::DropStaleTimers() {
  constexpr int kAtOnce = 1'000;
  Timers& timers = agenda_.timers;
  for (int i = 0; i < kAtOnce && !timers.empty() && !IsLive(timers.top()); ++i) timers.Pop();
}

int64_t World::NextTimerDue() {
  DropStaleTimers();
  return agenda_.timers.empty() ? std::numeric_limits<int64_t>::max() : agenda_.timers.top().due_ms;
}

std::optional<Timer> World::TakeDueTimer(int64_t now_ms) {
  while (NextTimerDue() <= now_ms) {
    Timer timer = agenda_.timers.top();
    agenda_.timers.Pop();
    if (IsLive(timer)) return timer;
  }
  return std::nullopt;
}

// The k-th push of an anchor is due k intervals after it, each rounded up to whole milliseconds
// from the anchor on, so that rounding does not add up and `rate` pushes take 60 seconds exactly.
int64_t World::PaceDue(BatchId id) const {
  const Batch& batch = batches_[id];
  if (batch.push_per_minute == 0) return 0;
  int64_t rate = batch.push_per_minute;
  return batch.pace_anchor_ms + (int64_t{batch.pace_index} * 60'000 + rate - 1) / rate;
}

Digest World::ComputeDigest() const {
  Digest sum = DigestOf(1, globals_);
  auto add = [&](const auto& table) {
    using IdType = decltype(table.newest());
    for (uint32_t id = 1; id <= table.size(); ++id) sum.Add(DigestOf(id, table[IdType(id)]));
  };
  add(products_);
  add(modules_);
  add(versions_);
  add(devices_);
  add(installed_);
  add(packages_);
  add(batches_);
  add(tasks_);
  add(keys_);
  add(registrations_);
  for (const UsedToken& token : used_tokens_) sum.Add(DigestOf(token.number, token));
  for (const PushInDoubt& push : pushes_in_doubt_) sum.Add(DigestOf(push.number, push));
  return sum;
}

}  // namespace updraft
