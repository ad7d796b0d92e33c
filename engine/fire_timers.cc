// What happens because a time has come.
#include "engine/decide_internal.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

void EndBySchedule(Turn& turn, BatchId id) {
  uint32_t open = 0;
  for (int state = 0; state < kTaskStateCount; ++state) {
    if (IsOpen(static_cast<TaskState>(state))) open |= 1u << state;
  }
  BeginSweep(turn, id, events::SweepCause::SCHEDULE_END, open);
}

void Fire(Turn& turn, const Timer& timer) {
  switch (timer.kind) {
    case TimerKind::kBatchStart:
      turn.Emit([&](auto event) { event.initBatchStarted().setBatch(timer.id); });
      return;
    case TimerKind::kBatchEnd:
      return EndBySchedule(turn, BatchId(timer.id));
    case TimerKind::kTaskTimeout:
      return FailTask(turn, TaskId(timer.id), TaskReason::TIMEOUT);
    case TimerKind::kRetryDue:
      turn.Emit([&](auto event) { event.initRetryCameDue().setTask(timer.id); });
      return;
    case TimerKind::kDeviceSettles:
      if (!turn.world().HasOpenTask(DeviceId(timer.id))) return;
      turn.Emit([&](auto event) { event.initDeviceSettled().setDevice(timer.id); });
      return;
  }
  Unreachable();
}

}  // namespace

bool FireTimers(Turn& turn, size_t most) {
  for (size_t fired = 0; fired < most && turn.HasRoom(); ++fired) {
    std::optional<Timer> timer = turn.TakeDueTimer();
    if (!timer) return true;
    Fire(turn, *timer);
  }
  return false;
}

namespace {

bool IsDue(const Turn& turn, const Timer& timer) {
  return timer.due_ms != 0 && timer.due_ms <= turn.now_ms() && turn.world().IsLive(timer);
}

Timer EndOf(const World& world, BatchId id) {
  return {world.batches()[id].end_ms, TimerKind::kBatchEnd, id.value()};
}

}  // namespace

void FireDueOf(Turn& turn, BatchId id) {
  if (turn.timers_held()) return;
  const World& world = turn.world();
  Timer start = {world.batches()[id].start_ms, TimerKind::kBatchStart, id.value()};
  if (IsDue(turn, start)) Fire(turn, start);
  if (Timer end = EndOf(world, id); IsDue(turn, end)) Fire(turn, end);
}

void FireDueOf(Turn& turn, TaskId id) {
  if (turn.timers_held() || !IsOpen(turn.world().tasks()[id].state)) return;
  const World& world = turn.world();
  const Task& task = world.tasks()[id];
  const Batch& batch = world.batches()[task.batch];
  Timer timeout = {task.timeout_due, TimerKind::kTaskTimeout, id.value()};
  Timer end = EndOf(world, task.batch);
  if (IsDue(turn, timeout) && !(IsDue(turn, end) && end < timeout)) return Fire(turn, timeout);
  FireDueOf(turn, task.batch);
  if (!IsOpen(task.state)) return;
  // The sweep that was asked for will come by; for this task it is now.
  if (batch.sweeping && (batch.sweep_states >> static_cast<int>(TaskState(task.state)) & 1) != 0) {
    CancelTasks(turn, {id},
                batch.sweep_by_schedule ? TaskReason::SCHEDULE_END : TaskReason::BY_USER);
    return;
  }
  Timer retry = {task.retry_due, TimerKind::kRetryDue, id.value()};
  if (IsDue(turn, retry)) Fire(turn, retry);
}

namespace {

void FireDueOfDevice(Turn& turn, const DeviceRef& ref) {
  const World& world = turn.world();
  Result<DeviceId> device = RequireDevice(world, ref);
  if (!device.ok()) return;
  for (InstalledId i = world.devices()[*device].newest_installed; i;
       i = world.installed()[i].older) {
    if (TaskId task = world.installed()[i].open_task) FireDueOf(turn, task);
  }
}

}  // namespace

void FireDueFor(Turn& turn, const Command& command) {
  if (!turn.MayBeDue()) return;  // As a rule: FireTimers was here.
  const World& world = turn.world();
  auto of_batch = [&](BatchId batch) {
    if (world.batches().Has(batch)) FireDueOf(turn, batch);
  };
  // The device's open task matters as well: it may stand in the way of the one that is named.
  auto of_tasks = [&](const std::vector<TaskId>& tasks) {
    for (TaskId task : tasks) {
      if (world.tasks().Has(task)) FireDueOfDevice(turn, {.id = world.tasks()[task].device});
    }
  };
  std::visit(
      [&]<class C>(const C& c) {
        if constexpr (requires { c.batch; }) of_batch(c.batch);
        if constexpr (requires { c.tasks; }) of_tasks(c.tasks);
        if constexpr (requires { c.device; }) FireDueOfDevice(turn, c.device);
        if constexpr (std::is_same_v<C, CancelDevices>) {
          for (const std::string& name : c.device_names) {
            FireDueOfDevice(turn, {{}, c.product_key, name});
          }
        }
      },
      command);
}

}  // namespace updraft
