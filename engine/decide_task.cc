// How tasks go on and end, and what operators do with single ones.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "engine/decide_internal.h"
#include "events/base/assert.h"
#include "projections/side_values.h"

namespace updraft {

void SucceedTask(Turn& turn, TaskId id, TaskReason reason) {
  turn.Emit([&](auto event) {
    auto succeeded = event.initTaskSucceeded();
    succeeded.setTask(id.value());
    succeeded.setReason(reason);
  });
  AfterTasksEnded(turn, turn.world().tasks()[id].batch);
}

void FailTask(Turn& turn, TaskId id, TaskReason reason, std::string_view text) {
  Seq seq = turn.Emit([&](auto event) {
    auto failed = event.initTaskFailed();
    failed.setTask(id.value());
    failed.setReason(reason);
    failed.setText(!text.empty());
  });
  const Task& task = turn.world().tasks()[id];
  if (!text.empty()) turn.Side(SideKeyOfText(task.device, seq), std::string(text));
  AfterTasksEnded(turn, task.batch);
}

// An attempt failed by the device's word. It is tried again if the batch was given source versions
// and retries, and some are left; while a retry waits, further failures use up none.
void FailAttempt(Turn& turn, TaskId id, TaskReason reason, std::string_view text) {
  const World& world = turn.world();
  const Task& task = world.tasks()[id];
  const Batch& batch = world.batches()[task.batch];
  DeviceId device = task.device;
  Seq seq;
  if (task.retry_waiting || task.retry_ready) {
    if (task.reason == reason && (text.empty() || Seq(task.text))) return;
    seq = turn.Emit([&](auto event) {
      auto noted = event.initFailureNoted();
      noted.setTask(id.value());
      noted.setReason(reason);
      noted.setText(!text.empty());
    });
  } else if (batch.source_given && task.retries < batch.retry_count) {
    seq = turn.Emit([&](auto event) {
      auto planned = event.initRetryPlanned();
      planned.setTask(id.value());
      planned.setReason(reason);
      planned.setDueMs(turn.now_ms() + int64_t{batch.retry_minutes} * 60'000);
      planned.setText(!text.empty());
    });
  } else {
    FailTask(turn, id, reason, text);
    return;
  }
  if (!text.empty()) turn.Side(SideKeyOfText(device, seq), std::string(text));
}

void CancelTasks(Turn& turn, const std::vector<TaskId>& tasks, TaskReason reason) {
  if (tasks.empty()) return;
  turn.Emit([&](auto event) {
    auto canceled = event.initTasksCanceled();
    canceled.setReason(reason);
    auto list = canceled.initTasks(static_cast<unsigned>(tasks.size()));
    for (unsigned i = 0; i < tasks.size(); ++i) list.set(i, tasks[i].value());
  });
}

namespace {

// All devices of a verification have ended: the package is verified if each succeeded.
void JudgeVerification(Turn& turn, BatchId id) {
  const World& world = turn.world();
  const Batch& batch = world.batches()[id];
  const Package& package = world.packages()[batch.package];
  if (!package.needs_verification || package.deleted) return;
  // An older verification that is re-run does not unsay a newer one.
  for (BatchId other : world.IndexOf(batch.package).batches) {
    if (other > id && world.batches()[other].verifies) return;
  }
  const auto& tasks = world.IndexOf(id).tasks;
  bool all = tasks.counts()[static_cast<int>(TaskState::SUCCEEDED)] == tasks.total();
  PackageStatus verdict = world.OpenTasks(id) != 0 ? PackageStatus::VERIFYING
                          : all                    ? PackageStatus::VERIFIED
                                                   : PackageStatus::FAILED;
  if (package.status == verdict) return;
  turn.Emit([&](auto event) {
    auto changed = event.initPackageStatusChanged();
    changed.setPackage(batch.package.value());
    changed.setStatus(verdict);
  });
}

}  // namespace

void AfterTasksEnded(Turn& turn, BatchId id, bool by_cancel) {
  const World& world = turn.world();
  if (world.batches()[id].verifies) JudgeVerification(turn, id);
  const Batch& batch = world.batches()[id];
  bool runs = batch.status == BatchStatus::PLANNED || batch.status == BatchStatus::IN_PROGRESS;
  if (!runs || batch.dynamic || batch.walking || batch.sweeping || world.OpenTasks(id) != 0) {
    return;
  }
  turn.Emit([&](auto event) {
    auto ended = event.initBatchEnded();
    ended.setBatch(id.value());
    ended.setStatus(by_cancel ? BatchStatus::CANCELED : BatchStatus::COMPLETED);
  });
}

void BeginSweep(Turn& turn, BatchId id, events::SweepCause cause, uint32_t states) {
  auto in = [&](TaskState state) { return (states >> static_cast<int>(state) & 1) != 0; };
  turn.Emit([&](auto event) {
    auto began = event.initSweepBegan();
    began.setBatch(id.value());
    began.setCause(cause);
    began.setConfirm(in(TaskState::CONFIRM));
    began.setQueued(in(TaskState::QUEUED));
    began.setNotified(in(TaskState::NOTIFIED));
    began.setInProgress(in(TaskState::IN_PROGRESS));
  });
  StepSweep(turn, id);
}

void StepSweep(Turn& turn, BatchId id) {
  const World& world = turn.world();
  const Batch& batch = world.batches()[id];
  bool by_schedule = batch.sweep_by_schedule;
  std::vector<TaskId> tasks;
  world.IndexOf(id).tasks.Page(
      batch.sweep_states, 0, kTasksPerStep,
      [&](TaskId task) { return static_cast<int>(TaskState(world.tasks()[task].state)); },
      [&](TaskId task) { tasks.push_back(task); });
  CancelTasks(turn, tasks, by_schedule ? TaskReason::SCHEDULE_END : TaskReason::BY_USER);
  if (tasks.size() == kTasksPerStep) return;
  turn.Emit([&](auto event) { event.initSweepEnded().setBatch(id.value()); });
  AfterTasksEnded(turn, id, /*by_cancel=*/!by_schedule);
}

namespace {

// The device's task of the package, and of the batch if one is given: the open one, else the
// newest.
TaskId TaskOfDevice(const World& world, DeviceId device, PackageId package, BatchId batch) {
  TaskId newest;
  for (TaskId id = world.devices()[device].newest_task; id; id = world.tasks()[id].older) {
    BatchId of = world.tasks()[id].batch;
    if (world.batches()[of].package != package || (batch && of != batch)) continue;
    if (IsOpen(world.tasks()[id].state)) return id;
    if (!newest) newest = id;
  }
  return newest;
}

std::string_view StateName(TaskState state) {
  switch (state) {
    case TaskState::CONFIRM:
      return "to be confirmed";
    case TaskState::QUEUED:
      return "pending push";
    case TaskState::NOTIFIED:
      return "pushed";
    case TaskState::IN_PROGRESS:
      return "upgrading";
    case TaskState::SUCCEEDED:
      return "successful";
    case TaskState::FAILED:
      return "failed";
    case TaskState::CANCELED:
      return "cancelled";
  }
  Unreachable();
}

}  // namespace

Outcome DecideOn(Turn& turn, const CancelDevices& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(ProductId product, RequireProduct(world, c.product_key));
  REQUIRE_OR_REFUSE(PackageId package, RequirePackage(world, c.package));
  if (c.batch) {
    REQUIRE_OR_REFUSE([[maybe_unused]] BatchId batch, RequireBatch(world, c.batch));
  }
  if (c.device_names.empty() || c.device_names.size() > kNamedTargetsMax) {
    return RefuseInvalid(refusal::kTooManyTargets,
                         fmt::format("name 1 to {} devices", kNamedTargetsMax));
  }
  if (world.modules()[world.packages()[package].module].product != product) {
    return RefuseInvalid(refusal::kPackageOfOtherProduct,
                         fmt::format("the package is not one of product '{}'", c.product_key));
  }
  std::set<std::string_view> seen;
  std::vector<TaskId> open;
  for (const std::string& name : c.device_names) {
    if (!seen.insert(name).second) {
      return RefuseInvalid(refusal::kDuplicateDevice,
                           fmt::format("device '{}' is named twice", name));
    }
    REQUIRE_OR_REFUSE(DeviceId device, RequireDevice(world, {{}, c.product_key, name}));
    TaskId task = TaskOfDevice(world, device, package, c.batch);
    if (!task) {
      return RefuseUnknown(refusal::kNoSuchUpgrade,
                           fmt::format("device '{}' has no upgrade to this package", name));
    }
    TaskState state = world.tasks()[task].state;
    if (IsOpen(state)) {
      open.push_back(task);
    } else if (state != TaskState::CANCELED) {
      return RefuseState(refusal::kWrongTaskState,
                         fmt::format("the upgrade of device '{}' is {} and cannot be cancelled",
                                     name, StateName(state)));
    }
  }
  // One event a batch: tasks of several may be among them.
  std::stable_sort(open.begin(), open.end(), [&](TaskId a, TaskId b) {
    return world.tasks()[a].batch < world.tasks()[b].batch;
  });
  for (auto from = open.begin(); from != open.end();) {
    BatchId batch = world.tasks()[*from].batch;
    auto to =
        std::find_if(from, open.end(), [&](TaskId t) { return world.tasks()[t].batch != batch; });
    CancelTasks(turn, {from, to}, TaskReason::BY_USER);
    AfterTasksEnded(turn, batch);
    from = to;
  }
  return Done();
}

namespace {

Status CheckTaskList(const World& world, const std::vector<TaskId>& tasks) {
  if (tasks.empty() || tasks.size() > kTasksPerOrderMax) {
    return Status(StatusCode::kInvalidArgument, refusal::kTooManyTasks,
                  fmt::format("name 1 to {} tasks", kTasksPerOrderMax));
  }
  for (TaskId task : tasks) {
    if (!world.tasks().Has(task)) {
      return Status(StatusCode::kNotFound, refusal::kUnknownTask, "there is no such task");
    }
    if (std::count(tasks.begin(), tasks.end(), task) > 1) {
      return Status(StatusCode::kInvalidArgument, refusal::kTooManyTasks, "a task is named twice");
    }
  }
  return OkStatus();
}

}  // namespace

Outcome DecideOn(Turn& turn, const ConfirmTasks& c) {
  const World& world = turn.world();
  if (Status status = CheckTaskList(world, c.tasks); !status.ok()) {
    return Outcome{std::move(status), {}};
  }
  for (TaskId id : c.tasks) {
    const Task& task = world.tasks()[id];
    const Batch& batch = world.batches()[task.batch];
    if (task.state != TaskState::CONFIRM) {
      return RefuseState(
          refusal::kWrongTaskState,
          fmt::format("a task is {} and waits for no confirmation", StateName(task.state)));
    }
    bool early = batch.status == BatchStatus::PLANNED;
    bool late = batch.end_ms != 0 && turn.now_ms() >= batch.end_ms;
    if (early || late) {
      return RefuseState(refusal::kOutsideSchedule,
                         early ? "the batch has not started; confirm between its start and end"
                               : "the batch's end has passed");
    }
  }
  for (TaskId id : c.tasks) {
    turn.Emit([&](auto event) { event.initTaskConfirmed().setTask(id.value()); });
  }
  return Done();
}

namespace {

Status CheckReupgrade(const World& world, BatchId batch_id, TaskId id, int64_t now_ms) {
  const Task& task = world.tasks()[id];
  const Batch& batch = world.batches()[batch_id];
  auto refuse = [](std::string_view reason, std::string message) {
    return Status(StatusCode::kFailedPrecondition, reason, std::move(message));
  };
  if (task.batch != batch_id) {
    return Status(StatusCode::kNotFound, refusal::kUnknownTask, "the task is of another batch");
  }
  if (task.state != TaskState::FAILED && task.state != TaskState::CANCELED) {
    return refuse(refusal::kWrongTaskState,
                  fmt::format("a task is {}; only failed and cancelled ones can be upgraded again",
                              StateName(task.state)));
  }
  if (world.devices()[task.device].deleted) {
    return refuse(refusal::kUnknownDevice, "the task's device was deleted");
  }
  if (batch.end_ms != 0 && now_ms >= batch.end_ms) {
    return refuse(refusal::kOutsideSchedule, "the batch's end has passed");
  }
  TaskId other = world.OpenTask(task.device, world.ModuleOf(batch_id));
  bool may_override = batch.override_others && other &&
                      world.tasks()[other].state != TaskState::IN_PROGRESS &&
                      world.tasks()[other].batch != batch_id;
  if (other && !may_override) {
    return refuse(refusal::kOtherTaskOpen,
                  fmt::format("device '{}' has another open upgrade of this module",
                              world.names().Of(task.device)));
  }
  return OkStatus();
}

void Reopen(Turn& turn, TaskId id) {
  const World& world = turn.world();
  BatchId batch = world.tasks()[id].batch;
  DeviceId device = world.tasks()[id].device;
  ModuleId module = world.ModuleOf(batch);
  if (TaskId other = world.OpenTask(device, module)) {
    BatchId other_batch = world.tasks()[other].batch;
    CancelTasks(turn, {other}, TaskReason::OVERRIDDEN);
    AfterTasksEnded(turn, other_batch);
  }
  turn.Emit([&](auto event) { event.initTaskReopened().setTask(id.value()); });
  if (world.VersionOf(device, module) == world.packages()[world.batches()[batch].package].target) {
    turn.Emit([&](auto event) {
      auto succeeded = event.initTaskSucceeded();
      succeeded.setTask(id.value());
      succeeded.setReason(TaskReason::ALREADY_ON_TARGET);
    });
  }
}

}  // namespace

Outcome DecideOn(Turn& turn, const ReupgradeTasks& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(BatchId id, RequireBatch(world, c.batch));
  if (Status status = CheckTaskList(world, c.tasks); !status.ok()) {
    return Outcome{std::move(status), {}};
  }
  const Batch& batch = world.batches()[id];
  const Package& package = world.packages()[batch.package];
  if (package.deleted) return RefuseUnknown(refusal::kUnknownPackage, "the package was deleted");
  bool verified =
      package.status == PackageStatus::VERIFIED || package.status == PackageStatus::NEEDS_NONE;
  if (!verified && !batch.verifies) {
    return RefuseState(refusal::kPackageNotVerified, "the package is not verified");
  }
  std::set<DeviceId> devices;
  for (TaskId task : c.tasks) {
    if (Status status = CheckReupgrade(world, id, task, turn.now_ms()); !status.ok()) {
      return Outcome{std::move(status), {}};
    }
    if (!devices.insert(world.tasks()[task].device).second) {
      return RefuseState(refusal::kOtherTaskOpen,
                         "two of the tasks are of one device; name the newer one only");
    }
  }
  bool over = batch.status == BatchStatus::COMPLETED || batch.status == BatchStatus::CANCELED;
  if (over && !batch.dynamic) {
    turn.Emit([&](auto event) { event.initBatchReopened().setBatch(id.value()); });
  }
  for (TaskId task : c.tasks) Reopen(turn, task);
  AfterTasksEnded(turn, id);
  return Done();
}

}  // namespace updraft
