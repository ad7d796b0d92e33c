#include "engine/explain.h"

#include <algorithm>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "engine/core.h"
#include "engine/decide_internal.h"
#include "projections/side_values.h"

namespace updraft {
namespace {

std::string TimeText(int64_t ms) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<time_t>(ms / 1'000)));
}

std::string ReasonText(TaskReason reason) {
  switch (reason) {
    case TaskReason::NONE:
      return "no reason was recorded";
    case TaskReason::CONFLICT:
      return "the device's module has another open upgrade, which this batch may not end";
    case TaskReason::UPGRADE_FAILED:
      return "the device reported -1, upgrade failed";
    case TaskReason::DOWNLOAD_FAILED:
      return "the device reported -2, download failed";
    case TaskReason::VERIFY_FAILED:
      return "the device reported -3, verification of the file failed";
    case TaskReason::BURN_FAILED:
      return "the device reported -4, writing the file failed";
    case TaskReason::WRONG_VERSION:
      return "the device reported a version that is neither the source nor the target";
    case TaskReason::TIMEOUT:
      return "the time from the first progress report ran out before the target was reported; a "
             "timeout is not retried";
    case TaskReason::SOURCE_MISMATCH:
      return "the device runs another version than the diff package starts from";
    case TaskReason::BY_USER:
      return "a user cancelled it";
    case TaskReason::OVERRIDDEN:
      return "a later batch took the device over";
    case TaskReason::SCHEDULE_END:
      return "the batch's scheduled end was reached";
    case TaskReason::DEVICE_DELETED:
      return "the device was deleted";
    case TaskReason::TARGET_REPORTED:
      return "the device reported the target version";
    case TaskReason::ALREADY_ON_TARGET:
      return "the device ran the target version already";
  }
  Unreachable();
}

// Which events belong to the story, and how it tells them. Goes through the log once, beside a
// world that holds all of it up to `last`; what a running engine has appended since is left out.
class Narrator {
 public:
  // Of one task, or of all of the device's if `task` is 0.
  Narrator(const EventLog& log, const World& world, Seq last, DeviceId device, TaskId task)
      : log_(log), w_(world), last_(last), device_(device), task_(task) {}

  Status Visit(const CommitReader& commit) {
    if (commit.last() > last_) return OkStatus();
    uint64_t seq = commit.header().first.value();
    for (events::Event::Reader event : commit.events()) {
      seq_ = Seq(seq++);
      time_ms_ = commit.header().time_ms;
      std::optional<Told> told = Tell(event);
      if (!told) continue;
      std::string cause(told->cause);
      if (event.getBy() != 0) cause = "key " + w_.keys()[KeyId(event.getBy())].access_key_id;
      story_.push_back({seq_, time_ms_, std::move(cause), std::move(told->sentence)});
    }
    return OkStatus();
  }

  std::vector<Explanation> TakeStory() { return std::move(story_); }

 private:
  struct Told {
    std::string_view cause;
    std::string sentence;
  };
  using Maybe = std::optional<Told>;

  static Maybe Device(std::string sentence) { return Told{"device", std::move(sentence)}; }
  static Maybe Timer(std::string sentence) { return Told{"timer", std::move(sentence)}; }
  static Maybe Engine(std::string sentence) { return Told{"engine", std::move(sentence)}; }

  bool IsTask(uint32_t id) const {
    return task_ ? task_.value() == id : w_.tasks()[TaskId(id)].device == device_;
  }
  // An event of the device matters to a task while that is open, and to the device always.
  bool IsDevice(uint32_t id) const { return id == device_.value() && (!task_ || open_); }
  bool IsBatch(uint32_t id) const {
    return task_ && w_.tasks()[task_].batch.value() == id && (open_ || !begun_);
  }

  std::string VersionText(VersionId id) const {
    return id ? fmt::format("'{}'", w_.versions()[id].text) : std::string("unknown");
  }
  std::string TargetText(TaskId id) const { return VersionText(PackageOf(id).target); }
  const Package& PackageOf(TaskId id) const {
    return w_.packages()[w_.batches()[w_.tasks()[id].batch].package];
  }
  // The device's own words with this event, as far as they are not erased.
  std::string Words(bool spoken) const {
    if (!spoken) return "";
    Result<std::string> text = log_.ReadSide(SideKeyOfText(device_, seq_));
    return text.ok() ? fmt::format(", saying \"{}\"", *text) : std::string(", in erased words");
  }
  std::string FailureText(TaskId id, TaskReason reason) const {
    if (reason != TaskReason::WRONG_VERSION) return ReasonText(reason);
    return fmt::format(
        "the device reported version {}, which is neither the source {} nor the target {}",
        VersionText(running_), VersionText(w_.tasks()[id].source), TargetText(id));
  }

  Maybe Tell(events::Event::Reader event);
  Maybe TellChosen(events::TargetsChosen::Reader chosen);
  Maybe TellJoined(TaskId id, bool conflicted);
  Maybe TellBatch(events::BatchCreated::Reader created) const;
  Maybe TellVersion(events::VersionReported::Reader reported);
  Maybe TellImported(events::VersionsImported::Reader imported);
  Maybe TellCanceled(events::TasksCanceled::Reader canceled);
  Maybe TellSweep(events::SweepBegan::Reader began) const;
  Maybe TellPushed(events::TaskPushed::Reader pushed) const;

  const EventLog& log_;
  const World& w_;
  const Seq last_;
  const DeviceId device_;
  const TaskId task_;

  Seq seq_;
  int64_t time_ms_ = 0;
  bool begun_ = false;  // The task has joined its batch.
  bool open_ = false;
  VersionId running_;  // What the device reported last, of the module told of.
  std::vector<Explanation> story_;
};

// No default: a kind of event that has no place in a story is named here too.
Narrator::Maybe Narrator::Tell(events::Event::Reader event) {
  using events::Event;
  switch (event.which()) {
    case Event::ENGINE_STARTED:
    case Event::SCHEMA_RAISED:
    case Event::DIGEST_RECORDED:
    case Event::CLOCK_CONFIRMED:
    case Event::PRODUCT_CREATED:
    case Event::PRODUCT_UPDATED:
    case Event::PRODUCT_DELETED:
    case Event::MODULE_NAMED:
    case Event::MODULE_CREATED:
    case Event::MODULE_UPDATED:
    case Event::MODULE_DELETED:
    case Event::VERSION_NAMED:
    case Event::KEY_CREATED:
    case Event::KEY_CHANGED:
    case Event::KEY_DELETED:
    case Event::PACKAGE_CREATED:
    case Event::PACKAGE_STATUS_CHANGED:
    case Event::PACKAGE_DELETED:
    case Event::PUSHES_ACKNOWLEDGED:
    case Event::CLIENT_TOKEN_USED:
      return std::nullopt;

    case Event::DEVICES_REGISTERED: {
      auto registered = event.getDevicesRegistered();
      uint64_t count = registered.getCommitments().size() / 16;
      bool here = device_.value() >= registered.getFirst() &&
                  device_.value() < registered.getFirst() + count;
      return here && !task_ ? Engine("the device was registered") : std::nullopt;
    }
    case Event::DEVICE_UPDATED:
      return IsDevice(event.getDeviceUpdated().getDevice())
                 ? Engine("the device's nickname or secret was changed")
                 : std::nullopt;
    case Event::DEVICE_DELETED:
      return IsDevice(event.getDeviceDeleted().getDevice()) ? Engine("the device was deleted")
                                                            : std::nullopt;
    case Event::DEVICE_DISABLED:
      return IsDevice(event.getDeviceDisabled().getDevice())
                 ? Engine("the device was disabled: nothing is pushed to it until it is enabled")
                 : std::nullopt;
    case Event::DEVICE_ENABLED:
      return IsDevice(event.getDeviceEnabled().getDevice()) ? Engine("the device was enabled")
                                                            : std::nullopt;
    case Event::BROKER_EPOCH_BEGAN:
      return !task_ || open_ ? Engine(
                                   "the broker started: every device counts as offline until it "
                                   "connects again")
                             : std::nullopt;
    case Event::DEVICE_ONLINE:
      return IsDevice(event.getDeviceOnline().getDevice()) ? Device("the device came online")
                                                           : std::nullopt;
    case Event::DEVICE_OFFLINE:
      return IsDevice(event.getDeviceOffline().getDevice()) ? Device("the device went offline")
                                                            : std::nullopt;
    case Event::DEVICE_SETTLED:
      return IsDevice(event.getDeviceSettled().getDevice())
                 ? Engine(
                       "the device has been online long enough, or has reported: what waits for "
                       "it may be pushed")
                 : std::nullopt;
    case Event::VERSIONS_IMPORTED:
      return TellImported(event.getVersionsImported());
    case Event::VERSION_REPORTED:
      return TellVersion(event.getVersionReported());

    case Event::BATCH_CREATED:
      return TellBatch(event.getBatchCreated());
    case Event::GRAY_CUT:
      return IsBatch(event.getGrayCut().getBatch())
                 ? Engine(fmt::format("of {} devices that match, the batch's share was found",
                                      event.getGrayCut().getPopulation()))
                 : std::nullopt;
    case Event::TARGETS_CHOSEN:
      return TellChosen(event.getTargetsChosen());
    case Event::BATCH_STARTED:
      return IsBatch(event.getBatchStarted().getBatch())
                 ? Timer("the batch's scheduled start was reached")
                 : std::nullopt;
    case Event::BATCH_EDITED:
      return IsBatch(event.getBatchEdited().getBatch())
                 ? Engine(fmt::format("the batch was changed: {} pushes a minute (0 is no limit), "
                                      "a timeout of {} minutes (0 is none) for tasks that begin "
                                      "later",
                                      event.getBatchEdited().getPushPerMinute(),
                                      event.getBatchEdited().getTimeoutMinutes()))
                 : std::nullopt;
    case Event::BATCH_PAUSED:
      return IsBatch(event.getBatchPaused().getBatch())
                 ? Engine("the batch was paused: it pushes nothing until it is resumed")
                 : std::nullopt;
    case Event::BATCH_RESUMED:
      return IsBatch(event.getBatchResumed().getBatch()) ? Engine("the batch was resumed")
                                                         : std::nullopt;
    case Event::BATCH_STOPPED:
      return IsBatch(event.getBatchStopped().getBatch())
                 ? Engine("the batch was stopped: it takes no more devices, its open tasks go on")
                 : std::nullopt;
    case Event::SWEEP_BEGAN:
      return TellSweep(event.getSweepBegan());
    case Event::SWEEP_ENDED:
      return IsBatch(event.getSweepEnded().getBatch())
                 ? Engine("the cancelling of the batch's tasks was finished")
                 : std::nullopt;
    case Event::BATCH_ENDED:
      return IsBatch(event.getBatchEnded().getBatch()) ? Engine("the batch was over")
                                                       : std::nullopt;
    case Event::BATCH_REOPENED:
      return task_ && event.getBatchReopened().getBatch() == w_.tasks()[task_].batch.value()
                 ? Engine("the batch runs again, for a task of it is upgraded again")
                 : std::nullopt;

    case Event::TASK_PUSHED:
      return TellPushed(event.getTaskPushed());
    case Event::TASK_PULLED:
      return IsTask(event.getTaskPulled().getTask())
                 ? Device("the device asked for its upgrade and was given the notice")
                 : std::nullopt;
    case Event::UPGRADE_BEGAN: {
      auto began = event.getUpgradeBegan();
      if (!IsTask(began.getTask())) return std::nullopt;
      std::string until = began.getTimeoutMs() == 0
                              ? std::string("there is no timeout")
                              : "it times out at " + TimeText(began.getTimeoutMs());
      return Device(
          fmt::format("the device reported its first progress, {} percent{}: it is "
                      "upgrading, {}",
                      began.getStep(), Words(began.getText()), until));
    }
    case Event::PROGRESS_REPORTED: {
      auto progress = event.getProgressReported();
      if (!IsTask(progress.getTask())) return std::nullopt;
      return Device(fmt::format("the device reported {} percent{}", progress.getStep(),
                                Words(progress.getText())));
    }
    case Event::RETRY_PLANNED: {
      auto planned = event.getRetryPlanned();
      if (!IsTask(planned.getTask())) return std::nullopt;
      return Device(fmt::format("{}{}: the attempt failed, a retry follows at {}",
                                FailureText(TaskId(planned.getTask()), planned.getReason()),
                                Words(planned.getText()), TimeText(planned.getDueMs())));
    }
    case Event::RETRY_CAME_DUE:
      return IsTask(event.getRetryCameDue().getTask())
                 ? Timer("the retry is due: it is pushed as soon as the device and the pace allow")
                 : std::nullopt;
    case Event::FAILURE_NOTED: {
      auto noted = event.getFailureNoted();
      if (!IsTask(noted.getTask())) return std::nullopt;
      return Device(fmt::format("{}{}, while a retry waits: no attempt is used up",
                                FailureText(TaskId(noted.getTask()), noted.getReason()),
                                Words(noted.getText())));
    }
    case Event::SOURCE_LEARNED: {
      auto learned = event.getSourceLearned();
      if (!IsTask(learned.getTask())) return std::nullopt;
      return Device(
          fmt::format("the device's version was unknown when it joined; its first report "
                      "says that it starts from {}",
                      VersionText(VersionId(learned.getVersion()))));
    }
    case Event::TASK_SUCCEEDED: {
      auto succeeded = event.getTaskSucceeded();
      if (!IsTask(succeeded.getTask())) return std::nullopt;
      open_ = false;
      return Device(fmt::format("{} {}: the upgrade succeeded", ReasonText(succeeded.getReason()),
                                TargetText(TaskId(succeeded.getTask()))));
    }
    case Event::TASK_FAILED: {
      auto failed = event.getTaskFailed();
      if (!IsTask(failed.getTask())) return std::nullopt;
      open_ = false;
      TaskReason reason = failed.getReason();
      std::string sentence =
          fmt::format("{}{}: the upgrade failed", FailureText(TaskId(failed.getTask()), reason),
                      Words(failed.getText()));
      if (reason == TaskReason::TIMEOUT) return Timer(std::move(sentence));
      if (reason == TaskReason::SOURCE_MISMATCH) return Engine(std::move(sentence));
      return Device(std::move(sentence));
    }
    case Event::TASKS_CANCELED:
      return TellCanceled(event.getTasksCanceled());
    case Event::TASK_CONFIRMED:
      return IsTask(event.getTaskConfirmed().getTask())
                 ? Engine("the upgrade was confirmed: it waits to be pushed")
                 : std::nullopt;
    case Event::TASK_REOPENED:
      if (!IsTask(event.getTaskReopened().getTask())) return std::nullopt;
      open_ = true;
      return Engine("the upgrade was begun again: attempts, progress and timeout are new");
  }
  Unreachable();
}

Narrator::Maybe Narrator::TellBatch(events::BatchCreated::Reader created) const {
  if (!IsBatch(created.getBatch())) return std::nullopt;
  std::string sentence =
      fmt::format("the batch was created: {}{} to version {}",
                  created.getVerifies()  ? "verification, "
                  : created.getDynamic() ? "dynamic, "
                                         : "",
                  created.getOverride() ? "overriding other upgrades," : "keeping other upgrades,",
                  TargetText(task_));
  if (created.getStartMs() != 0) sentence += "; it starts at " + TimeText(created.getStartMs());
  if (created.getEndMs() != 0) sentence += "; it ends at " + TimeText(created.getEndMs());
  if (!created.getNeedPush()) sentence += "; it pushes nothing, devices must ask";
  return Engine(std::move(sentence));
}

Narrator::Maybe Narrator::TellChosen(events::TargetsChosen::Reader chosen) {
  for (uint32_t task : chosen.getOverridden()) {
    if (!IsTask(task)) continue;
    open_ = false;
    // The device's own story tells of the task that takes it over as well.
    if (task_) return Engine(ReasonText(TaskReason::OVERRIDDEN) + ": the upgrade was cancelled");
  }
  uint32_t task = chosen.getFirstTask();
  for ([[maybe_unused]] uint32_t device : chosen.getQueued()) {
    if (IsTask(task)) return TellJoined(TaskId(task), false);
    ++task;
  }
  for ([[maybe_unused]] uint32_t device : chosen.getConflicted()) {
    if (IsTask(task)) return TellJoined(TaskId(task), true);
    ++task;
  }
  return std::nullopt;
}

Narrator::Maybe Narrator::TellJoined(TaskId id, bool conflicted) {
  begun_ = true;
  open_ = !conflicted;
  std::string to = fmt::format("the device joined batch {} to version {}",
                               w_.tasks()[id].batch.value(), TargetText(id));
  if (conflicted) {
    return Engine(to + ": it failed at once, for " + ReasonText(TaskReason::CONFLICT));
  }
  bool confirm = w_.batches()[w_.tasks()[id].batch].need_confirm;
  return Engine(to + (confirm ? ": it waits to be confirmed" : ": it waits to be pushed"));
}

Narrator::Maybe Narrator::TellImported(events::VersionsImported::Reader imported) {
  auto devices = imported.getDevices();
  bool ours = false;
  for (uint32_t device : devices) ours = ours || device == device_.value();
  if (!ours) return std::nullopt;
  ModuleId module(imported.getModule());
  if (task_ && module != PackageOf(task_).module) return std::nullopt;
  running_ = VersionId(imported.getVersion());
  if (task_ && !begun_) return std::nullopt;
  return Engine(fmt::format("the device was brought in as running version {} of module '{}'",
                            VersionText(running_), w_.modules()[module].name));
}

Narrator::Maybe Narrator::TellVersion(events::VersionReported::Reader reported) {
  if (reported.getDevice() != device_.value()) return std::nullopt;
  ModuleId module(reported.getModule());
  VersionId version(reported.getVersion());
  if (!task_) {
    running_ = version;
    return Device(fmt::format("the device reported version {} of module '{}'", VersionText(version),
                              w_.modules()[module].name));
  }
  if (module != PackageOf(task_).module) return std::nullopt;
  running_ = version;
  if (!begun_) return std::nullopt;
  return Device(fmt::format("the device reported version {}{}", VersionText(version),
                            open_ ? "" : ", which changes nothing: the upgrade had ended"));
}

Narrator::Maybe Narrator::TellCanceled(events::TasksCanceled::Reader canceled) {
  for (uint32_t task : canceled.getTasks()) {
    if (!IsTask(task)) continue;
    open_ = false;
    std::string sentence = ReasonText(canceled.getReason()) + ": the upgrade was cancelled";
    return canceled.getReason() == TaskReason::SCHEDULE_END ? Timer(std::move(sentence))
                                                            : Engine(std::move(sentence));
  }
  return std::nullopt;
}

Narrator::Maybe Narrator::TellSweep(events::SweepBegan::Reader began) const {
  if (!IsBatch(began.getBatch())) return std::nullopt;
  if (began.getCause() == events::SweepCause::SCHEDULE_END) {
    return Timer("the batch's scheduled end was reached: its open tasks are being cancelled");
  }
  std::string states;
  auto add = [&](bool in, std::string_view state) {
    if (in) states += fmt::format("{}{}", states.empty() ? "" : ", ", state);
  };
  add(began.getConfirm(), "to be confirmed");
  add(began.getQueued(), "pending push");
  add(began.getNotified(), "pushed");
  add(began.getInProgress(), "upgrading");
  return Engine(fmt::format("a user cancels the batch's tasks that are {}", states));
}

Narrator::Maybe Narrator::TellPushed(events::TaskPushed::Reader pushed) const {
  if (!IsTask(pushed.getTask())) return std::nullopt;
  switch (pushed.getKind()) {
    case PushKind::FIRST:
      return Engine("the notice was pushed to the device");
    case PushKind::RETRY:
      return Engine("the notice was pushed to the device again, for the retry");
    case PushKind::REPEAT:
      return Engine(
          "the notice was pushed to the device again, for it came back online with the "
          "upgrade still to do");
  }
  Unreachable();
}

Result<std::vector<Explanation>> Explain(const EventLog& log, const Core& core, DeviceId device,
                                         TaskId task, Seq from) {
  Narrator narrator(log, core.world(), core.head().last, device, task);
  RETURN_IF_ERROR(
      log.Read(from, [&](const CommitReader& commit) { return narrator.Visit(commit); }));
  return narrator.TakeStory();
}

// The first event of a commit at `time_ms` or later; past the log's end when there is none. The
// log's time does not go back.
Result<Seq> FirstAt(const EventLog& log, int64_t time_ms) {
  uint64_t low = 1, high = log.head().last.value() + 1;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    std::optional<CommitHeader> header;
    uint64_t last = 0;
    const Status enough(StatusCode::kAborted, "one commit is enough");
    Status read = log.Read(Seq(middle), [&](const CommitReader& commit) {
      header = commit.header();
      last = commit.last().value();
      return enough;
    });
    if (!header) return read;
    if (header->time_ms < time_ms) {
      low = last + 1;
    } else {
      high = header->first.value();
    }
  }
  return Seq(low);
}

}  // namespace

Result<std::vector<Explanation>> ExplainTask(const EventLog& log, TaskId task,
                                             const std::string& checkpoint_dir) {
  Core core({});
  RETURN_IF_ERROR(core.Recover(log, {.checkpoint_dir = checkpoint_dir, .names = false}));
  const World& world = core.world();
  if (!world.tasks().Has(task)) {
    return Status(StatusCode::kNotFound, refusal::kUnknownTask, "there is no such task");
  }
  // What was before its batch is no part of a task's story.
  ASSIGN_OR_RETURN(Seq from, FirstAt(log, world.batches()[world.tasks()[task].batch].created));
  return Explain(log, core, world.tasks()[task].device, task, from);
}

Result<std::vector<Explanation>> ExplainDevice(const EventLog& log, const DeviceRef& device) {
  Core core({});
  RETURN_IF_ERROR(core.Recover(log));
  DeviceId id = device.id;
  if (!core.world().devices().Has(id)) {
    ASSIGN_OR_RETURN(id, RequireDevice(core.world(), device));
  }
  return Explain(log, core, id, TaskId(), Seq(1));
}

}  // namespace updraft
