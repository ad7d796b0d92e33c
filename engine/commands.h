// What can be asked of the engine, and what it answers. Plain data with std types: this is part of
// the library's public face. Times are UTC, in milliseconds since 1970; what is 0 or empty is "not
// given" where a field says nothing else. The bounds are the manual's and inclusive.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "events/base/bytes.h"
#include "events/base/ids.h"
#include "events/base/status.h"

namespace updraft {

// A device by id, or by its product's key and its name.
struct DeviceRef {
  DeviceId id;
  std::string product_key;
  std::string name;
};

// Makes a command safe to send again: for 24 hours, and as long as 100,000 newer ones have not
// come, the same call with the same order is answered as at first and nothing more is done. Another
// order is refused. A refused command leaves no trace, so that it can be tried again.
struct ClientToken {
  Fingerprint call;   // Of who calls, what for, and the token. None: the command has no token.
  Fingerprint order;  // Of all that is asked.
};

// Where a command comes from.
struct Origin {
  KeyId by;  // The console key that asks, kept with the events; 0 for none.
  ClientToken token;

  Origin() = default;
  Origin(KeyId key) : by(key) {}  // NOLINT: implicit, most commands have no token.
  Origin(KeyId key, ClientToken client_token) : by(key), token(client_token) {}
};

// --- Products, modules, devices, keys ---

struct CreateProduct {
  std::string name;
  uint8_t node_type = 0;    // 0 device, 1 gateway.
  uint8_t data_format = 0;  // Kept and shown.
  std::string auth_type;    // Likewise.
  std::string description;
  std::string product_key;     // Made up when empty.
  std::string product_secret;  // Made up when empty.
  bool dynamic_registration = false;
};
struct UpdateProduct {
  std::string product_key;
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<bool> dynamic_registration;
};
struct DeleteProduct {  // Refused while it has devices.
  std::string product_key;
};

struct CreateModule {
  std::string product_key;
  std::string name;
  std::string alias;
  std::string description;
};
struct UpdateModule {
  std::string product_key;
  std::string name;
  std::optional<std::string> alias;
  std::optional<std::string> description;
};
struct DeleteModule {
  std::string product_key;
  std::string name;
};

struct NewDevice {
  std::string name;    // Made up when empty.
  std::string secret;  // Made up when empty.
  std::string nickname;
  std::string salt;       // The engine's.
  bool disabled = false;  // From the start: it may not connect until it is enabled.
};
// All of them or none; at most 1,000.
struct RegisterDevices {
  std::string product_key;
  std::vector<NewDevice> devices;
  // A number of the caller's for all of them, by which they are found later; 0 is none. Asked again
  // with the same number, nothing more is registered.
  uint64_t application = 0;
};
// What devices ran before they moved here, as told by who brings them; their own reports follow. At
// most 1,000. Answered with those that cannot be so, by index, in TargetProblems; the others are
// taken in. What is so already is nothing new.
struct ImportVersions {
  struct Entry {
    std::string device_name;
    std::string module;  // Empty: the default module.
    std::string version;
  };
  std::string product_key;
  std::vector<Entry> entries;
};
struct DeleteDevice {
  DeviceRef device;
};
struct DisableDevice {
  DeviceRef device;
};
struct EnableDevice {
  DeviceRef device;
};

struct CreateKey {
  bool formal = false;  // Else a guest, who may only look at products and devices.
  std::string note;
  std::string access_key_id;  // Made up when empty.
  std::string secret;         // Made up when empty.
};
struct ChangeKey {
  std::string access_key_id;
  std::optional<bool> formal;
  std::optional<bool> enabled;
};
struct DeleteKey {
  std::string access_key_id;
};

// --- Packages ---

struct CreatePackage {
  std::string product_key;
  std::string module;  // Empty: the default module.
  std::string name;
  std::string target_version;
  bool diff = false;
  std::string source_version;  // Of a diff package.
  bool needs_verification = true;
  bool sign_with_sha256 = false;  // Else MD5.
  std::string description;
  std::string udi;  // Goes to the device as it is.
  // The file, as the package store knows it.
  std::string file;
  std::string suffix;
  uint64_t size_bytes = 0;
  std::string md5;     // 16 bytes.
  std::string sha256;  // 32 bytes.
};
struct DeletePackage {
  PackageId package;
};

// --- Batches ---

enum class Scope { kAll, kSpecific, kGray };

struct CreateBatch {
  std::string product_key;
  PackageId package;
  bool verification = false;      // Over 1 to 10 named devices; its outcome decides on the package.
  bool dynamic = false;           // Devices whose later reports match join as well.
  bool only_new_reports = false;  // Of a dynamic batch: none of the present devices joins before
                                  // it reports another version.
  Scope scope = Scope::kAll;
  std::vector<std::string> device_names;  // For kSpecific and verification.
  bool names_from_file = false;   // Up to 10,000, and what does not fit a diff package is left out.
  uint32_t gray_thousandths = 0;  // For kGray, of a percent: 33.33 % is 33,330.
  std::vector<std::string> source_versions;  // At most 10; empty is any.
  uint32_t push_per_minute = 0;              // 0 is no limit.
  uint32_t timeout_minutes = 0;              // 1 to 1,440 from the first progress; 0 is none.
  std::optional<uint32_t> retry_minutes;     // 0, 10, 30, 60 or 1,440.
  uint32_t retry_count = 0;                  // 1, 2 or 5 with retry_minutes.
  bool override_others = false;              // End other open tasks that are not upgrading.
  int64_t start_ms = 0;                      // 5 minutes to 7 days ahead; 0 is at once.
  int64_t end_ms = 0;                        // 1 hour to 30 days after the start; 0 is never.
  bool need_push = true;                     // Else devices must ask.
  bool need_confirm = false;
  bool multi_module = false;
  std::vector<std::pair<std::string, std::string>> tags;  // At most 10, 4,096 bytes in all.
};
struct EditBatch {
  BatchId batch;
  std::optional<uint32_t> push_per_minute;
  std::optional<uint32_t> timeout_minutes;  // Dynamic batches, of tasks that begin later.
  std::optional<std::vector<std::string>> source_versions;  // Dynamic batches.
  std::optional<std::vector<std::pair<std::string, std::string>>> tags;
};
struct PauseBatch {
  BatchId batch;
};
struct ResumeBatch {
  BatchId batch;
};
struct StopBatch {  // A dynamic batch takes no more devices; open tasks go on.
  BatchId batch;
};
struct CancelBatch {
  BatchId batch;
  bool scheduled = false;  // All tasks of a scheduled batch that has not started.
  bool queued = false;
  bool notified = false;
  bool in_progress = false;
  std::optional<bool> unconfirmed;  // Not given: as `queued`.
};

// --- Tasks ---

struct CancelDevices {
  PackageId package;
  std::string product_key;
  std::vector<std::string> device_names;  // 1 to 200, none twice.
  BatchId batch;                          // 0: of any batch of the package.
};
struct ConfirmTasks {
  std::vector<TaskId> tasks;  // 1 to 10; all or none.
};
struct ReupgradeTasks {
  BatchId batch;
  std::vector<TaskId> tasks;  // 1 to 10; all or none.
};

// --- What devices say ---

struct ReportVersion {
  DeviceRef device;
  std::string module;  // Empty: the default module.
  std::string version;
  bool implies_online = false;  // Nothing else tells of presence.
};
struct ReportProgress {
  DeviceRef device;
  std::string module;
  int step = 0;  // -4 to 100.
  std::string text;
  bool implies_online = false;
};
struct RequestPackage {
  DeviceRef device;
  std::string module;
  bool implies_online = false;
};
struct ReportPresence {
  DeviceRef device;
  bool online = false;
  uint64_t broker_epoch = 0;
  uint32_t generation = 0;  // An offline of an older generation is stale.
};
struct BrokerStarted {
  uint64_t epoch = 0;
};

// --- The adapter that pushes ---

// Asks for notices to send, at most `max`. Answered as soon as one is due, or when `Engine` stops.
struct TakePushes {
  uint32_t max = 0;
};
// The broker has every push up to this number.
struct AcknowledgePushes {
  PushNumber through;
};

// --- Operation ---

// Timers and pushes run although the clock was far ahead when the engine started.
struct ConfirmClock {};

using Command =
    std::variant<CreateProduct, UpdateProduct, DeleteProduct, CreateModule, UpdateModule,
                 DeleteModule, RegisterDevices, ImportVersions, DeleteDevice, DisableDevice,
                 EnableDevice, CreateKey, ChangeKey, DeleteKey, CreatePackage, DeletePackage,
                 CreateBatch, EditBatch, PauseBatch, ResumeBatch, StopBatch, CancelBatch,
                 CancelDevices, ConfirmTasks, ReupgradeTasks, ReportVersion, ReportProgress,
                 RequestPackage, ReportPresence, BrokerStarted, TakePushes, AcknowledgePushes,
                 ConfirmClock>;

// --- Answers ---

struct CreatedProduct {
  ProductId product;
  std::string product_key;
  std::string product_secret;
};
struct CreatedDevices {
  DeviceId first;                  // The others follow it.
  std::vector<NewDevice> devices;  // With what was made up.
  uint64_t application = 0;
};
struct CreatedPackage {
  PackageId package;
};
struct CreatedBatch {
  BatchId batch;
  std::string warning;  // What the operator may not expect; empty when there is nothing.
};
struct CreatedKey {
  KeyId key;
  std::string access_key_id;
  std::string secret;
};

// Why a named target was refused; index counts from 0 in CreateBatch::device_names.
struct TargetProblem {
  size_t index = 0;
  std::string name;
  std::string reason;
};
struct TargetProblems {
  std::vector<TargetProblem> problems;
};

// All that a device has to be told.
struct Notice {
  TaskId task;
  BatchId batch;
  DeviceId device;
  std::string product_key;
  std::string device_name;
  std::string module;  // "default" for the default module.
  std::string version;
  bool diff = false;
  bool sign_with_sha256 = false;
  uint64_t size_bytes = 0;
  std::string md5;     // 16 bytes.
  std::string sha256;  // 32 bytes.
  std::string file;
  std::string suffix;
  std::string udi;
  std::vector<std::pair<std::string, std::string>> tags;
  int64_t time_ms = 0;
};
struct Push {
  PushNumber number;
  bool again = false;  // Recorded before a restart, and perhaps sent then.
  Notice notice;
};
struct TakenPushes {
  std::vector<Push> pushes;
};
struct PulledNotice {
  std::shared_ptr<const Notice> notice;  // Null: there is nothing to upgrade.
};

using Answer = std::variant<std::monostate, CreatedProduct, CreatedDevices, CreatedPackage,
                            CreatedBatch, CreatedKey, TargetProblems, TakenPushes, PulledNotice>;

// What became of a command. The status is a refusal by one of the names of refusals.h, or a fault
// of the engine; its answer may then hold details (TargetProblems).
struct Outcome {
  Status status;
  Answer answer;
  int64_t time_ms = 0;  // The log's time at which it was decided; of a repeat, at first.
  bool repeat = false;  // By its ClientToken: all was done before.

  bool ok() const { return status.ok(); }
};

}  // namespace updraft
