// Batches: what they aim at, how they go about it, and how an operator steers them.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "engine/decide_internal.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;

// What a batch will be, once nothing speaks against it.
struct Plan {
  ProductId product;
  ModuleId module;
  const Package* package = nullptr;
  std::vector<VersionId> sources;
  std::vector<std::string> new_sources;  // Versions that no device and no package has named.
  bool source_given = false;
  std::vector<DeviceId> devices;  // The named ones, but for those on the target.
  TargetProblems problems;
  std::string warning;
};

Status Invalid(std::string_view reason, std::string message) {
  return Status(StatusCode::kInvalidArgument, reason, std::move(message));
}

Status CheckTags(const std::vector<std::pair<std::string, std::string>>& tags) {
  if (tags.size() > kTagsMax) {
    return Invalid(refusal::kTagsInvalid, fmt::format("a batch has at most {} tags", kTagsMax));
  }
  size_t bytes = 0;
  std::set<std::string_view> keys;
  for (const auto& [key, value] : tags) {
    bool key_good =
        !key.empty() && key.size() <= 30 && std::all_of(key.begin(), key.end(), [](char c) {
          return isalnum(static_cast<unsigned char>(c)) != 0 || c == '.';
        });
    if (!key_good) {
      return Invalid(
          refusal::kTagsInvalid,
          fmt::format("'{}' is no tag key: it has 1 to 30 letters, digits or points", key));
    }
    if (!IsValidUtf8(value) || value.empty() || CountChars(value) > 1024) {
      return Invalid(refusal::kTagsInvalid,
                     fmt::format("the value of tag '{}' has 1 to 1,024 characters", key));
    }
    if (!keys.insert(key).second) {
      return Invalid(refusal::kDuplicateTag, fmt::format("tag '{}' is there twice", key));
    }
    if (IsNoticeWord(key)) {
      return Invalid(refusal::kTagsInvalid,
                     fmt::format("devices in the field take the tag '{}' for the notice's own "
                                 "field; choose another key",
                                 key));
    }
    if (!BracesBalance(value)) {
      return Invalid(refusal::kTagsInvalid,
                     fmt::format("devices in the field count braces: those in the value of tag "
                                 "'{}' must come in pairs",
                                 key));
    }
    bytes += key.size() + value.size();
  }
  if (bytes > kTagBytesMax) {
    return Invalid(
        refusal::kTagsInvalid,
        fmt::format("the tags together have {} bytes of at most {}", bytes, kTagBytesMax));
  }
  return OkStatus();
}

Status CheckSchedule(const CreateBatch& c, int64_t now_ms) {
  if (c.start_ms == 0) {
    if (c.end_ms == 0) return OkStatus();
    return Invalid(refusal::kEndWithoutStart, "an end needs a start: give both, or none");
  }
  int64_t ahead = c.start_ms - now_ms;
  if (ahead <= 0) return Invalid(refusal::kStartInPast, "the start lies in the past");
  if (ahead < 5 * kMinuteMs) {
    return Invalid(refusal::kStartTooSoon, "the start is at least 5 minutes ahead");
  }
  if (ahead > 7 * kDayMs) {
    return Invalid(refusal::kStartTooLate, "the start is at most 7 days ahead");
  }
  if (c.end_ms == 0) return OkStatus();
  int64_t length = c.end_ms - c.start_ms;
  if (length <= 0) return Invalid(refusal::kEndBeforeStart, "the end lies before the start");
  if (length < kHourMs) {
    return Invalid(refusal::kEndTooSoon, "the end is at least 1 hour after the start");
  }
  if (length > 30 * kDayMs) {
    return Invalid(refusal::kEndTooLate, "the end is at most 30 days after the start");
  }
  return OkStatus();
}

Status CheckRetry(const CreateBatch& c) {
  if (!c.retry_minutes) {
    if (c.retry_count == 0) return OkStatus();
    return Invalid(refusal::kRetryIntervalInvalid, "a number of retries needs an interval");
  }
  static constexpr uint32_t kIntervals[] = {0, 10, 30, 60, 1'440};
  if (std::find(std::begin(kIntervals), std::end(kIntervals), *c.retry_minutes) ==
      std::end(kIntervals)) {
    return Invalid(refusal::kRetryIntervalInvalid,
                   "a retry comes after 0, 10, 30, 60 or 1,440 minutes");
  }
  if (c.retry_count != 1 && c.retry_count != 2 && c.retry_count != 5) {
    return Invalid(refusal::kRetryCountInvalid, "there are 1, 2 or 5 retries");
  }
  if (c.timeout_minutes != 0 && *c.retry_minutes >= c.timeout_minutes) {
    return Invalid(refusal::kRetryNotBelowTimeout,
                   fmt::format("a retry after {} minutes would never come: the timeout ends the "
                               "upgrade after {}; choose a shorter interval or no timeout",
                               *c.retry_minutes, c.timeout_minutes));
  }
  return OkStatus();
}

Status CheckStrategy(const CreateBatch& c, int64_t now_ms) {
  if (c.timeout_minutes > kTimeoutMinutesMax) {
    return Invalid(refusal::kTimeoutInvalid, "a timeout has 1 to 1,440 minutes");
  }
  if (c.multi_module && c.override_others) {
    return Invalid(refusal::kOverrideNotWithMultiModule,
                   "with several modules at a time other tasks cannot be overridden");
  }
  RETURN_IF_ERROR(CheckRetry(c));
  RETURN_IF_ERROR(CheckSchedule(c, now_ms));
  return CheckTags(c.tags);
}

// Resolves the source versions; those that nobody knows match no device yet.
Status PlanSources(const World& world, const CreateBatch& c, Plan& plan) {
  const Package& package = *plan.package;
  bool named_devices = c.scope == Scope::kSpecific;
  if (named_devices && !c.source_versions.empty()) {
    return Invalid(refusal::kSourceVersionsNotAllowed,
                   "source versions do not go with named devices");
  }
  if (c.source_versions.size() > kSourceVersionsMax) {
    return Invalid(refusal::kTooManySourceVersions,
                   fmt::format("a batch has at most {} source versions", kSourceVersionsMax));
  }
  std::set<std::string_view> seen;
  for (const std::string& text : c.source_versions) {
    if (text.empty() || text.size() > kVersionBytesMax || !IsValidUtf8(text)) {
      return Invalid(refusal::kSourceVersionMalformed, fmt::format("'{}' is no version", text));
    }
    if (!seen.insert(text).second) {
      return Invalid(refusal::kDuplicateSourceVersion,
                     fmt::format("source version '{}' is there twice", text));
    }
    VersionId version = world.FindVersion(plan.product, text);
    if (version == package.target && version) {
      return Invalid(refusal::kSourceIsTarget,
                     fmt::format("'{}' is the version that the package brings", text));
    }
    if (version) {
      plan.sources.push_back(version);
    } else {
      plan.new_sources.push_back(text);
    }
  }
  plan.source_given = !c.source_versions.empty();
  if (package.kind == PackageKind::DIFF) {
    if (c.source_versions.size() > 1) {
      return Invalid(refusal::kMoreThanOneSourceVersion,
                     "a diff package starts from one version only");
    }
    if (c.source_versions.size() == 1 &&
        (plan.sources.empty() || plan.sources[0] != package.source)) {
      return Invalid(
          refusal::kSourceVersionMismatch,
          fmt::format("the diff package starts from '{}'", world.versions()[package.source].text));
    }
    if (!named_devices) plan.sources = {package.source};
    plan.source_given = true;
  }
  return OkStatus();
}

Status CheckScope(const World& world, const CreateBatch& c, const Plan& plan) {
  bool named = c.scope == Scope::kSpecific;
  if (!named && !c.device_names.empty()) {
    return Invalid(refusal::kTargetsNotAllowed, "device names go with named devices only");
  }
  if (named && c.device_names.empty()) {
    return Invalid(refusal::kTargetsMissing, "name the devices to upgrade");
  }
  size_t most = c.verification      ? kVerificationTargetsMax
                : c.names_from_file ? kFileTargetsMax
                                    : kNamedTargetsMax;
  if (c.device_names.size() > most) {
    return Invalid(refusal::kTooManyTargets,
                   fmt::format("{} devices are named of at most {}", c.device_names.size(), most));
  }
  if (c.scope == Scope::kGray) {
    if (c.dynamic) {
      return Invalid(refusal::kGrayNeedsStatic, "a part of a fleet is chosen once, not later on");
    }
    if (c.gray_thousandths == 0 || c.gray_thousandths > 100'000) {
      return Invalid(refusal::kGrayPercentInvalid, "the percentage is above 0 and at most 100");
    }
  }
  if (!c.dynamic) return OkStatus();
  if (named) {
    return Invalid(refusal::kDynamicNeedsAll, "a dynamic batch takes devices by version, not name");
  }
  if (c.start_ms != 0 || c.end_ms != 0) {
    return Invalid(refusal::kDynamicCannotBeScheduled, "only a static batch can be scheduled");
  }
  if (c.source_versions.empty() && plan.sources.empty()) {
    return Invalid(refusal::kSourceVersionsMissing,
                   "a dynamic batch needs the versions that it starts from");
  }
  for (BatchId other : world.IndexOf(c.package).batches) {
    const Batch& batch = world.batches()[other];
    if (!batch.dynamic || batch.stopped) continue;
    for (VersionId source : batch.sources) {
      if (std::find(plan.sources.begin(), plan.sources.end(), source) != plan.sources.end()) {
        return Status(StatusCode::kAlreadyExists, refusal::kDynamicBatchExists,
                      fmt::format("a dynamic batch of this package starts from '{}' already; "
                                  "cancel it first",
                                  world.versions()[source].text));
      }
    }
  }
  return OkStatus();
}

// Resolves the named devices. All that is wrong with them is told at once.
Status PlanDevices(const World& world, const CreateBatch& c, Plan& plan) {
  if (c.scope != Scope::kSpecific) return OkStatus();
  std::string_view reason = refusal::kTargetsInvalid;
  std::set<std::string_view> seen;
  auto problem = [&](size_t index, std::string why) {
    plan.problems.problems.push_back({index, c.device_names[index], std::move(why)});
  };
  for (size_t i = 0; i < c.device_names.size(); ++i) {
    const std::string& name = c.device_names[i];
    DeviceId device = world.names().Find(plan.product, name);
    if (!seen.insert(name).second) {
      problem(i, "named twice");
      continue;
    }
    if (!device) {
      problem(i, IsDeviceName(name) ? "unknown to the product" : "no device name");
      continue;
    }
    VersionId version = world.VersionOf(device, plan.module);
    if (version && version == plan.package->target) continue;
    if (plan.package->kind == PackageKind::DIFF && version != plan.package->source) {
      if (c.names_from_file) continue;
      reason = version ? refusal::kSourceVersionMismatch : refusal::kDeviceVersionUnknown;
      problem(i, version ? fmt::format("runs '{}', which the diff package does not start from",
                                       world.versions()[version].text)
                         : "has not reported the version that the diff package starts from");
      continue;
    }
    plan.devices.push_back(device);
  }
  if (plan.problems.problems.empty()) return OkStatus();
  const TargetProblem& first = plan.problems.problems.front();
  return Invalid(reason, fmt::format("{} of {} devices cannot be upgraded, so none is; the first, "
                                     "'{}': {}",
                                     plan.problems.problems.size(), c.device_names.size(),
                                     first.name, first.reason));
}

uint64_t Population(const World& world, const Plan& plan) {
  const ModuleIndex& index = world.IndexOf(plan.module);
  auto in_use = [&](VersionId version) -> uint64_t {
    auto it = index.in_use.find(version);
    return it == index.in_use.end() ? 0 : it->second;
  };
  if (!plan.source_given) {
    return world.IndexOf(plan.product).devices.total() - in_use(plan.package->target);
  }
  uint64_t sum = 0;
  for (VersionId source : plan.sources) sum += in_use(source);
  return sum;
}

Status CheckPackage(const World& world, const CreateBatch& c, const Plan& plan) {
  if (world.modules()[plan.package->module].product != plan.product) {
    return Invalid(refusal::kPackageOfOtherProduct,
                   fmt::format("the package is not one of product '{}'", c.product_key));
  }
  PackageStatus status = plan.package->status;
  auto state = [](std::string_view reason, std::string message) {
    return Status(StatusCode::kFailedPrecondition, reason, std::move(message));
  };
  if (c.verification) {
    if (status == PackageStatus::VERIFYING) {
      return state(refusal::kVerificationRunning, "a verification of the package is running");
    }
    if (status == PackageStatus::VERIFIED) {
      return state(refusal::kAlreadyVerified, "the package is verified");
    }
    return OkStatus();
  }
  if (status != PackageStatus::VERIFIED && status != PackageStatus::NEEDS_NONE) {
    return state(refusal::kPackageNotVerified,
                 "the package is not verified; verify it on a few devices first");
  }
  return OkStatus();
}

Status MakePlan(const World& world, const Limits& limits, const CreateBatch& c, int64_t now_ms,
                Plan& plan) {
  ASSIGN_OR_RETURN(plan.product, RequireProduct(world, c.product_key));
  ASSIGN_OR_RETURN(PackageId package, RequirePackage(world, c.package));
  plan.package = &world.packages()[package];
  plan.module = plan.package->module;
  RETURN_IF_ERROR(CheckPackage(world, c, plan));
  RETURN_IF_ERROR(PlanSources(world, c, plan));
  RETURN_IF_ERROR(CheckScope(world, c, plan));
  RETURN_IF_ERROR(CheckStrategy(c, now_ms));
  RETURN_IF_ERROR(PlanDevices(world, c, plan));
  uint64_t population = c.scope == Scope::kSpecific ? plan.devices.size() : Population(world, plan);
  if (population == 0 && !c.dynamic) {
    return Status(StatusCode::kFailedPrecondition, refusal::kNoDeviceCanUpgrade,
                  "no device can be upgraded: none matches, or all run the version already");
  }
  uint64_t targets =
      c.scope == Scope::kGray ? GrayShare(population, c.gray_thousandths) : population;
  if (limits.devices_per_batch_max != 0 && targets > limits.devices_per_batch_max) {
    return Invalid(refusal::kTooManyTargets,
                   fmt::format("the batch would have {} devices; the configuration allows {}",
                               targets, limits.devices_per_batch_max));
  }
  if (c.retry_minutes && !plan.source_given) {
    plan.warning =
        "failed upgrades will not be retried: a retry needs the batch to have source versions";
  }
  return OkStatus();
}

BatchId EmitBatch(Turn& turn, const CreateBatch& c, const Plan& plan) {
  const World& world = turn.world();
  std::vector<VersionId> sources = plan.sources;
  for (const std::string& text : plan.new_sources) {
    sources.push_back(FindOrNameVersion(turn, plan.product, text, DeviceId()));
  }
  BatchId id = world.batches().next();
  turn.Emit([&](auto event) {
    auto created = event.initBatchCreated();
    created.setBatch(id.value());
    created.setPackage(c.package.value());
    created.setVerifies(c.verification);
    created.setDynamic(c.dynamic);
    created.setOnlyNewReports(c.only_new_reports);
    created.setScope(c.scope == Scope::kAll    ? BatchScope::ALL
                     : c.scope == Scope::kGray ? BatchScope::GRAY
                                               : BatchScope::SPECIFIC);
    created.setGrayThousandths(c.gray_thousandths);
    auto list = created.initSources(static_cast<unsigned>(sources.size()));
    for (unsigned i = 0; i < sources.size(); ++i) list.set(i, sources[i].value());
    created.setSourceGiven(plan.source_given);
    created.setFrontier(world.devices().newest().value());
    created.setPushPerMinute(c.verification ? 0 : c.push_per_minute);
    created.setTimeoutMinutes(c.timeout_minutes);
    created.setRetryCount(static_cast<uint8_t>(c.retry_count));
    created.setRetryMinutes(c.retry_minutes.value_or(0));
    created.setOverride(c.override_others && !c.verification);
    created.setStartMs(c.start_ms);
    created.setEndMs(c.end_ms);
    created.setNeedPush(c.need_push);
    created.setNeedConfirm(c.need_confirm);
    created.setMultiModule(c.multi_module);
    auto tags = created.initTags(static_cast<unsigned>(c.tags.size()));
    for (unsigned i = 0; i < c.tags.size(); ++i) {
      tags[i].setKey(c.tags[i].first);
      tags[i].setValue(c.tags[i].second);
    }
    created.setWalk(c.scope != Scope::kSpecific && !c.only_new_reports);
  });
  return id;
}

}  // namespace

Outcome DecideOn(Turn& turn, const Limits& limits, const CreateBatch& order) {
  CreateBatch c = order;
  if (c.verification) {
    c.scope = Scope::kSpecific;
    if (c.timeout_minutes == 0) c.timeout_minutes = limits.verification_timeout_minutes;
  }
  Plan plan;
  if (Status status = MakePlan(turn.world(), limits, c, turn.now_ms(), plan); !status.ok()) {
    Outcome refused{std::move(status), {}};
    if (!plan.problems.problems.empty()) refused.answer = std::move(plan.problems);
    return refused;
  }
  BatchId id = EmitBatch(turn, c, plan);
  if (c.verification && plan.package->needs_verification) {
    turn.Emit([&](auto event) {
      auto changed = event.initPackageStatusChanged();
      changed.setPackage(c.package.value());
      changed.setStatus(PackageStatus::VERIFYING);
    });
  }
  if (c.scope == Scope::kSpecific) {
    ChooseTargets(turn, id, plan.devices, DeviceId(), false);
    // Each of them may have been in conflict.
    AfterTasksEnded(turn, id);
  }
  return Done(CreatedBatch{id, plan.warning});
}

namespace {

bool IsOver(const Batch& batch) {
  return batch.status == BatchStatus::COMPLETED || batch.status == BatchStatus::CANCELED;
}

}  // namespace

Outcome DecideOn(Turn& turn, const EditBatch& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(BatchId id, RequireBatch(world, c.batch));
  const Batch& batch = world.batches()[id];
  if (IsOver(batch)) return RefuseState(refusal::kBatchEnded, "the batch is over");
  if ((c.timeout_minutes || c.source_versions) && !batch.dynamic) {
    return RefuseState(refusal::kNotDynamic,
                       "only a dynamic batch can change its timeout or source versions");
  }
  uint32_t pace = c.push_per_minute.value_or(batch.push_per_minute);
  uint32_t timeout = c.timeout_minutes.value_or(batch.timeout_minutes);
  Tags tags = c.tags.value_or(batch.tags);
  if (timeout > kTimeoutMinutesMax) {
    return RefuseInvalid(refusal::kTimeoutInvalid, "a timeout has 1 to 1,440 minutes");
  }
  if (timeout != 0 && batch.retry_count != 0 && batch.retry_minutes >= timeout) {
    return RefuseInvalid(refusal::kRetryNotBelowTimeout,
                         "the timeout must be longer than the retry interval");
  }
  if (Status status = CheckTags(tags); !status.ok()) return Outcome{std::move(status), {}};

  std::vector<VersionId> sources = batch.sources;
  std::vector<std::string> new_sources;
  if (c.source_versions) {
    CreateBatch as_new{
        .package = batch.package, .dynamic = true, .source_versions = *c.source_versions};
    Plan plan;
    plan.product = world.ProductOf(id);
    plan.module = world.ModuleOf(id);
    plan.package = &world.packages()[batch.package];
    if (c.source_versions->empty()) {
      return RefuseInvalid(refusal::kSourceVersionsMissing,
                           "a dynamic batch needs the versions that it starts from");
    }
    Status status = PlanSources(world, as_new, plan);
    if (!status.ok()) return Outcome{std::move(status), {}};
    sources = plan.sources;
    new_sources = plan.new_sources;
    for (BatchId other : world.IndexOf(batch.package).batches) {
      const Batch& running = world.batches()[other];
      if (other == id || !running.dynamic || running.stopped) continue;
      for (VersionId source : running.sources) {
        if (std::find(sources.begin(), sources.end(), source) == sources.end()) continue;
        return Refuse(StatusCode::kAlreadyExists, refusal::kDynamicBatchExists,
                      fmt::format("another dynamic batch of this package starts from '{}'",
                                  world.versions()[source].text));
      }
    }
  }
  bool same = pace == batch.push_per_minute && timeout == batch.timeout_minutes &&
              tags == batch.tags && sources == batch.sources && new_sources.empty();
  if (same) return Done();
  for (const std::string& text : new_sources) {
    sources.push_back(FindOrNameVersion(turn, world.ProductOf(id), text, DeviceId()));
  }
  turn.Emit([&](auto event) {
    auto edited = event.initBatchEdited();
    edited.setBatch(id.value());
    edited.setPushPerMinute(pace);
    edited.setTimeoutMinutes(timeout);
    auto list = edited.initSources(static_cast<unsigned>(sources.size()));
    for (unsigned i = 0; i < sources.size(); ++i) list.set(i, sources[i].value());
    auto tag_list = edited.initTags(static_cast<unsigned>(tags.size()));
    for (unsigned i = 0; i < tags.size(); ++i) {
      tag_list[i].setKey(tags[i].first);
      tag_list[i].setValue(tags[i].second);
    }
  });
  return Done();
}

Outcome DecideOn(Turn& turn, const PauseBatch& c) {
  REQUIRE_OR_REFUSE(BatchId id, RequireBatch(turn.world(), c.batch));
  const Batch& batch = turn.world().batches()[id];
  if (batch.paused) return Done();
  if (IsOver(batch) && turn.world().OpenTasks(id) == 0) {
    return RefuseState(refusal::kBatchEnded, "the batch is over");
  }
  turn.Emit([&](auto event) { event.initBatchPaused().setBatch(id.value()); });
  return Done();
}

Outcome DecideOn(Turn& turn, const ResumeBatch& c) {
  REQUIRE_OR_REFUSE(BatchId id, RequireBatch(turn.world(), c.batch));
  if (!turn.world().batches()[id].paused) return Done();
  turn.Emit([&](auto event) { event.initBatchResumed().setBatch(id.value()); });
  return Done();
}

void EndDynamic(Turn& turn, BatchId id) {
  turn.Emit([&](auto event) { event.initBatchStopped().setBatch(id.value()); });
  turn.Emit([&](auto event) {
    auto ended = event.initBatchEnded();
    ended.setBatch(id.value());
    ended.setStatus(BatchStatus::CANCELED);
  });
}

Outcome DecideOn(Turn& turn, const StopBatch& c) {
  REQUIRE_OR_REFUSE(BatchId id, RequireBatch(turn.world(), c.batch));
  const Batch& batch = turn.world().batches()[id];
  if (!batch.dynamic) {
    return RefuseState(refusal::kNotDynamic,
                       "the batch is static: nothing joins it, cancel its tasks instead");
  }
  if (batch.stopped) {
    return RefuseState(refusal::kAlreadyCanceled, "the batch takes no more devices already");
  }
  EndDynamic(turn, id);
  return Done();
}

Outcome DecideOn(Turn& turn, const CancelBatch& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(BatchId id, RequireBatch(world, c.batch));
  const Batch& batch = world.batches()[id];
  bool unconfirmed = c.unconfirmed.value_or(c.queued);
  if (!c.scheduled && !c.queued && !c.notified && !c.in_progress && !unconfirmed) {
    return RefuseInvalid(refusal::kCancelOptionMissing,
                         "say which tasks to cancel: scheduled, queued, notified, in progress or "
                         "unconfirmed");
  }
  if (c.scheduled && batch.start_ms == 0) {
    return RefuseState(refusal::kNotScheduled, "the batch has no schedule");
  }
  if (batch.status == BatchStatus::CANCELED && world.OpenTasks(id) == 0) {
    return RefuseState(refusal::kAlreadyCanceled, "the batch is cancelled already");
  }
  auto bit = [](bool in, TaskState state) { return in ? 1u << static_cast<int>(state) : 0u; };
  // A scheduled batch that waits for its start has no other tasks than these.
  bool all_waiting = c.scheduled && batch.status == BatchStatus::PLANNED;
  uint32_t states = bit(unconfirmed || all_waiting, TaskState::CONFIRM) |
                    bit(c.queued || all_waiting, TaskState::QUEUED) |
                    bit(c.notified, TaskState::NOTIFIED) |
                    bit(c.in_progress, TaskState::IN_PROGRESS);
  const auto& counts = world.IndexOf(id).tasks.counts();
  TaskState joined = batch.need_confirm ? TaskState::CONFIRM : TaskState::QUEUED;
  bool any = batch.walking && (states >> static_cast<int>(joined) & 1) != 0;
  for (int state = 0; state < kTaskStateCount; ++state) {
    any |= (states >> state & 1) != 0 && counts[state] != 0;
  }
  if (any) BeginSweep(turn, id, events::SweepCause::BY_USER, states);
  return Done();
}

}  // namespace updraft
