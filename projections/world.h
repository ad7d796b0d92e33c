// The world: all that is true according to the events so far. Records (records.h), what is derived
// from them for look-up (indexes here, agenda.h), names beside them (names.h), and the digest.
//
// It changes only by Evolve (evolve.h) and ApplySide. It asks no clock and does no I/O. Nothing
// here walks a hash map.
//
// Thread-safety: none; it belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include "events/base/bytes.h"
#include "events/log/event_log.h"
#include "projections/agenda.h"
#include "projections/digest.h"
#include "projections/id_set.h"
#include "projections/names.h"
#include "projections/paged_ids.h"
#include "projections/records.h"
#include "projections/table.h"

namespace updraft {

// The name of the module that every product has.
inline constexpr std::string_view kDefaultModule = "default";

// How long a device is left alone after it connected, unless it reports before: one that has just
// upgraded gets the time to say so.
inline constexpr int64_t kSettleMs = 2'000;

// How long a creating call may be sent again by its token, and how many are kept: of more, the
// oldest goes before its time.
inline constexpr int64_t kTokenKeptMs = int64_t{24} * 3'600'000;
inline constexpr size_t kTokensMax = 100'000;

// A string map that is asked with views. (Debian's absl has a string_view of its own.)
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <class V>
using StringMap = absl::flat_hash_map<std::string, V, StringHash, std::equal_to<>>;

struct ProductIndex {
  StringMap<ModuleId> modules;  // By name in lower case.
  std::vector<ModuleId> module_list;
  StringMap<VersionId> versions;
  PagedIds<DeviceId, 1> devices;  // Those not deleted.
  uint32_t packages = 0;
};

// Devices whose ids have the same quotient by this are a block.
inline constexpr uint32_t kVersionBlockDevices = 256;

struct ModuleIndex {
  absl::btree_map<VersionId, uint32_t> in_use;  // Devices by the version they run.
  // The same by block: who looks for a version passes over blocks where nobody runs it. A block
  // with one version takes about six bytes, which is next to nothing a device.
  absl::btree_map<std::pair<VersionId, uint32_t>, uint16_t> in_use_of_block;
  uint32_t devices = 0;  // Their sum.
  uint32_t packages = 0;
  // Dynamic batches that still take devices, by the version that they start from, oldest first.
  absl::btree_map<VersionId, std::vector<BatchId>> dynamic;
};

struct PackageIndex {
  std::vector<BatchId> batches;
};

struct BatchIndex {
  PagedIds<TaskId, kTaskStateCount> tasks;
  // Tasks whose device is there and settled and who wait for nothing but the batch's turn.
  IdSet<TaskId> ready;    // First and retry notices: paced.
  IdSet<TaskId> repeats;  // For devices that came back.
};

class World {
 public:
  World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const Table<ProductId, Product>& products() const { return products_; }
  const Table<ModuleId, Module>& modules() const { return modules_; }
  const Table<VersionId, Version>& versions() const { return versions_; }
  const Table<DeviceId, Device>& devices() const { return devices_; }
  const Table<InstalledId, Installed>& installed() const { return installed_; }
  const Table<PackageId, Package>& packages() const { return packages_; }
  const Table<BatchId, Batch>& batches() const { return batches_; }
  const Table<TaskId, Task>& tasks() const { return tasks_; }
  const Table<KeyId, Key>& keys() const { return keys_; }
  const Globals& globals() const { return globals_; }
  const std::deque<PushInDoubt>& pushes_in_doubt() const { return pushes_in_doubt_; }
  const std::deque<UsedToken>& used_tokens() const { return used_tokens_; }
  const Table<RegistrationId, Registration>& registrations() const { return registrations_; }

  const DeviceNames& names() const { return names_; }
  const Agenda& agenda() const { return agenda_; }
  const Digest& digest() const { return digest_; }
  // Worked out anew from every record; equals digest() or there is a bug.
  Digest ComputeDigest() const;

  // Look-ups; an id of 0 when there is none. Deleted products, packages and keys are not found.
  ProductId FindProduct(std::string_view key) const;
  ProductId FindProductByName(std::string_view name) const;
  // A module of any report or operator; names differ by more than case.
  ModuleId FindModule(ProductId product, std::string_view name) const;
  VersionId FindVersion(ProductId product, std::string_view text) const;
  PackageId FindPackageByName(std::string_view name) const;
  KeyId FindKey(std::string_view access_key_id) const;
  // The last call of that fingerprint, if it is kept and was less than kTokenKeptMs ago.
  const UsedToken* FindToken(Fingerprint call, int64_t now_ms) const;
  RegistrationId FindRegistration(uint64_t application) const;
  // Of a device that was applied for with others.
  RegistrationId RegistrationOf(DeviceId first) const;
  InstalledId FindInstalled(DeviceId device, ModuleId module) const;
  // 0 also when the module is not installed or its version was never reported.
  VersionId VersionOf(DeviceId device, ModuleId module) const;
  // The first device after `after` that runs one of these versions of the module, of those not
  // deleted; 0 when there is none. Costs a block's devices at most for each that it finds.
  DeviceId NextRunning(ModuleId module, std::span<const VersionId> versions, DeviceId after) const;
  TaskId OpenTask(DeviceId device, ModuleId module) const;

  const ProductIndex& IndexOf(ProductId id) const { return At(product_index_, id); }
  const ModuleIndex& IndexOf(ModuleId id) const { return At(module_index_, id); }
  const PackageIndex& IndexOf(PackageId id) const { return At(package_index_, id); }
  const BatchIndex& IndexOf(BatchId id) const { return At(batch_index_, id); }

  bool IsOnline(DeviceId id) const {
    const Device& device = devices_[id];
    return device.connected_run != 0 && device.connected_run == globals_.broker_run;
  }
  bool HasOpenTask(DeviceId id) const;
  uint32_t OpenTasks(BatchId id) const;
  ModuleId ModuleOf(BatchId id) const { return packages_[batches_[id].package].module; }
  ProductId ProductOf(BatchId id) const { return modules_[ModuleOf(id)].product; }

  // Whether the record still waits for this timer.
  bool IsLive(const Timer& timer) const;
  // The next timer that a record waits for and that is due, taken off the agenda.
  std::optional<Timer> TakeDueTimer(int64_t now_ms);
  // When the next timer is due, or one that nobody waits for any more; the far future when there is
  // none.
  int64_t NextTimerDue();
  // When the batch's next counted push is due, at the earliest.
  int64_t PaceDue(BatchId id) const;

 private:
  friend class Evolution;
  friend class SavedWorld;
  friend void ApplySide(World&, std::string_view, const std::optional<std::string>&);

  void DropStaleTimers();

  template <class Index, class Id>
  static const Index& At(const std::deque<Index>& indexes, Id id) {
    Assert(id && id.value() <= indexes.size(), "id {} of {} indexes", id, indexes.size());
    return indexes[id.value() - 1];
  }
  template <class Id>
  auto& MutableIndexOf(Id id) {
    auto& index = std::as_const(*this).IndexOf(id);
    return const_cast<std::remove_cvref_t<decltype(index)>&>(index);
  }

  Table<ProductId, Product>& Of(Product*) { return products_; }
  Table<ModuleId, Module>& Of(Module*) { return modules_; }
  Table<VersionId, Version>& Of(Version*) { return versions_; }
  Table<DeviceId, Device>& Of(Device*) { return devices_; }
  Table<InstalledId, Installed>& Of(Installed*) { return installed_; }
  Table<PackageId, Package>& Of(Package*) { return packages_; }
  Table<BatchId, Batch>& Of(Batch*) { return batches_; }
  Table<TaskId, Task>& Of(Task*) { return tasks_; }
  Table<KeyId, Key>& Of(Key*) { return keys_; }
  Table<RegistrationId, Registration>& Of(Registration*) { return registrations_; }

  Table<ProductId, Product> products_;
  Table<ModuleId, Module> modules_;
  Table<VersionId, Version> versions_;
  Table<DeviceId, Device> devices_;
  Table<InstalledId, Installed> installed_;
  Table<PackageId, Package> packages_;
  Table<BatchId, Batch> batches_;
  Table<TaskId, Task> tasks_;
  Table<KeyId, Key> keys_;
  Globals globals_;
  std::deque<PushInDoubt> pushes_in_doubt_;
  std::deque<UsedToken> used_tokens_;  // Numbered without a gap.
  Table<RegistrationId, Registration> registrations_;
  Digest digest_;

  DeviceNames names_;
  Agenda agenda_;
  StringMap<ProductId> product_by_key_;
  StringMap<ProductId> product_by_name_;
  StringMap<PackageId> package_by_name_;
  StringMap<KeyId> key_by_access_key_id_;
  absl::btree_map<Fingerprint, uint64_t> token_by_call_;
  absl::btree_map<uint64_t, RegistrationId> registration_by_application_;
  std::deque<ProductIndex> product_index_;
  std::deque<ModuleIndex> module_index_;
  std::deque<PackageIndex> package_index_;
  std::deque<BatchIndex> batch_index_;
};

inline bool IsOpen(TaskState state) {
  return state == TaskState::CONFIRM || state == TaskState::QUEUED ||
         state == TaskState::NOTIFIED || state == TaskState::IN_PROGRESS;
}

// ASCII letters in lower case; module names are compared so.
std::string LowerCase(std::string_view text);

}  // namespace updraft
