// What devices say: versions, progress, asking for a package, and coming and going.
#include <fmt/format.h>

#include "engine/decide_internal.h"
#include "events/base/assert.h"
#include "events/base/bytes.h"
#include "projections/side_values.h"

namespace updraft {
namespace {

void EmitOnline(Turn& turn, DeviceId device, uint32_t generation) {
  turn.Emit([&](auto event) {
    auto online = event.initDeviceOnline();
    online.setDevice(device.value());
    online.setGeneration(generation);
  });
}

// Where nothing tells of connections, whoever speaks is there.
void ImplyOnline(Turn& turn, DeviceId device, bool implies) {
  const World& world = turn.world();
  if (!implies || world.IsOnline(device)) return;
  if (world.globals().broker_run == 0) {
    turn.Emit([](auto event) { event.initBrokerEpochBegan().setEpoch(0); });
  }
  EmitOnline(turn, device, 0);
}

// The device has said what it runs, or what it is doing: what waits for it may go out.
void Settle(Turn& turn, DeviceId device) {
  const World& world = turn.world();
  if (!world.IsOnline(device) || world.devices()[device].settled) return;
  if (!world.HasOpenTask(device)) return;
  turn.Emit([&](auto event) { event.initDeviceSettled().setDevice(device.value()); });
}

// What a version means for the module's open task.
void JudgeVersion(Turn& turn, TaskId id, VersionId version) {
  const World& world = turn.world();
  const Task& task = world.tasks()[id];
  const Package& package = world.packages()[world.batches()[task.batch].package];
  if (version == package.target) {
    SucceedTask(turn, id, TaskReason::TARGET_REPORTED);
  } else if (!task.source) {
    // Nothing was known when the device joined, so this is what it came with.
    turn.Emit([&](auto event) {
      auto learned = event.initSourceLearned();
      learned.setTask(id.value());
      learned.setVersion(version.value());
    });
  } else if (version != task.source && task.state == TaskState::IN_PROGRESS) {
    FailAttempt(turn, id, TaskReason::WRONG_VERSION, {});
  }
}

}  // namespace

Outcome DecideOn(Turn& turn, const ReportVersion& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(DeviceId device, RequireDevice(world, c.device));
  ProductId product = world.devices()[device].product;
  if (Status status = CheckReport(world, device, c.module, c.version); !status.ok()) {
    return Outcome{std::move(status), {}};
  }
  ImplyOnline(turn, device, c.implies_online);
  ModuleId module = FindOrNameModule(turn, product, c.module, device);
  VersionId version = FindOrNameVersion(turn, product, c.version, device);
  bool changed = world.VersionOf(device, module) != version;
  if (changed) {
    turn.Emit([&](auto event) {
      auto reported = event.initVersionReported();
      reported.setDevice(device.value());
      reported.setModule(module.value());
      reported.setVersion(version.value());
    });
  }
  if (TaskId task = world.OpenTask(device, module)) JudgeVersion(turn, task, version);
  if (changed) MatchDynamic(turn, device, module, version);
  Settle(turn, device);
  return Done();
}

namespace {

TaskReason ReasonOfStep(int step) {
  switch (step) {
    case -1:
      return TaskReason::UPGRADE_FAILED;
    case -2:
      return TaskReason::DOWNLOAD_FAILED;
    case -3:
      return TaskReason::VERIFY_FAILED;
    default:
      return TaskReason::BURN_FAILED;
  }
}

// The device's words go beside the event that they came with.
void KeepText(Turn& turn, DeviceId device, Seq event, std::string_view text) {
  if (!text.empty()) turn.Side(SideKeyOfText(device, event), std::string(text));
}

void BeginUpgrade(Turn& turn, TaskId id, int step, std::string_view text) {
  const Task& task = turn.world().tasks()[id];
  uint32_t minutes = turn.world().batches()[task.batch].timeout_minutes;
  Seq seq = turn.Emit([&](auto event) {
    auto began = event.initUpgradeBegan();
    began.setTask(id.value());
    began.setStep(static_cast<int8_t>(step));
    began.setTimeoutMs(minutes == 0 ? 0 : turn.now_ms() + int64_t{minutes} * 60'000);
    began.setText(!text.empty());
  });
  KeepText(turn, task.device, seq, text);
}

void NoteProgress(Turn& turn, TaskId id, int step, std::string_view text) {
  const Task& task = turn.world().tasks()[id];
  // The words of a device at an unchanged step are heard once.
  bool first_words = !text.empty() && !Seq(task.text);
  bool news = step != task.step || task.retry_waiting || task.retry_ready || first_words;
  if (!news) return;
  Seq seq = turn.Emit([&](auto event) {
    auto reported = event.initProgressReported();
    reported.setTask(id.value());
    reported.setStep(static_cast<int8_t>(step));
    reported.setText(!text.empty());
  });
  KeepText(turn, task.device, seq, text);
}

Outcome RefuseNotPushed() {
  return RefuseState(refusal::kNotPushed, "the upgrade was not pushed to the device yet");
}

Outcome JudgeStep(Turn& turn, TaskId id, int step, std::string_view text) {
  const World& world = turn.world();
  const Task& task = world.tasks()[id];
  switch (task.state) {
    case TaskState::QUEUED:
      // It may act on an older notice of the same batch; a failure then says nothing of this one.
      if (step < 0 || world.batches()[task.batch].status == BatchStatus::PLANNED) {
        return RefuseNotPushed();
      }
      BeginUpgrade(turn, id, step, text);
      return Done();
    case TaskState::NOTIFIED:
      if (step < 0) {
        FailAttempt(turn, id, ReasonOfStep(step), text);
      } else {
        BeginUpgrade(turn, id, step, text);
      }
      return Done();
    case TaskState::IN_PROGRESS:
      if (step < 0) {
        FailAttempt(turn, id, ReasonOfStep(step), text);
      } else {
        NoteProgress(turn, id, step, text);
      }
      return Done();
    case TaskState::CONFIRM:
    case TaskState::SUCCEEDED:
    case TaskState::FAILED:
    case TaskState::CANCELED:
      return RefuseNotPushed();
  }
  Unreachable();
}

}  // namespace

Outcome DecideOn(Turn& turn, const ReportProgress& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(DeviceId device, RequireDevice(world, c.device));
  Assert(c.step >= -4 && c.step <= 100, "adapters pass no step of {}", c.step);
  ImplyOnline(turn, device, c.implies_online);
  ModuleId module = world.FindModule(world.devices()[device].product,
                                     c.module.empty() ? kDefaultModule : c.module);
  TaskId task = module ? world.OpenTask(device, module) : TaskId();
  if (!task) {
    return RefuseState(refusal::kNoOpenTask, "the device has no open upgrade of this module");
  }
  Outcome outcome = JudgeStep(turn, task, c.step, c.text);
  Settle(turn, device);
  return outcome;
}

namespace {

// What was told to the device already it may be told again, paused or not.
bool MayPull(const World& world, TaskId id) {
  const Task& task = world.tasks()[id];
  const Batch& batch = world.batches()[task.batch];
  if (task.state == TaskState::CONFIRM || world.devices()[task.device].disabled) return false;
  if (task.state == TaskState::QUEUED && batch.paused) return false;
  return batch.status != BatchStatus::PLANNED;
}

}  // namespace

Outcome DecideOn(Turn& turn, const RequestPackage& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(DeviceId device, RequireDevice(world, c.device));
  ImplyOnline(turn, device, c.implies_online);
  ModuleId module = world.FindModule(world.devices()[device].product,
                                     c.module.empty() ? kDefaultModule : c.module);
  TaskId id = module ? world.OpenTask(device, module) : TaskId();
  if (!id || !MayPull(world, id)) return Done(PulledNotice{});
  if (DiffDoesNotFit(world, id)) {
    FailTask(turn, id, TaskReason::SOURCE_MISMATCH);
    return Done(PulledNotice{});
  }
  const Task& task = world.tasks()[id];
  if (task.state == TaskState::QUEUED || task.retry_waiting || task.retry_ready) {
    turn.Emit([&](auto event) { event.initTaskPulled().setTask(id.value()); });
  }
  return Done(PulledNotice{std::make_shared<Notice>(MakeNotice(world, id, turn.now_ms()))});
}

Outcome DecideOn(Turn& turn, const BrokerStarted& c) {
  const Globals& globals = turn.world().globals();
  // What the broker sends again may tell of the run before.
  if (globals.broker_run != 0 && globals.broker_epoch >= c.epoch) return Done();
  turn.Emit([&](auto event) { event.initBrokerEpochBegan().setEpoch(c.epoch); });
  return Done();
}

Outcome DecideOn(Turn& turn, const ReportPresence& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(DeviceId id, RequireDevice(world, c.device));
  // Word of a run of the broker that is over, or the first of a new one.
  if (world.globals().broker_run == 0 || c.broker_epoch > world.globals().broker_epoch) {
    Outcome began = DecideOn(turn, BrokerStarted{c.broker_epoch});
    Assert(began.ok(), "a run of the broker begins whatever was before");
  }
  if (c.broker_epoch < world.globals().broker_epoch) return Done();
  const Device& device = world.devices()[id];
  bool online = world.IsOnline(id);
  if (c.online) {
    if (!online || device.generation < c.generation) EmitOnline(turn, id, c.generation);
  } else if (online && device.generation <= c.generation) {
    turn.Emit([&](auto event) { event.initDeviceOffline().setDevice(id.value()); });
  }
  return Done();
}

}  // namespace updraft
