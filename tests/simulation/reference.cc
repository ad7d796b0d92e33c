#include "tests/simulation/reference.h"

#include <algorithm>
#include <tuple>
#include <variant>

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace updraft::simulation {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kSettlesMs = 2'000;  // The grace of a device that has just connected.

std::string ModuleName(std::string name) {
  if (name.empty()) return "default";
  for (char& c : name) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
  return name;
}

template <class T>
bool Contains(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

std::string_view NameOf(State state) {
  static constexpr std::string_view kNames[] = {"CONFIRM",   "QUEUED", "NOTIFIED", "IN_PROGRESS",
                                                "SUCCEEDED", "FAILED", "CANCELED"};
  return kNames[static_cast<int>(state)];
}

void Reference::Apply(const RefTurn& turn) {
  now_ = turn.time_ms;
  if (!turn.timers_held) FireTimers();
  for (const RefGray& gray : turn.grays) TakeGray(gray);
  for (const RefWalk& walk : turn.walks) TakeWalk(walk);
  for (const RefInput& input : turn.inputs) {
    pulled_.reset();
    std::string expected = std::visit([&](const auto& c) { return On(c); }, input.command);
    std::string got = input.outcome.ok() ? "" : std::string(input.outcome.status.reason());
    if (expected != got) {
      fail_("answers", fmt::format("a command of kind {} is answered '{}', expected '{}'",
                                   input.command.index(), got, expected));
    }
    if (!pulled_) continue;
    const auto* answer = std::get_if<PulledNotice>(&input.outcome.answer);
    bool both = answer != nullptr && (answer->notice != nullptr) == (pulled_->notice != nullptr);
    if (!both) fail_("answers", "a pull is answered with a package where none is due, or without");
    if (both && pulled_->notice && answer->notice->task != pulled_->notice->task) {
      fail_("answers", "a pull is answered with another task's package");
    }
  }
  for (const RefPush& push : turn.pushes) TakePush(push);
}

// --- By themselves ---

// All that is due, the earliest first; what an earlier one makes pointless does not happen.
void Reference::FireTimers() {
  while (true) {
    std::optional<std::tuple<int64_t, int, int>> first;  // Due, kind, id.
    auto offer = [&](int64_t due, int kind, int id) {
      if (due > now_) return;
      std::tuple<int64_t, int, int> timer(due, kind, id);
      if (!first || timer < *first) first = timer;
    };
    for (int b = 1; b < static_cast<int>(batches_.size()); ++b) {
      const RefBatch& batch = batches_[b];
      if (batch.state == BatchState::kPlanned) offer(batch.order.start_ms, 0, b);
      bool runs = batch.state <= BatchState::kInProgress;
      if (runs && batch.order.end_ms != 0) offer(batch.order.end_ms, 1, b);
    }
    for (int t = 1; t < static_cast<int>(tasks_.size()); ++t) {
      const RefTask& task = tasks_[t];
      if (task.state == State::kInProgress && task.timeout_due) offer(*task.timeout_due, 2, t);
      if (IsOpenState(task.state) && task.retry_due) offer(*task.retry_due, 3, t);
    }
    if (!first) return;
    auto [due, kind, id] = *first;
    if (kind == 0) {
      batches_[id].state = BatchState::kInProgress;
    } else if (kind == 1) {
      // Forced to end: whatever is open is cancelled, and nobody joins any more.
      batches_[id].walking = false;
      for (int t : std::vector<int>(batches_[id].tasks)) {
        if (IsOpenState(tasks_[t].state)) End(t, State::kCanceled, "schedule end");
      }
      AfterEnd(id);
      if (batches_[id].state <= BatchState::kInProgress)
        batches_[id].state = BatchState::kCompleted;
    } else if (kind == 2) {
      End(id, State::kFailed, "timeout");
      AfterEnd(tasks_[id].batch);
    } else {
      tasks_[id].retry_due.reset();
      tasks_[id].retry_ready = true;
    }
  }
}

// The first floor(n * percent) of those that match, at least one, by a hash of package and name.
void Reference::TakeGray(const RefGray& gray) {
  RefBatch& batch = batches_[gray.batch];
  std::vector<std::pair<uint64_t, int>> order;
  for (int d = 1; d <= batch.frontier; ++d) {
    if (!Matches(gray.batch, d)) continue;
    std::string key = fmt::format("{}/{}", batch.package, devices_[d].name);
    order.emplace_back(XXH3_64bits(key.data(), key.size()), d);
  }
  if (gray.population != order.size()) {
    fail_("gray", fmt::format("batch {} is said to have a population of {}, but {} match",
                              gray.batch, gray.population, order.size()));
  }
  std::sort(order.begin(), order.end());
  uint64_t share = order.size() * batch.order.gray_thousandths / 100'000;
  share = std::min<uint64_t>(std::max<uint64_t>(share, 1), order.size());
  batch.gray.emplace();
  for (uint64_t i = 0; i < share; ++i) batch.gray->insert(order[i].second);
}

void Reference::TakeWalk(const RefWalk& walk) {
  RefBatch& batch = batches_[walk.batch];
  if (!batch.walking) return fail_("walk", fmt::format("batch {} has no walk", walk.batch));
  int until = std::max(walk.cursor, batch.cursor);
  if (walk.ended && until < batch.frontier) {
    fail_("walk", fmt::format("batch {}'s walk ended at device {} of {}", walk.batch, until,
                              batch.frontier));
  }
  std::vector<int> chosen;
  for (int d = batch.cursor + 1; d <= until; ++d) {
    if (!Matches(walk.batch, d)) continue;
    if (batch.gray && batch.gray->count(d) == 0) continue;
    if (batch.order.dynamic && TimesJoined(walk.batch, d) != 0) continue;
    chosen.push_back(d);
  }
  Join(walk.batch, chosen);
  batches_[walk.batch].cursor = until;
  if (!walk.ended) return;
  batches_[walk.batch].walking = false;
  AfterEnd(walk.batch);
}

std::string Reference::WhyNotPushed(int id, int64_t now_ms) const {
  const RefTask& task = tasks_[id];
  const RefBatch& batch = batches_[task.batch];
  const RefDevice& device = devices_[task.device];
  if (!IsOpenState(task.state)) return "it has ended";
  if (task.state == State::kConfirm) return "nobody has confirmed it";
  if (batch.state == BatchState::kPlanned) return "its batch has not started";
  if (batch.order.end_ms != 0 && batch.order.end_ms <= now_ms) return "its batch's end has passed";
  bool over = task.state == State::kInProgress && task.timeout_due.value_or(now_ms + 1) <= now_ms;
  if (over) return "its time is over";
  if (batch.paused) return "its batch is paused";
  if (batch.state != BatchState::kInProgress && !batch.order.dynamic) return "its batch is over";
  if (!batch.order.need_push) return "its batch waits for devices to ask";
  if (device.deleted) return "its device is deleted";
  if (device.disabled) return "its device is disabled";
  if (!device.online) return "its device is offline";
  if (!device.spoke && now_ms < device.online_since + kSettlesMs)
    return "its device just connected";
  if (task.retry_due) return "its retry is not due";
  return "";
}

// A push that was recorded. It must have been due; what it changes follows.
void Reference::TakePush(const RefPush& push) {
  RefTask& task = tasks_[push.task];
  RefBatch& batch = batches_[task.batch];
  const RefPackage& package = packages_[batch.package];
  std::string version = VersionOf(task.device, package.module);
  bool fits = !package.diff || version == package.source;
  if (push.mismatch) {
    // A pull may have told so before.
    if (task.state == State::kFailed && task.reason == "source mismatch") return;
    if (fits) fail_("push", fmt::format("task {} fails for a version that fits", push.task));
    if (std::string why = WhyNotPushed(push.task, now_); !why.empty()) {
      fail_("push", fmt::format("task {} fails at its push, but {}", push.task, why));
    }
    End(push.task, State::kFailed, "source mismatch");
    return AfterEnd(task.batch);
  }
  std::string why = WhyNotPushed(push.task, now_);
  if (why.empty() && !fits) why = "its diff package does not start from what the device runs";
  RefPushKind kind = task.state == State::kQueued ? RefPushKind::kFirst
                     : task.retry_ready           ? RefPushKind::kRetry
                                                  : RefPushKind::kRepeat;
  if (why.empty() && kind != push.kind) why = "it is recorded as a push of another kind";
  if (why.empty() && kind == RefPushKind::kRepeat && task.told_since_online) {
    why = "the device was told already";
  }
  if (!why.empty()) {
    fail_("push",
          fmt::format("task {} ({}) is pushed although {}", push.task, NameOf(task.state), why));
  }
  if (task.state == State::kQueued) task.state = State::kNotified;
  task.retry_ready = false;
  task.told_since_online = true;
  if (kind == RefPushKind::kRepeat) return;
  batch.pushes_ms.push_back(now_);
  CheckPace(task.batch);
}

// At most the rate in any half-open minute, and never two closer than an interval. Where the rate
// was edited the highest of those in force counts.
void Reference::CheckPace(int id) {
  const RefBatch& batch = batches_[id];
  auto highest_since = [&](int64_t from) -> uint32_t {
    uint32_t highest = 0;
    for (size_t i = 0; i < batch.rates.size(); ++i) {
      bool over_before = i + 1 < batch.rates.size() && batch.rates[i + 1].first < from;
      if (over_before) continue;
      if (batch.rates[i].second == 0) return 0;
      highest = std::max(highest, batch.rates[i].second);
    }
    return highest;
  };
  const std::vector<int64_t>& times = batch.pushes_ms;
  auto first = std::upper_bound(times.begin(), times.end(), now_ - kMinuteMs);
  uint32_t most = highest_since(now_ - kMinuteMs);
  if (most != 0 && times.end() - first > most) {
    fail_("pace", fmt::format("batch {}: {} pushes in a minute of at most {}", id,
                              times.end() - first, most));
  }
  if (times.size() < 2) return;
  int64_t before = times[times.size() - 2];
  uint32_t rate = highest_since(before);
  if (rate != 0 && now_ - before < kMinuteMs / rate) {
    fail_("pace",
          fmt::format("batch {}: two pushes {} ms apart at {} a minute", id, now_ - before, rate));
  }
}

// --- Look-ups ---

int Reference::FindDevice(const std::string& product, const std::string& name) const {
  for (int d = 1; d < static_cast<int>(devices_.size()); ++d) {
    const RefDevice& device = devices_[d];
    if (!device.deleted && device.product == product && device.name == name) return d;
  }
  return 0;
}

int Reference::Find(const DeviceRef& ref) const {
  if (!ref.id) return FindDevice(ref.product_key, ref.name);
  int d = static_cast<int>(ref.id.value());
  return d < static_cast<int>(devices_.size()) && !devices_[d].deleted ? d : 0;
}

int Reference::OpenTask(int device, const std::string& module) const {
  int found = 0;
  for (int t = 1; t < static_cast<int>(tasks_.size()); ++t) {
    const RefTask& task = tasks_[t];
    if (task.device != device || !IsOpenState(task.state)) continue;
    if (packages_[batches_[task.batch].package].module != module) continue;
    if (found != 0) {
      fail_("one open task",
            fmt::format("device {} has tasks {} and {} of module {}", device, found, t, module));
    }
    found = t;
  }
  return found;
}

std::string Reference::VersionOf(int device, const std::string& module) const {
  auto it = devices_[device].versions.find(module);
  return it == devices_[device].versions.end() ? "" : it->second;
}

// Whether the batch's rule takes the device now.
bool Reference::Matches(int id, int d) const {
  const RefBatch& batch = batches_[id];
  const RefPackage& package = packages_[batch.package];
  if (devices_[d].deleted || devices_[d].product != package.product) return false;
  std::string version = VersionOf(d, package.module);
  if (version == package.target) return false;
  return !batch.source_given || Contains(batch.sources, version);
}

int Reference::TimesJoined(int batch, int device) const {
  int times = 0;
  for (int t : batches_[batch].tasks) times += tasks_[t].device == device ? 1 : 0;
  return times;
}

int Reference::OpenCount(int batch) const {
  int open = 0;
  for (int t : batches_[batch].tasks) open += IsOpenState(tasks_[t].state) ? 1 : 0;
  return open;
}

// --- Tasks ---

// One of the batch's own is left alone; another open one is kept, or ended where the batch may and
// the device is not upgrading. Those that join are numbered before those that fail.
void Reference::Join(int id, const std::vector<int>& devices) {
  const std::string module = packages_[batches_[id].package].module;
  std::vector<int> queued;
  std::vector<int> conflicted;
  std::set<int> touched;
  for (int d : devices) {
    int open = OpenTask(d, module);
    if (open != 0 && tasks_[open].batch == id) continue;
    if (open == 0) {
      queued.push_back(d);
    } else if (batches_[id].order.override_others && tasks_[open].state != State::kInProgress) {
      End(open, State::kCanceled, "overridden");
      touched.insert(tasks_[open].batch);
      queued.push_back(d);
    } else {
      conflicted.push_back(d);
    }
  }
  auto add = [&](int d, State state, const std::string& reason) {
    tasks_.push_back({.device = d, .batch = id, .state = state, .reason = reason});
    tasks_.back().source = VersionOf(d, module);
    batches_[id].tasks.push_back(static_cast<int>(tasks_.size()) - 1);
  };
  State first = batches_[id].order.need_confirm ? State::kConfirm : State::kQueued;
  for (int d : queued) add(d, first, "");
  for (int d : conflicted) add(d, State::kFailed, "conflict");
  for (int other : touched) AfterEnd(other);
}

void Reference::End(int id, State state, const std::string& reason) {
  RefTask& task = tasks_[id];
  task.state = state;
  task.reason = reason;
  task.retry_due.reset();
  task.retry_ready = false;
  if (state == State::kSucceeded) task.step = 100;
}

// Tried again where the batch was given source versions and retries. While one waits, further
// failures use up none.
void Reference::FailAttempt(int id, const std::string& reason) {
  RefTask& task = tasks_[id];
  const RefBatch& batch = batches_[task.batch];
  if (task.retry_due || task.retry_ready) {
    task.reason = reason;
  } else if (batch.source_given && task.retries < batch.order.retry_count) {
    task.reason = reason;
    ++task.retries;
    uint32_t minutes = batch.order.retry_minutes.value_or(0);
    if (minutes == 0) {
      task.retry_ready = true;
    } else {
      task.retry_due = now_ + minutes * kMinuteMs;
    }
  } else {
    End(id, State::kFailed, reason);
    AfterEnd(task.batch);
  }
}

// The verdict of a verification, and the end of a static batch that has no open task left.
void Reference::AfterEnd(int id, bool by_cancel) {
  RefBatch& batch = batches_[id];
  RefPackage& package = packages_[batch.package];
  bool newest = true;
  for (int b = id + 1; b < static_cast<int>(batches_.size()); ++b) {
    newest &= !(batches_[b].order.verification && batches_[b].package == batch.package);
  }
  if (batch.order.verification && package.needs_verification && !package.deleted && newest) {
    bool all = true;
    for (int t : batch.tasks) all &= tasks_[t].state == State::kSucceeded;
    package.verdict = OpenCount(id) != 0 ? Verdict::kVerifying
                      : all              ? Verdict::kVerified
                                         : Verdict::kFailed;
  }
  bool runs = batch.state <= BatchState::kInProgress;
  if (!runs || batch.order.dynamic || batch.walking || OpenCount(id) != 0) return;
  batch.state = by_cancel ? BatchState::kCanceled : BatchState::kCompleted;
}

// --- Devices and packages ---

std::string Reference::On(const RegisterDevices& c) {
  if (products_.count(c.product_key) == 0) return "UNKNOWN_PRODUCT";
  for (const NewDevice& device : c.devices) {
    if (FindDevice(c.product_key, device.name) != 0) return "DEVICE_NAME_TAKEN";
  }
  for (const NewDevice& device : c.devices) {
    devices_.push_back({.product = c.product_key, .name = device.name});
  }
  return "";
}

std::string Reference::On(const DeleteDevice& c) {
  int d = Find(c.device);
  if (d == 0) return "UNKNOWN_DEVICE";
  for (int t = 1; t < static_cast<int>(tasks_.size()); ++t) {
    if (tasks_[t].device != d || !IsOpenState(tasks_[t].state)) continue;
    End(t, State::kCanceled, "device deleted");
    AfterEnd(tasks_[t].batch);
  }
  devices_[d].deleted = true;
  devices_[d].online = false;
  return "";
}

std::string Reference::On(const DisableDevice& c) {
  int d = Find(c.device);
  if (d == 0) return "UNKNOWN_DEVICE";
  devices_[d].disabled = true;
  return "";
}

std::string Reference::On(const EnableDevice& c) {
  int d = Find(c.device);
  if (d == 0) return "UNKNOWN_DEVICE";
  devices_[d].disabled = false;
  return "";
}

std::string Reference::On(const CreatePackage& c) {
  if (products_.count(c.product_key) == 0) return "UNKNOWN_PRODUCT";
  if (modules_.count(c.product_key + "/" + ModuleName(c.module)) == 0) return "UNKNOWN_MODULE";
  for (const RefPackage& other : packages_) {
    if (!other.deleted && !other.name.empty() && other.name == c.name) return "PACKAGE_NAME_TAKEN";
  }
  RefPackage made{.product = c.product_key,
                  .module = ModuleName(c.module),
                  .name = c.name,
                  .target = c.target_version,
                  .source = c.diff ? c.source_version : "",
                  .diff = c.diff,
                  .needs_verification = c.needs_verification,
                  .verdict = c.needs_verification ? Verdict::kUnverified : Verdict::kNeedsNone};
  for (const RefPackage& other : packages_) {
    bool same = !other.deleted && other.product == made.product && other.module == made.module &&
                other.target == made.target && other.diff == made.diff &&
                other.source == made.source;
    if (same) return "PACKAGE_VERSION_TAKEN";
  }
  packages_.push_back(made);
  return "";
}

std::string Reference::On(const DeletePackage& c) {
  if (!HasPackage(c.package)) return "UNKNOWN_PACKAGE";
  int p = static_cast<int>(c.package.value());
  for (int b = 1; b < static_cast<int>(batches_.size()); ++b) {
    if (batches_[b].package != p) continue;
    if (batches_[b].state <= BatchState::kInProgress || OpenCount(b) != 0) return "PACKAGE_IN_USE";
  }
  packages_[p].deleted = true;
  return "";
}

// --- Batches ---

std::string Reference::On(const CreateBatch& order) {
  CreateBatch c = order;
  if (products_.count(c.product_key) == 0) return "UNKNOWN_PRODUCT";
  if (!HasPackage(c.package)) return "UNKNOWN_PACKAGE";
  int p = static_cast<int>(c.package.value());
  RefPackage& package = packages_[p];
  if (package.product != c.product_key) return "PACKAGE_OF_OTHER_PRODUCT";
  if (c.verification) {
    if (package.verdict == Verdict::kVerifying) return "VERIFICATION_RUNNING";
    if (package.verdict == Verdict::kVerified) return "ALREADY_VERIFIED";
    c.scope = Scope::kSpecific;
    c.push_per_minute = 0;
    c.override_others = false;
    if (c.timeout_minutes == 0) c.timeout_minutes = settings_.verification_timeout_minutes;
  } else if (package.verdict != Verdict::kVerified && package.verdict != Verdict::kNeedsNone) {
    return "PACKAGE_NOT_VERIFIED";
  }
  RefBatch batch{.order = c, .package = p, .sources = c.source_versions};
  batch.source_given = !c.source_versions.empty() || package.diff;
  if (Contains(c.source_versions, package.target)) return "SOURCE_IS_TARGET";
  if (package.diff) {
    for (const std::string& source : c.source_versions) {
      if (source != package.source) return "SOURCE_VERSION_MISMATCH";
    }
    if (c.scope != Scope::kSpecific) batch.sources = {package.source};
  }
  if (c.dynamic) {
    if (batch.sources.empty()) return "SOURCE_VERSIONS_MISSING";
    for (int b = 1; b < static_cast<int>(batches_.size()); ++b) {
      const RefBatch& other = batches_[b];
      if (other.package != p || !other.order.dynamic || other.stopped) continue;
      for (const std::string& source : other.sources) {
        if (Contains(batch.sources, source)) return "DYNAMIC_BATCH_EXISTS";
      }
    }
  }
  if (c.timeout_minutes != 0 && c.retry_minutes && *c.retry_minutes >= c.timeout_minutes) {
    return "RETRY_NOT_BELOW_TIMEOUT";
  }
  if (c.start_ms != 0) {
    if (c.start_ms <= now_) return "START_IN_PAST";
    if (c.start_ms - now_ < 5 * kMinuteMs) return "START_TOO_SOON";
    if (c.start_ms - now_ > 7 * 1440 * kMinuteMs) return "START_TOO_LATE";
  }
  std::vector<int> named;
  std::set<std::string> seen;
  std::string problem;
  for (const std::string& name : c.device_names) {
    int d = FindDevice(c.product_key, name);
    std::string version = d != 0 ? VersionOf(d, package.module) : "";
    if (!seen.insert(name).second || d == 0) {
      if (problem.empty()) problem = "TARGETS_INVALID";
    } else if (version == package.target) {
      continue;
    } else if (package.diff && version != package.source) {
      problem = version.empty() ? "DEVICE_VERSION_UNKNOWN" : "SOURCE_VERSION_MISMATCH";
    } else {
      named.push_back(d);
    }
  }
  if (!problem.empty()) return problem;

  int id = static_cast<int>(batches_.size());
  batch.frontier = static_cast<int>(devices_.size()) - 1;
  batch.state = c.start_ms != 0 ? BatchState::kPlanned : BatchState::kInProgress;
  batch.walking = c.scope != Scope::kSpecific && !c.only_new_reports;
  batch.rates = {{now_, c.push_per_minute}};
  batches_.push_back(batch);
  bool anybody = !named.empty();
  for (int d = 1; c.scope != Scope::kSpecific && d < static_cast<int>(devices_.size()); ++d) {
    anybody |= Matches(id, d);
  }
  if (!anybody && !c.dynamic) {
    batches_.pop_back();
    return "NO_DEVICE_CAN_UPGRADE";
  }
  if (c.verification && package.needs_verification) package.verdict = Verdict::kVerifying;
  if (c.scope == Scope::kSpecific) {
    Join(id, named);
    AfterEnd(id);
  }
  return "";
}

std::string Reference::On(const EditBatch& c) {
  if (!HasBatch(c.batch)) return "UNKNOWN_BATCH";
  RefBatch& batch = batches_[c.batch.value()];
  if (batch.state > BatchState::kInProgress) return "BATCH_ENDED";
  if ((c.timeout_minutes || c.source_versions) && !batch.order.dynamic) return "NOT_DYNAMIC";
  uint32_t timeout = c.timeout_minutes.value_or(batch.order.timeout_minutes);
  if (timeout != 0 && batch.order.retry_count != 0 &&
      batch.order.retry_minutes.value_or(0) >= timeout) {
    return "RETRY_NOT_BELOW_TIMEOUT";
  }
  batch.order.timeout_minutes = timeout;
  if (c.push_per_minute && *c.push_per_minute != batch.order.push_per_minute) {
    batch.order.push_per_minute = *c.push_per_minute;
    batch.rates.emplace_back(now_, *c.push_per_minute);
  }
  return "";
}

std::string Reference::On(const PauseBatch& c) {
  if (!HasBatch(c.batch)) return "UNKNOWN_BATCH";
  int b = static_cast<int>(c.batch.value());
  bool over = batches_[b].state > BatchState::kInProgress && OpenCount(b) == 0;
  if (over && !batches_[b].paused) return "BATCH_ENDED";
  batches_[b].paused = true;
  return "";
}

std::string Reference::On(const ResumeBatch& c) {
  if (!HasBatch(c.batch)) return "UNKNOWN_BATCH";
  batches_[c.batch.value()].paused = false;
  return "";
}

std::string Reference::On(const StopBatch& c) {
  if (!HasBatch(c.batch)) return "UNKNOWN_BATCH";
  RefBatch& batch = batches_[c.batch.value()];
  if (!batch.order.dynamic) return "NOT_DYNAMIC";
  if (batch.stopped) return "ALREADY_CANCELED";
  batch.stopped = true;
  batch.walking = false;
  batch.state = BatchState::kCanceled;
  return "";
}

std::string Reference::On(const CancelBatch& c) {
  if (!HasBatch(c.batch)) return "UNKNOWN_BATCH";
  int b = static_cast<int>(c.batch.value());
  RefBatch& batch = batches_[b];
  bool unconfirmed = c.unconfirmed.value_or(c.queued);
  if (!c.scheduled && !c.queued && !c.notified && !c.in_progress && !unconfirmed) {
    return "CANCEL_OPTION_MISSING";
  }
  if (c.scheduled && batch.order.start_ms == 0) return "NOT_SCHEDULED";
  if (batch.state == BatchState::kCanceled && OpenCount(b) == 0) return "ALREADY_CANCELED";
  bool waiting = c.scheduled && batch.state == BatchState::kPlanned;
  auto asked = [&](State state) {
    switch (state) {
      case State::kConfirm:
        return unconfirmed || waiting;
      case State::kQueued:
        return c.queued || waiting;
      case State::kNotified:
        return c.notified;
      case State::kInProgress:
        return c.in_progress;
      default:
        return false;
    }
  };
  bool any = false;
  // Who cancels those that have just joined wants no more to come.
  if (batch.walking && asked(batch.order.need_confirm ? State::kConfirm : State::kQueued)) {
    any = true;
  }
  for (int t : batch.tasks) any |= asked(tasks_[t].state);
  if (!any) return "";
  if (asked(batch.order.need_confirm ? State::kConfirm : State::kQueued)) batch.walking = false;
  for (int t : std::vector<int>(batch.tasks)) {
    if (asked(tasks_[t].state)) End(t, State::kCanceled, "by user");
  }
  AfterEnd(b, /*by_cancel=*/true);
  return "";
}

std::string Reference::On(const CancelDevices& c) {
  if (products_.count(c.product_key) == 0) return "UNKNOWN_PRODUCT";
  if (!HasPackage(c.package)) return "UNKNOWN_PACKAGE";
  if (c.batch && !HasBatch(c.batch)) return "UNKNOWN_BATCH";
  int p = static_cast<int>(c.package.value());
  if (packages_[p].product != c.product_key) return "PACKAGE_OF_OTHER_PRODUCT";
  std::vector<int> open;
  std::set<std::string> seen;
  for (const std::string& name : c.device_names) {
    if (!seen.insert(name).second) return "DUPLICATE_DEVICE";
    int d = FindDevice(c.product_key, name);
    if (d == 0) return "UNKNOWN_DEVICE";
    int found = 0;
    for (int t = static_cast<int>(tasks_.size()) - 1; t > 0; --t) {
      const RefTask& task = tasks_[t];
      bool of = task.device == d && batches_[task.batch].package == p &&
                (!c.batch || task.batch == static_cast<int>(c.batch.value()));
      if (!of) continue;
      if (found == 0 || IsOpenState(task.state)) found = t;
      if (IsOpenState(task.state)) break;
    }
    if (found == 0) return "NO_SUCH_UPGRADE";
    if (IsOpenState(tasks_[found].state)) {
      open.push_back(found);
    } else if (tasks_[found].state != State::kCanceled) {
      return "WRONG_TASK_STATE";
    }
  }
  std::set<int> touched;
  for (int t : open) {
    End(t, State::kCanceled, "by user");
    touched.insert(tasks_[t].batch);
  }
  for (int b : touched) AfterEnd(b);
  return "";
}

// --- Single tasks ---

std::string Reference::CheckTasks(const std::vector<TaskId>& tasks) const {
  for (TaskId t : tasks) {
    if (!t || t.value() >= tasks_.size()) return "UNKNOWN_TASK";
    if (std::count(tasks.begin(), tasks.end(), t) > 1) return "TOO_MANY_TASKS";
  }
  return "";
}

std::string Reference::On(const ConfirmTasks& c) {
  if (std::string refused = CheckTasks(c.tasks); !refused.empty()) return refused;
  for (TaskId t : c.tasks) {
    const RefTask& task = tasks_[t.value()];
    const RefBatch& batch = batches_[task.batch];
    if (task.state != State::kConfirm) return "WRONG_TASK_STATE";
    bool late = batch.order.end_ms != 0 && now_ >= batch.order.end_ms;
    if (batch.state == BatchState::kPlanned || late) return "OUTSIDE_SCHEDULE";
  }
  for (TaskId t : c.tasks) tasks_[t.value()].state = State::kQueued;
  return "";
}

std::string Reference::On(const ReupgradeTasks& c) {
  if (!HasBatch(c.batch)) return "UNKNOWN_BATCH";
  if (std::string refused = CheckTasks(c.tasks); !refused.empty()) return refused;
  int b = static_cast<int>(c.batch.value());
  const RefPackage& package = packages_[batches_[b].package];
  if (package.deleted) return "UNKNOWN_PACKAGE";
  bool verified = package.verdict == Verdict::kVerified || package.verdict == Verdict::kNeedsNone;
  if (!verified && !batches_[b].order.verification) return "PACKAGE_NOT_VERIFIED";
  std::set<int> devices;
  for (TaskId id : c.tasks) {
    const RefTask& task = tasks_[id.value()];
    if (task.batch != b) return "UNKNOWN_TASK";
    if (task.state != State::kFailed && task.state != State::kCanceled) return "WRONG_TASK_STATE";
    if (devices_[task.device].deleted) return "UNKNOWN_DEVICE";
    if (batches_[b].order.end_ms != 0 && now_ >= batches_[b].order.end_ms) {
      return "OUTSIDE_SCHEDULE";
    }
    if (int other = OpenTask(task.device, package.module)) {
      bool may = batches_[b].order.override_others && tasks_[other].batch != b &&
                 tasks_[other].state != State::kInProgress;
      if (!may) return "OTHER_TASK_OPEN";
    }
    if (!devices.insert(task.device).second) return "OTHER_TASK_OPEN";
  }
  RefBatch& batch = batches_[b];
  if (batch.state > BatchState::kInProgress && !batch.order.dynamic) {
    batch.state = batch.order.start_ms > now_ ? BatchState::kPlanned : BatchState::kInProgress;
  }
  for (TaskId id : c.tasks) {
    int t = static_cast<int>(id.value());
    if (int other = OpenTask(tasks_[t].device, package.module)) {
      End(other, State::kCanceled, "overridden");
      AfterEnd(tasks_[other].batch);
    }
    std::string version = VersionOf(tasks_[t].device, package.module);
    tasks_[t] = {.device = tasks_[t].device,
                 .batch = b,
                 .state = batch.order.need_confirm ? State::kConfirm : State::kQueued,
                 .source = version};
    if (version == package.target) End(t, State::kSucceeded, "already on target");
  }
  AfterEnd(b);
  return "";
}

// --- What devices say ---

void Reference::JudgeVersion(int id, const std::string& version) {
  RefTask& task = tasks_[id];
  const RefPackage& package = packages_[batches_[task.batch].package];
  if (version == package.target) {
    End(id, State::kSucceeded, "target reported");
    AfterEnd(task.batch);
  } else if (task.source.empty()) {
    task.source = version;
  } else if (version != task.source && task.state == State::kInProgress) {
    FailAttempt(id, "wrong version");
  }
}

std::string Reference::On(const ReportVersion& c) {
  int d = Find(c.device);
  if (d == 0) return "UNKNOWN_DEVICE";
  devices_[d].spoke = true;
  std::string module = ModuleName(c.module);
  bool changed = VersionOf(d, module) != c.version;
  devices_[d].versions[module] = c.version;
  if (int task = OpenTask(d, module)) JudgeVersion(task, c.version);
  if (!changed) return "";
  // The newest dynamic batch that wants what the device now runs.
  for (int b = static_cast<int>(batches_.size()) - 1; b > 0; --b) {
    const RefBatch& batch = batches_[b];
    const RefPackage& package = packages_[batch.package];
    bool wants = batch.order.dynamic && !batch.stopped && package.module == module &&
                 package.product == devices_[d].product && Contains(batch.sources, c.version);
    if (!wants) continue;
    if (TimesJoined(b, d) < 10) Join(b, {d});
    break;
  }
  return "";
}

std::string Reference::On(const ReportProgress& c) {
  int d = Find(c.device);
  if (d == 0) return "UNKNOWN_DEVICE";
  int t = OpenTask(d, ModuleName(c.module));
  if (t == 0) return "NO_OPEN_TASK";
  devices_[d].spoke = true;
  RefTask& task = tasks_[t];
  const RefBatch& batch = batches_[task.batch];
  static const char* const kReasons[] = {"upgrade failed", "download failed", "verify failed",
                                         "burn failed"};
  if (task.state == State::kConfirm) return "NOT_PUSHED";
  if (task.state == State::kQueued && (c.step < 0 || batch.state == BatchState::kPlanned)) {
    return "NOT_PUSHED";
  }
  if (c.step < 0) {
    FailAttempt(t, kReasons[-c.step - 1]);
    return "";
  }
  if (task.state != State::kInProgress) {
    task.state = State::kInProgress;
    // The clock starts with the very first report, and never again.
    if (batch.order.timeout_minutes != 0 && !task.timeout_due) {
      task.timeout_due = now_ + batch.order.timeout_minutes * kMinuteMs;
    }
    task.told_since_online = true;
  }
  task.step = c.step;
  task.retry_due.reset();
  task.retry_ready = false;
  return "";
}

std::string Reference::On(const RequestPackage& c) {
  int d = Find(c.device);
  if (d == 0) return "UNKNOWN_DEVICE";
  pulled_.emplace();
  std::string module = ModuleName(c.module);
  int t = OpenTask(d, module);
  if (t == 0 || tasks_[t].state == State::kConfirm || devices_[d].disabled) return "";
  RefTask& task = tasks_[t];
  const RefBatch& batch = batches_[task.batch];
  if (batch.state == BatchState::kPlanned) return "";
  if (batch.paused && task.state == State::kQueued) return "";
  const RefPackage& package = packages_[batch.package];
  if (package.diff && VersionOf(d, module) != package.source) {
    End(t, State::kFailed, "source mismatch");
    AfterEnd(task.batch);
    return "";
  }
  Notice notice;
  notice.task = TaskId(static_cast<uint32_t>(t));
  pulled_->notice = std::make_shared<Notice>(std::move(notice));
  bool delivers = task.state == State::kQueued || task.retry_due || task.retry_ready;
  if (!delivers) return "";
  if (task.state == State::kQueued) task.state = State::kNotified;
  task.retry_due.reset();
  task.retry_ready = false;
  task.told_since_online = true;
  return "";
}

// --- Presence ---

void Reference::BeginRun(uint64_t epoch) {
  if (ever_ran_ && epoch <= broker_epoch_) return;
  ever_ran_ = true;
  broker_epoch_ = epoch;
  for (RefDevice& device : devices_) device.online = false;
}

std::string Reference::On(const BrokerStarted& c) {
  BeginRun(c.epoch);
  return "";
}

std::string Reference::On(const ReportPresence& c) {
  int d = Find(c.device);
  if (d == 0) return "UNKNOWN_DEVICE";
  if (!ever_ran_ || c.broker_epoch > broker_epoch_) BeginRun(c.broker_epoch);
  if (c.broker_epoch < broker_epoch_) return "";
  RefDevice& device = devices_[d];
  if (!c.online) {
    if (device.online && c.generation >= device.generation) device.online = false;
    return "";
  }
  if (device.online && c.generation <= device.generation) return "";
  device.online = true;
  device.generation = c.generation;
  device.online_since = now_;
  device.spoke = false;
  for (int t = 1; t < static_cast<int>(tasks_.size()); ++t) {
    RefTask& task = tasks_[t];
    bool told = task.state == State::kNotified || task.state == State::kInProgress;
    if (task.device == d && told) task.told_since_online = false;
  }
  return "";
}

}  // namespace updraft::simulation
