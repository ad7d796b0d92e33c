// What the world consists of: records, each found by a dense id. They hold facts that events stated
// and nothing that can be worked out from other records (that is in indexes.h and agenda.h).
//
// Each record lists its fields with numbers. The numbers and a record's kind are part of the digest
// and stay for ever: a field that goes leaves its number unused, a new one takes the next, and its
// default means what the engine did before it was there.
//
// Bytes a device, in memory, with a name of 16 bytes, one module and one task:
//
//   Device     52   ids 12, presence 8 + 6, times 12, commitment 8, naming 3, marks 3
//   Installed  20   device, module, version, open task, next of the device
//   Task       52   ids 16, state and marks 7, times 24, text 5
//   name       18   with its length and a product below 128 (names.h); where it begins 4; a hash
//                   slot of 5, four fifths full: 6.3
//   sum       152   and about 6 that the heap, ends of segments and what is counted by blocks take
//   timer       7   more while a timeout's clock runs (agenda.h)
//
// bench/memory_bench.cc measures it: 159, and 166 while upgrading with a timeout.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "batch.capnp.h"
#include "events/base/ids.h"
#include "fleet.capnp.h"
#include "package.capnp.h"
#include "projections/ms48.h"
#include "task.capnp.h"

namespace updraft {

using events::BatchScope;
using events::BatchStatus;
using events::Creation;
using events::PackageKind;
using events::PackageStatus;
using events::PushKind;
using events::SignMethod;
using events::TaskReason;
using events::TaskState;

inline constexpr int kTaskStateCount = 7;

using InstalledId = Id<struct InstalledTag, uint32_t>;  // One module on one device.
using RegistrationId = Id<struct RegistrationTag, uint32_t>;

// An enum of the schema in one byte.
template <class E>
class Small {
 public:
  constexpr Small() = default;
  constexpr Small(E value) : value_(static_cast<uint8_t>(value)) {}  // NOLINT: implicit.
  constexpr operator E() const { return static_cast<E>(value_); }

 private:
  uint8_t value_ = 0;
};

// A sequence number in five bytes: a million events a second for twelve days, or ten thousand a
// second for three years; the log refuses to grow past it.
class Seq40 {
 public:
  constexpr Seq40() = default;
  Seq40(Seq seq) {  // NOLINT: implicit, it is the same thing in less room.
    uint64_t value = seq.value();
    std::memcpy(bytes_, &value, sizeof(bytes_));
  }
  operator Seq() const {
    uint64_t value = 0;
    std::memcpy(&value, bytes_, sizeof(bytes_));
    return Seq(value);
  }

 private:
  uint8_t bytes_[5] = {};
};

struct Product {
  std::string key;
  std::string name;
  std::string auth_type;
  std::string description;
  uint8_t node_type = 0;
  uint8_t data_format = 0;
  bool dynamic_registration = false;
  bool deleted = false;
  Ms48 created;
  Ms48 modified;
};

struct Module {
  ProductId product;
  std::string name;  // As first spelt; names differ by more than case.
  std::string alias;
  std::string description;
  bool registered = false;  // Made known by an operator; the default module always is.
  Ms48 created;
  Ms48 modified;
};

struct Version {
  ProductId product;
  std::string text;
};

struct Device {
  ProductId product;
  InstalledId newest_installed;
  TaskId newest_task;
  uint32_t generation = 0;     // Of the last connection.
  uint32_t connected_run = 0;  // The broker run it is connected in; 0 when it is not.
  std::array<uint8_t, 8> commitment = {};
  Ms48 created;
  Ms48 activated;            // Its first connection or report.
  Ms48 presence_changed;     // Came online or went offline.
  uint16_t naming_day = 0;   // The day, since 1970, of its last first-seen string, and how many of
  uint8_t naming_count = 0;  // them it brought that day.
  bool settled = false;      // Notices may go to it on this connection.
  bool disabled = false;
  bool deleted = false;
};
static_assert(sizeof(Device) == 52);

struct Installed {
  DeviceId device;
  ModuleId module;
  VersionId version;
  TaskId open_task;
  InstalledId older;  // The next of the device's modules.
};
static_assert(sizeof(Installed) == 20);

struct Package {
  ModuleId module;
  std::string name;
  VersionId target;
  VersionId source;
  Small<PackageKind> kind;
  Small<SignMethod> sign_method;
  Small<PackageStatus> status;
  bool needs_verification = false;
  bool deleted = false;
  uint64_t size_bytes = 0;
  std::string md5;     // 16 bytes.
  std::string sha256;  // 32 bytes.
  std::string file;
  std::string suffix;
  std::string description;
  std::string udi;
  Ms48 created;
  Ms48 modified;
};

using Tags = std::vector<std::pair<std::string, std::string>>;

struct Batch {
  PackageId package;
  bool verifies = false;
  bool dynamic = false;
  bool only_new_reports = false;
  Small<BatchScope> scope;
  uint32_t gray_thousandths = 0;
  std::vector<VersionId> sources;
  bool source_given = false;
  DeviceId frontier;
  uint32_t push_per_minute = 0;
  uint32_t timeout_minutes = 0;
  uint8_t retry_count = 0;
  uint32_t retry_minutes = 0;
  bool override_others = false;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  bool need_push = false;
  bool need_confirm = false;
  bool multi_module = false;
  Tags tags;

  Small<BatchStatus> status;
  bool paused = false;
  bool stopped = false;

  // The walk that chooses targets.
  bool walking = false;
  DeviceId cursor;
  bool gray_known = false;
  uint64_t gray_hash = 0;
  DeviceId gray_device;
  uint32_t gray_population = 0;

  // The sweep that cancels.
  bool sweeping = false;
  bool sweep_by_schedule = false;
  uint8_t sweep_states = 0;  // Bit n: TaskState n.

  // Its pace: push `pace_index` is due at the anchor plus that many intervals.
  int64_t pace_anchor_ms = 0;
  uint32_t pace_index = 0;

  Ms48 created;
  Ms48 modified;
  Ms48 started;
  Ms48 ended;
};

struct Task {
  DeviceId device;
  BatchId batch;
  VersionId source;  // What the device ran when it joined; 0 while that is unknown.
  TaskId older;      // The next of the device's tasks.
  Small<TaskState> state;
  Small<TaskReason> reason;
  int8_t step = 0;
  uint8_t retries = 0;
  bool retry_waiting = false;  // Until retry_due; then retry_ready until it is pushed.
  bool retry_ready = false;
  bool repeat_owed = false;  // Came online since the last push.
  Ms48 created;
  Ms48 modified;
  Ms48 timeout_due;
  Ms48 retry_due;
  Seq40 text;  // The event whose sidecar holds the device's last words; 0 when it said none.
};
static_assert(sizeof(Task) == 52);

struct Key {
  std::string access_key_id;
  std::string note;
  bool formal = false;
  bool enabled = false;
  bool deleted = false;
  Ms48 created;
};

// What there is one of.
struct Globals {
  uint64_t broker_epoch = 0;
  uint32_t broker_run = 0;  // Counts the broker's epochs.
  uint64_t pushes = 0;      // Recorded so far.
  uint64_t pushes_acknowledged = 0;
  uint32_t schema_version = 0;
  int64_t clock_confirmed_ms = 0;
  uint64_t tokens = 0;  // Creating calls that came with a token, so far.
};

// A notice that the broker may not have yet; found by its push number.
struct PushInDoubt {
  uint64_t number = 0;
  TaskId task;
};

// A creating call that may be sent again: what it was, and what it created. Found by its number.
struct UsedToken {
  uint64_t number = 0;
  uint64_t call_high = 0;  // The caller, the action and the token.
  uint64_t call_low = 0;
  uint64_t order_high = 0;  // All that was asked.
  uint64_t order_low = 0;
  Small<Creation> creation;
  uint32_t first = 0;
  uint32_t count = 0;
  std::string warning;
  Ms48 used;
};

// Devices that were applied for together.
struct Registration {
  uint64_t application = 0;
  DeviceId first;
  uint32_t count = 0;
};

// The digest's view of a record. Member and number of each field.
template <auto Member, int Number>
struct Field {
  static constexpr auto member = Member;
  static constexpr int number = Number;
};
template <class... F>
struct FieldList {};

template <class Record>
struct RecordTraits;  // kKind, and Fields.

template <>
struct RecordTraits<Product> {
  static constexpr int kKind = 1;
  using Fields = FieldList<Field<&Product::key, 1>, Field<&Product::name, 2>,
                           Field<&Product::auth_type, 3>, Field<&Product::description, 4>,
                           Field<&Product::node_type, 5>, Field<&Product::data_format, 6>,
                           Field<&Product::dynamic_registration, 7>, Field<&Product::deleted, 8>,
                           Field<&Product::created, 9>, Field<&Product::modified, 10>>;
};

template <>
struct RecordTraits<Module> {
  static constexpr int kKind = 2;
  using Fields =
      FieldList<Field<&Module::product, 1>, Field<&Module::name, 2>, Field<&Module::alias, 3>,
                Field<&Module::description, 4>, Field<&Module::registered, 5>,
                Field<&Module::created, 6>, Field<&Module::modified, 7>>;
};

template <>
struct RecordTraits<Version> {
  static constexpr int kKind = 3;
  using Fields = FieldList<Field<&Version::product, 1>, Field<&Version::text, 2>>;
};

template <>
struct RecordTraits<Device> {
  static constexpr int kKind = 4;
  using Fields = FieldList<Field<&Device::product, 1>, Field<&Device::newest_installed, 2>,
                           Field<&Device::newest_task, 3>, Field<&Device::generation, 4>,
                           Field<&Device::connected_run, 5>, Field<&Device::commitment, 6>,
                           Field<&Device::created, 7>, Field<&Device::activated, 8>,
                           Field<&Device::presence_changed, 9>, Field<&Device::naming_day, 10>,
                           Field<&Device::naming_count, 11>, Field<&Device::settled, 12>,
                           Field<&Device::disabled, 13>, Field<&Device::deleted, 14>>;
};

template <>
struct RecordTraits<Installed> {
  static constexpr int kKind = 5;
  using Fields = FieldList<Field<&Installed::device, 1>, Field<&Installed::module, 2>,
                           Field<&Installed::version, 3>, Field<&Installed::open_task, 4>,
                           Field<&Installed::older, 5>>;
};

template <>
struct RecordTraits<Package> {
  static constexpr int kKind = 6;
  using Fields =
      FieldList<Field<&Package::module, 1>, Field<&Package::name, 2>, Field<&Package::target, 3>,
                Field<&Package::source, 4>, Field<&Package::kind, 5>,
                Field<&Package::sign_method, 6>, Field<&Package::status, 7>,
                Field<&Package::needs_verification, 8>, Field<&Package::deleted, 9>,
                Field<&Package::size_bytes, 10>, Field<&Package::md5, 11>,
                Field<&Package::sha256, 12>, Field<&Package::file, 13>, Field<&Package::suffix, 14>,
                Field<&Package::description, 15>, Field<&Package::udi, 16>,
                Field<&Package::created, 17>, Field<&Package::modified, 18>>;
};

template <>
struct RecordTraits<Batch> {
  static constexpr int kKind = 7;
  using Fields = FieldList<
      Field<&Batch::package, 1>, Field<&Batch::verifies, 2>, Field<&Batch::dynamic, 3>,
      Field<&Batch::only_new_reports, 4>, Field<&Batch::scope, 5>,
      Field<&Batch::gray_thousandths, 6>, Field<&Batch::sources, 7>, Field<&Batch::source_given, 8>,
      Field<&Batch::frontier, 9>, Field<&Batch::push_per_minute, 10>,
      Field<&Batch::timeout_minutes, 11>, Field<&Batch::retry_count, 12>,
      Field<&Batch::retry_minutes, 13>, Field<&Batch::override_others, 14>,
      Field<&Batch::start_ms, 15>, Field<&Batch::end_ms, 16>, Field<&Batch::need_push, 17>,
      Field<&Batch::need_confirm, 18>, Field<&Batch::multi_module, 19>, Field<&Batch::tags, 20>,
      Field<&Batch::status, 21>, Field<&Batch::paused, 22>, Field<&Batch::stopped, 23>,
      Field<&Batch::walking, 24>, Field<&Batch::cursor, 25>, Field<&Batch::gray_known, 26>,
      Field<&Batch::gray_hash, 27>, Field<&Batch::gray_device, 28>,
      Field<&Batch::gray_population, 29>, Field<&Batch::sweeping, 30>,
      Field<&Batch::sweep_by_schedule, 31>, Field<&Batch::sweep_states, 32>,
      Field<&Batch::pace_anchor_ms, 33>, Field<&Batch::pace_index, 34>, Field<&Batch::created, 35>,
      Field<&Batch::modified, 36>, Field<&Batch::started, 37>, Field<&Batch::ended, 38>>;
};

template <>
struct RecordTraits<Task> {
  static constexpr int kKind = 8;
  using Fields =
      FieldList<Field<&Task::device, 1>, Field<&Task::batch, 2>, Field<&Task::source, 3>,
                Field<&Task::older, 4>, Field<&Task::state, 5>, Field<&Task::reason, 6>,
                Field<&Task::step, 7>, Field<&Task::retries, 8>, Field<&Task::retry_waiting, 9>,
                Field<&Task::retry_ready, 10>, Field<&Task::repeat_owed, 11>,
                Field<&Task::created, 12>, Field<&Task::modified, 13>,
                Field<&Task::timeout_due, 14>, Field<&Task::retry_due, 15>, Field<&Task::text, 16>>;
};

template <>
struct RecordTraits<Key> {
  static constexpr int kKind = 9;
  using Fields =
      FieldList<Field<&Key::access_key_id, 1>, Field<&Key::note, 2>, Field<&Key::formal, 3>,
                Field<&Key::enabled, 4>, Field<&Key::deleted, 5>, Field<&Key::created, 6>>;
};

template <>
struct RecordTraits<Globals> {
  static constexpr int kKind = 10;
  using Fields = FieldList<Field<&Globals::broker_epoch, 1>, Field<&Globals::broker_run, 2>,
                           Field<&Globals::pushes, 3>, Field<&Globals::pushes_acknowledged, 4>,
                           Field<&Globals::schema_version, 5>,
                           Field<&Globals::clock_confirmed_ms, 6>, Field<&Globals::tokens, 7>>;
};

template <>
struct RecordTraits<PushInDoubt> {
  static constexpr int kKind = 11;
  using Fields = FieldList<Field<&PushInDoubt::task, 1>>;
};

template <>
struct RecordTraits<UsedToken> {
  static constexpr int kKind = 12;
  using Fields = FieldList<Field<&UsedToken::call_high, 1>, Field<&UsedToken::call_low, 2>,
                           Field<&UsedToken::order_high, 3>, Field<&UsedToken::order_low, 4>,
                           Field<&UsedToken::creation, 5>, Field<&UsedToken::first, 6>,
                           Field<&UsedToken::count, 7>, Field<&UsedToken::warning, 8>,
                           Field<&UsedToken::used, 9>>;
};

template <>
struct RecordTraits<Registration> {
  static constexpr int kKind = 13;
  using Fields = FieldList<Field<&Registration::application, 1>, Field<&Registration::first, 2>,
                           Field<&Registration::count, 3>>;
};

}  // namespace updraft
