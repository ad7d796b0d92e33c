// Tasks, and the pushes that tell devices of them.
#include "events/base/assert.h"
#include "projections/evolution.h"

namespace updraft {

Evolution::TaskEdit::TaskEdit(Evolution& evolution, TaskId id)
    : e_(evolution),
      id_(id),
      state_before_(e_.w_.tasks_[id].state),
      marks_before_(ReadinessMarks(e_.w_.tasks_[id])) {}

Evolution::TaskEdit::~TaskEdit() {
  World& w = e_.w_;
  e_.Set<&Task::modified>(id_, e_.time_ms_);
  const Task& task = w.tasks_[id_];
  TaskState state = task.state;
  if (state != state_before_) {
    w.MutableIndexOf(task.batch)
        .tasks.Move(id_, static_cast<int>(state_before_), static_cast<int>(state));
    bool was_open = IsOpen(state_before_);
    if (was_open != IsOpen(state)) {
      InstalledId installed = w.FindInstalled(task.device, w.ModuleOf(task.batch));
      e_.Set<&Installed::open_task>(installed, was_open ? TaskId() : id_);
    }
  }
  // Most reports change nothing of it, and then need no look at the device.
  if (ReadinessMarks(task) != marks_before_) e_.PlaceInReadySets(id_);
}

Evolution::Readiness Evolution::ReadinessOf(TaskId id) const {
  const Task& task = w_.tasks_[id];
  const Device& device = w_.devices_[task.device];
  bool reachable = w_.IsOnline(task.device) && device.settled && !device.disabled;
  if (!reachable || !w_.batches_[task.batch].need_push) return Readiness::kNone;
  switch (task.state) {
    case TaskState::QUEUED:
      return Readiness::kReady;
    case TaskState::NOTIFIED:
    case TaskState::IN_PROGRESS:
      if (task.retry_ready) return Readiness::kReady;
      return task.repeat_owed && !task.retry_waiting ? Readiness::kRepeat : Readiness::kNone;
    case TaskState::CONFIRM:
    case TaskState::SUCCEEDED:
    case TaskState::FAILED:
    case TaskState::CANCELED:
      return Readiness::kNone;
  }
  Unreachable();
}

void Evolution::PlaceInReadySets(TaskId id) {
  BatchId batch = w_.tasks_[id].batch;
  BatchIndex& index = w_.MutableIndexOf(batch);
  Readiness readiness = ReadinessOf(id);
  auto place = [&](IdSet<TaskId>& set, bool in) {
    if (in) {
      set.Insert(id);
    } else {
      set.Erase(id);
    }
  };
  place(index.ready, readiness == Readiness::kReady);
  place(index.repeats, readiness == Readiness::kRepeat);
  if (index.ready.empty() && index.repeats.empty()) {
    w_.agenda_.with_ready.erase(batch);
  } else {
    w_.agenda_.with_ready.insert(batch);
  }
}

void Evolution::PlaceOpenTasks(DeviceId device) {
  for (InstalledId i = w_.devices_[device].newest_installed; i; i = w_.installed_[i].older) {
    if (TaskId task = w_.installed_[i].open_task) PlaceInReadySets(task);
  }
}

void Evolution::AddTask(BatchId batch, DeviceId device, TaskState state, TaskReason reason) {
  TaskId id = w_.tasks_.Add();
  InstalledId installed = FindOrAddInstalled(device, w_.ModuleOf(batch));
  Set<&Task::device>(id, device);
  Set<&Task::batch>(id, batch);
  Set<&Task::source>(id, w_.installed_[installed].version);
  Set<&Task::older>(id, w_.devices_[device].newest_task);
  Set<&Task::state>(id, state);
  Set<&Task::reason>(id, reason);
  Set<&Task::created>(id, time_ms_);
  Set<&Task::modified>(id, time_ms_);
  Set<&Device::newest_task>(device, id);
  w_.MutableIndexOf(batch).tasks.Append(id, static_cast<int>(state));
  if (!IsOpen(state)) return;
  Set<&Installed::open_task>(installed, id);
  ExpectSettled(device);
  PlaceInReadySets(id);
}

// Nobody looked whether a device has settled while nothing waited for it.
void Evolution::ExpectSettled(DeviceId device) {
  if (!w_.IsOnline(device) || w_.devices_[device].settled) return;
  int64_t settles = w_.devices_[device].presence_changed + kSettleMs;
  if (settles <= time_ms_) {
    Set<&Device::settled>(device, true);
    PlaceOpenTasks(device);
  } else {
    w_.agenda_.timers.Arm({settles, TimerKind::kDeviceSettles, device.value()});
  }
}

void Evolution::EndTask(TaskId id, TaskState state, TaskReason reason) {
  TaskEdit edit(*this, id);
  Set<&Task::state>(id, state);
  Set<&Task::reason>(id, reason);
  Set<&Task::retry_waiting>(id, false);
  Set<&Task::retry_ready>(id, false);
  Set<&Task::repeat_owed>(id, false);
}

void Evolution::On(events::TaskPushed::Reader event) {
  TaskId id(event.getTask());
  SetGlobal<&Globals::pushes>(w_.globals_.pushes + 1);
  PushInDoubt push{w_.globals_.pushes, id};
  w_.pushes_in_doubt_.push_back(push);
  w_.digest_.Add(DigestOf(push.number, push));
  if (event.getKind() != PushKind::REPEAT) AdvancePace(w_.tasks_[id].batch);

  TaskEdit edit(*this, id);
  if (w_.tasks_[id].state == TaskState::QUEUED) Set<&Task::state>(id, TaskState::NOTIFIED);
  Set<&Task::retry_ready>(id, false);
  Set<&Task::repeat_owed>(id, false);
}

// A push that is late moves all later ones: what was missed is not made up for, so that no window
// of a minute ever holds more than the rate.
void Evolution::AdvancePace(BatchId id) {
  const Batch& batch = w_.batches_[id];
  if (batch.push_per_minute == 0) {
    // No limit now; should one be set, it counts from the last push.
    Set<&Batch::pace_anchor_ms>(id, time_ms_);
    Set<&Batch::pace_index>(id, 1u);
    return;
  }
  int64_t late_ms = std::max<int64_t>(0, time_ms_ - w_.PaceDue(id));
  int64_t anchor_ms = batch.pace_anchor_ms + late_ms;
  uint32_t index = batch.pace_index + 1;
  // A minute's worth of pushes takes a minute exactly, so the count may begin anew.
  if (index > batch.push_per_minute) {
    anchor_ms += 60'000;
    index -= batch.push_per_minute;
  }
  Set<&Batch::pace_anchor_ms>(id, anchor_ms);
  Set<&Batch::pace_index>(id, index);
}

void Evolution::On(events::TaskPulled::Reader event) {
  TaskId id(event.getTask());
  TaskEdit edit(*this, id);
  if (w_.tasks_[id].state == TaskState::QUEUED) Set<&Task::state>(id, TaskState::NOTIFIED);
  Set<&Task::retry_waiting>(id, false);
  Set<&Task::retry_ready>(id, false);
  Set<&Task::repeat_owed>(id, false);
}

void Evolution::On(events::PushesAcknowledged::Reader event) {
  SetGlobal<&Globals::pushes_acknowledged>(event.getThrough());
  while (!w_.pushes_in_doubt_.empty() && w_.pushes_in_doubt_.front().number <= event.getThrough()) {
    const PushInDoubt& push = w_.pushes_in_doubt_.front();
    w_.digest_.Subtract(DigestOf(push.number, push));
    w_.pushes_in_doubt_.pop_front();
  }
}

void Evolution::On(events::UpgradeBegan::Reader event) {
  TaskId id(event.getTask());
  TaskEdit edit(*this, id);
  Set<&Task::state>(id, TaskState::IN_PROGRESS);
  Set<&Task::step>(id, event.getStep());
  Set<&Task::retry_waiting>(id, false);
  Set<&Task::retry_ready>(id, false);
  Set<&Task::repeat_owed>(id, false);
  if (event.getText()) Set<&Task::text>(id, seq_);
  if (event.getTimeoutMs() != 0) {
    Set<&Task::timeout_due>(id, event.getTimeoutMs());
    w_.agenda_.timers.Arm({event.getTimeoutMs(), TimerKind::kTaskTimeout, id.value()});
  }
}

void Evolution::On(events::ProgressReported::Reader event) {
  TaskId id(event.getTask());
  TaskEdit edit(*this, id);
  Set<&Task::step>(id, event.getStep());
  Set<&Task::retry_waiting>(id, false);
  Set<&Task::retry_ready>(id, false);
  if (event.getText()) Set<&Task::text>(id, seq_);
}

void Evolution::On(events::RetryPlanned::Reader event) {
  TaskId id(event.getTask());
  TaskEdit edit(*this, id);
  bool at_once = event.getDueMs() <= time_ms_;
  Set<&Task::reason>(id, event.getReason());
  Set<&Task::retries>(id, static_cast<uint8_t>(w_.tasks_[id].retries + 1));
  Set<&Task::retry_due>(id, event.getDueMs());
  Set<&Task::retry_waiting>(id, !at_once);
  Set<&Task::retry_ready>(id, at_once);
  Set<&Task::repeat_owed>(id, false);
  if (event.getText()) Set<&Task::text>(id, seq_);
  if (!at_once) w_.agenda_.timers.Arm({event.getDueMs(), TimerKind::kRetryDue, id.value()});
}

void Evolution::On(events::RetryCameDue::Reader event) {
  TaskId id(event.getTask());
  TaskEdit edit(*this, id);
  Set<&Task::retry_waiting>(id, false);
  Set<&Task::retry_ready>(id, true);
}

void Evolution::On(events::FailureNoted::Reader event) {
  TaskId id(event.getTask());
  TaskEdit edit(*this, id);
  Set<&Task::reason>(id, event.getReason());
  if (event.getText()) Set<&Task::text>(id, seq_);
}

void Evolution::On(events::SourceLearned::Reader event) {
  Set<&Task::source>(TaskId(event.getTask()), VersionId(event.getVersion()));
}

void Evolution::On(events::TaskSucceeded::Reader event) {
  TaskId id(event.getTask());
  Set<&Task::step>(id, int8_t{100});
  EndTask(id, TaskState::SUCCEEDED, event.getReason());
}

void Evolution::On(events::TaskFailed::Reader event) {
  TaskId id(event.getTask());
  if (event.getText()) Set<&Task::text>(id, seq_);
  EndTask(id, TaskState::FAILED, event.getReason());
}

void Evolution::On(events::TasksCanceled::Reader event) {
  for (uint32_t task : event.getTasks()) {
    EndTask(TaskId(task), TaskState::CANCELED, event.getReason());
  }
}

void Evolution::On(events::TaskConfirmed::Reader event) {
  TaskId id(event.getTask());
  TaskEdit edit(*this, id);
  Set<&Task::state>(id, TaskState::QUEUED);
}

void Evolution::On(events::TaskReopened::Reader event) {
  TaskId id(event.getTask());
  BatchId batch = w_.tasks_[id].batch;
  TaskEdit edit(*this, id);
  Set<&Task::state>(id, w_.batches_[batch].need_confirm ? TaskState::CONFIRM : TaskState::QUEUED);
  Set<&Task::reason>(id, TaskReason::NONE);
  Set<&Task::source>(id, w_.VersionOf(w_.tasks_[id].device, w_.ModuleOf(batch)));
  Set<&Task::step>(id, int8_t{0});
  Set<&Task::retries>(id, uint8_t{0});
  Set<&Task::timeout_due>(id, Ms48());
  Set<&Task::retry_due>(id, Ms48());
  Set<&Task::text>(id, Seq());
  ExpectSettled(w_.tasks_[id].device);
}

}  // namespace updraft
