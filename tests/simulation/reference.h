// What the service should do, written a second time from its manual: small, slow, and with nothing
// of the engine in it but the commands' data types. It is fed what the engine was asked in each
// turn, in order, and says what every task, batch, package and device must then be.
//
// Three things that happen by themselves are told to it as they happened, and judged: a step of the
// walk that chooses targets (who joined it works out itself), a push (which it finds due or not),
// and a diff package that met a wrong version when its push was due.
//
// What the model finds wrong it tells by calling `fail` with a sentence.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/commands.h"

namespace updraft::simulation {

enum class State { kConfirm, kQueued, kNotified, kInProgress, kSucceeded, kFailed, kCanceled };
std::string_view NameOf(State state);
inline bool IsOpenState(State state) { return state <= State::kInProgress; }

struct RefTask {
  int device = 0;
  int batch = 0;
  State state = State::kQueued;
  std::string reason;  // Of the end, or of the last failed attempt.
  std::string source;  // What the device ran when it joined; empty while unknown.
  int step = 0;
  uint32_t retries = 0;
  std::optional<int64_t> retry_due;  // A failed attempt waits for its time...
  bool retry_ready = false;          // ...or for its push.
  std::optional<int64_t> timeout_due;
  bool told_since_online = true;  // Else a repeat is due to a device that came back.
};

enum class BatchState { kPlanned, kInProgress, kCompleted, kCanceled };

struct RefBatch {
  CreateBatch order;
  int package = 0;
  BatchState state = BatchState::kInProgress;
  std::vector<std::string> sources;
  bool source_given = false;
  int frontier = 0;  // The newest device at creation.
  int cursor = 0;    // Of the walk.
  bool walking = false;
  std::optional<std::set<int>> gray;  // Those chosen, once known.
  bool paused = false;
  bool stopped = false;
  std::vector<int> tasks;
  // For the pace: when counted pushes were recorded, and what rates were in force since when.
  std::vector<int64_t> pushes_ms;
  std::vector<std::pair<int64_t, uint32_t>> rates;
};

enum class Verdict { kNeedsNone, kUnverified, kVerified, kVerifying, kFailed };

struct RefPackage {
  std::string product;
  std::string module;
  std::string name;
  std::string target;
  std::string source;  // Of a diff package.
  bool diff = false;
  bool needs_verification = false;
  Verdict verdict = Verdict::kNeedsNone;
  bool deleted = false;
};

struct RefDevice {
  std::string product;
  std::string name;
  bool deleted = false;
  bool disabled = false;
  bool online = false;
  uint32_t generation = 0;
  int64_t online_since = 0;
  bool spoke = false;                           // Since it came online.
  std::map<std::string, std::string> versions;  // By module in lower case.
};

// One command, and what the engine said.
struct RefInput {
  Command command;
  Outcome outcome;
};

// What happened in a turn that no command says.
struct RefWalk {
  int batch = 0;
  int cursor = 0;
  bool ended = false;
};
struct RefGray {
  int batch = 0;
  uint32_t population = 0;
};
enum class RefPushKind { kFirst, kRetry, kRepeat };
struct RefPush {
  int task = 0;
  bool mismatch = false;  // Not pushed: its diff package met a wrong version.
  RefPushKind kind = RefPushKind::kFirst;
};

struct RefTurn {
  int64_t time_ms = 0;
  bool timers_held = false;  // An operator has not confirmed the clock yet.
  std::vector<RefGray> grays;
  std::vector<RefWalk> walks;
  std::vector<RefInput> inputs;
  std::vector<RefPush> pushes;
};

class Reference {
 public:
  using Fail = std::function<void(const std::string& checker, const std::string& what)>;

  struct Settings {
    uint32_t verification_timeout_minutes = 1'440;
  };

  Reference(Settings settings, Fail fail) : settings_(settings), fail_(std::move(fail)) {}

  void Apply(const RefTurn& turn);

  // Each numbered from 1; element 0 is not used.
  const std::vector<RefTask>& tasks() const { return tasks_; }
  const std::vector<RefBatch>& batches() const { return batches_; }
  const std::vector<RefPackage>& packages() const { return packages_; }
  const std::vector<RefDevice>& devices() const { return devices_; }

  // Why a notice for an open task does not leave now; empty when it may as far as the rules go.
  std::string WhyNotPushed(int task, int64_t now_ms) const;
  int FindDevice(const std::string& product, const std::string& name) const;  // 0: none.
  int OpenTask(int device, const std::string& module) const;                  // 0: none.
  std::string VersionOf(int device, const std::string& module) const;

 private:
  // The refusal that is expected; empty for none.
  std::string On(const CreateProduct& c) {
    products_.insert(c.product_key);
    modules_.insert(c.product_key + "/default");
    return "";
  }
  std::string On(const UpdateProduct&) { return ""; }
  std::string On(const DeleteProduct&) { return ""; }
  std::string On(const CreateModule& c) {
    if (products_.count(c.product_key) == 0) return "UNKNOWN_PRODUCT";
    modules_.insert(c.product_key + "/" + c.name);
    return "";
  }
  std::string On(const UpdateModule&) { return ""; }
  std::string On(const DeleteModule&) { return ""; }
  std::string On(const CreateKey&) { return ""; }
  std::string On(const ChangeKey&) { return ""; }
  std::string On(const DeleteKey&) { return ""; }
  std::string On(const TakePushes&) { return ""; }
  std::string On(const AcknowledgePushes&) { return ""; }
  std::string On(const ConfirmClock&) { return ""; }
  std::string On(const ImportVersions&) { return ""; }  // No operator of the simulation imports.
  std::string On(const RegisterDevices&);
  std::string On(const DeleteDevice&);
  std::string On(const DisableDevice&);
  std::string On(const EnableDevice&);
  std::string On(const CreatePackage&);
  std::string On(const DeletePackage&);
  std::string On(const CreateBatch&);
  std::string On(const EditBatch&);
  std::string On(const PauseBatch&);
  std::string On(const ResumeBatch&);
  std::string On(const StopBatch&);
  std::string On(const CancelBatch&);
  std::string On(const CancelDevices&);
  std::string On(const ConfirmTasks&);
  std::string On(const ReupgradeTasks&);
  std::string On(const ReportVersion&);
  std::string On(const ReportProgress&);
  std::string On(const RequestPackage&);
  std::string On(const ReportPresence&);
  std::string On(const BrokerStarted&);

  void FireTimers();
  void TakeGray(const RefGray& gray);
  void TakeWalk(const RefWalk& walk);
  void TakePush(const RefPush& push);
  void CheckPace(int batch);
  bool HasBatch(BatchId id) const { return id && id.value() < batches_.size(); }
  bool HasPackage(PackageId id) const {
    return id && id.value() < packages_.size() && !packages_[id.value()].deleted;
  }
  int Find(const DeviceRef& ref) const;
  bool Matches(int batch, int device) const;
  int TimesJoined(int batch, int device) const;
  int OpenCount(int batch) const;
  void Join(int batch, const std::vector<int>& devices);
  void End(int task, State state, const std::string& reason);
  void FailAttempt(int task, const std::string& reason);
  void AfterEnd(int batch, bool by_cancel = false);
  void BeginRun(uint64_t epoch);
  void JudgeVersion(int task, const std::string& version);
  std::string CheckTasks(const std::vector<TaskId>& tasks) const;

  const Settings settings_;
  const Fail fail_;
  int64_t now_ = 0;
  std::optional<PulledNotice> pulled_;  // What the command at hand should answer.
  std::set<std::string> products_;
  std::set<std::string> modules_;  // Product and name.
  std::vector<RefTask> tasks_ = std::vector<RefTask>(1);
  std::vector<RefBatch> batches_ = std::vector<RefBatch>(1);
  std::vector<RefPackage> packages_ = std::vector<RefPackage>(1);
  std::vector<RefDevice> devices_ = std::vector<RefDevice>(1);
  bool ever_ran_ = false;
  uint64_t broker_epoch_ = 0;
};

}  // namespace updraft::simulation
