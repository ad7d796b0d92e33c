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

void FireDueOf(Turn& turn, TaskId id) {
  const Task& task = turn.world().tasks()[id];
  // A timeout ends the task whatever else is due.
  if (task.state == TaskState::IN_PROGRESS && task.timeout_due != 0 &&
      task.timeout_due <= turn.now_ms()) {
    FailTask(turn, id, TaskReason::TIMEOUT);
    return;
  }
  if (task.retry_waiting && task.retry_due <= turn.now_ms()) {
    turn.Emit([&](auto event) { event.initRetryCameDue().setTask(id.value()); });
  }
}

}  // namespace updraft
