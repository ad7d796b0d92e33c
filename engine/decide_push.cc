// Which notices leave, and when: each batch at its pace, devices that came back at the engine's.
#include <algorithm>
#include <limits>

#include "engine/decide_internal.h"

namespace updraft {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

void EmitPush(Turn& turn, TaskId task, PushKind kind) {
  turn.Emit([&](auto event) {
    auto pushed = event.initTaskPushed();
    pushed.setTask(task.value());
    pushed.setKind(kind);
  });
}

Push PushOf(const World& world, TaskId task, int64_t now_ms) {
  return Push{PushNumber(world.globals().pushes), false, MakeNotice(world, task, now_ms)};
}

}  // namespace

bool Delivers(const World& world, BatchId id) {
  const Batch& batch = world.batches()[id];
  if (batch.paused || batch.sweeping) return false;
  // A dynamic batch that was stopped brings its open tasks to their end.
  return batch.status == BatchStatus::IN_PROGRESS ||
         (batch.dynamic && batch.status == BatchStatus::CANCELED);
}

bool DiffDoesNotFit(const World& world, TaskId id) {
  const Task& task = world.tasks()[id];
  const Package& package = world.packages()[world.batches()[task.batch].package];
  return package.kind == PackageKind::DIFF &&
         world.VersionOf(task.device, package.module) != package.source;
}

Notice MakeNotice(const World& world, TaskId id, int64_t now_ms) {
  const Task& task = world.tasks()[id];
  const Batch& batch = world.batches()[task.batch];
  const Package& package = world.packages()[batch.package];
  const Module& module = world.modules()[package.module];
  Notice notice;
  notice.task = id;
  notice.batch = task.batch;
  notice.device = task.device;
  notice.product_key = world.products()[module.product].key;
  notice.device_name = std::string(world.names().Of(task.device));
  notice.module = module.name;
  notice.version = world.versions()[package.target].text;
  notice.diff = package.kind == PackageKind::DIFF;
  notice.sign_with_sha256 = package.sign_method == SignMethod::SHA256;
  notice.size_bytes = package.size_bytes;
  notice.md5 = package.md5;
  notice.sha256 = package.sha256;
  notice.file = package.file;
  notice.suffix = package.suffix;
  notice.udi = package.udi;
  notice.tags = batch.tags;
  notice.time_ms = now_ms;
  return notice;
}

std::vector<Push> Pusher::Take(Turn& turn, const Limits& limits, uint32_t max) {
  const World& world = turn.world();
  std::vector<Push> pushes;
  const auto& with_ready = world.agenda().with_ready;
  // Begin behind the batch that was last served, so that no batch starves another.
  std::vector<BatchId> order(with_ready.upper_bound(last_), with_ready.end());
  order.insert(order.end(), with_ready.begin(), with_ready.upper_bound(last_));
  for (BatchId id : order) {
    if (!Delivers(world, id)) continue;
    size_t before = pushes.size();
    TakeOf(turn, limits, id, max, pushes);
    if (pushes.size() != before) last_ = id;
    if (pushes.size() >= max) break;
  }
  return pushes;
}

void Pusher::TakeOf(Turn& turn, const Limits& limits, BatchId id, uint32_t max,
                    std::vector<Push>& pushes) {
  const World& world = turn.world();
  const BatchIndex& index = world.IndexOf(id);
  // False when the task has come to its end instead.
  auto may_push = [&](TaskId task) {
    FireDueOf(turn, task);
    if (IsOpen(world.tasks()[task].state) && DiffDoesNotFit(world, task)) {
      FailTask(turn, task, TaskReason::SOURCE_MISMATCH);
    }
    return IsOpen(world.tasks()[task].state);
  };
  auto push = [&](TaskId task, PushKind kind) {
    EmitPush(turn, task, kind);
    pushes.push_back(PushOf(world, task, turn.now_ms()));
  };
  auto room = [&] { return pushes.size() < max && turn.HasRoom() && Delivers(world, id); };
  while (room() && !index.repeats.empty()) {
    TaskId task = index.repeats.First();
    if (!may_push(task)) continue;
    if (!TakeRepeat(turn, limits)) break;
    push(task, PushKind::REPEAT);
  }
  while (room() && !index.ready.empty() && world.PaceDue(id) <= turn.now_ms()) {
    TaskId task = index.ready.First();
    if (!may_push(task)) continue;
    push(task, world.tasks()[task].retry_ready ? PushKind::RETRY : PushKind::FIRST);
  }
}

// A turn that comes late makes up for one interval, or for its millisecond, and not for more.
bool Pusher::TakeRepeat(const Turn& turn, const Limits& limits) {
  const int64_t now_us = turn.now_ms() * 1'000;
  if (next_repeat_us_ > now_us) return false;
  const int64_t interval_us = 1'000'000 / std::max<int64_t>(1, limits.repeats_per_second);
  next_repeat_us_ = std::max(next_repeat_us_ + interval_us, now_us - 999);
  return true;
}

int64_t Pusher::NextDue(const World& world) const {
  int64_t next = kNever;
  for (BatchId id : world.agenda().with_ready) {
    if (!Delivers(world, id)) continue;
    const BatchIndex& index = world.IndexOf(id);
    if (!index.ready.empty()) next = std::min(next, world.PaceDue(id));
    if (!index.repeats.empty()) next = std::min(next, next_repeat_ms());
  }
  return next;
}

Outcome DecideOn(Turn& turn, const AcknowledgePushes& c) {
  const Globals& globals = turn.world().globals();
  uint64_t through = std::min(c.through.value(), globals.pushes);
  if (through <= globals.pushes_acknowledged) return Done();
  turn.Emit([&](auto event) { event.initPushesAcknowledged().setThrough(through); });
  return Done();
}

}  // namespace updraft
