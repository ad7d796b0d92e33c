#include "engine/view.h"

#include "engine/decide_internal.h"
#include "events/base/assert.h"
#include "projections/world.h"

namespace updraft {
namespace {

void Add(const World& world, BatchId batch, TaskCounts& counts) {
  const auto& of_batch = world.IndexOf(batch).tasks.counts();
  for (int state = 0; state < kTaskStateCount; ++state) counts.by_state[state] += of_batch[state];
}

std::string_view ReasonWord(TaskReason reason) {
  switch (reason) {
    case TaskReason::NONE:
      return "";
    case TaskReason::CONFLICT:
      return "conflict";
    case TaskReason::UPGRADE_FAILED:
      return "upgrade failed";
    case TaskReason::DOWNLOAD_FAILED:
      return "download failed";
    case TaskReason::VERIFY_FAILED:
      return "verify failed";
    case TaskReason::BURN_FAILED:
      return "burn failed";
    case TaskReason::WRONG_VERSION:
      return "report version is not conform";
    case TaskReason::TIMEOUT:
      return "timeout";
    case TaskReason::SOURCE_MISMATCH:
      return "source version mismatch";
    case TaskReason::BY_USER:
      return "cancelled by user";
    case TaskReason::OVERRIDDEN:
      return "overridden";
    case TaskReason::SCHEDULE_END:
      return "schedule finished";
    case TaskReason::DEVICE_DELETED:
      return "device deleted";
    case TaskReason::TARGET_REPORTED:
      return "target version reported";
    case TaskReason::ALREADY_ON_TARGET:
      return "already on target version";
  }
  Unreachable();
}

PendingReason PendingReasonOf(const World& world, const Task& task) {
  if (task.state != TaskState::QUEUED) return PendingReason::kNone;
  const Batch& batch = world.batches()[task.batch];
  if (batch.status == BatchStatus::PLANNED) return PendingReason::kScheduled;
  if (!batch.need_push) return PendingReason::kPull;
  if (!world.IsOnline(task.device) || world.devices()[task.device].disabled) {
    return PendingReason::kOffline;
  }
  return batch.paused ? PendingReason::kPaused : PendingReason::kRate;
}

}  // namespace

std::string_view TaskStateWord(int state) {
  static constexpr std::string_view kWords[] = {"CONFIRM",   "QUEUED", "NOTIFIED", "IN_PROGRESS",
                                                "SUCCEEDED", "FAILED", "CANCELED"};
  Assert(state >= 0 && state < kTaskStateCount, "state {}", state);
  return kWords[state];
}

std::string_view BatchStatusWord(int status) {
  static constexpr std::string_view kWords[] = {"PLANNED", "IN_PROGRESS", "COMPLETED", "CANCELED"};
  Assert(status >= 0 && status < static_cast<int>(std::size(kWords)), "status {}", status);
  return kWords[status];
}

std::optional<TaskCounts> CountTasks(const World& world, BatchId batch) {
  if (!world.batches().Has(batch)) return std::nullopt;
  TaskCounts counts;
  Add(world, batch, counts);
  return counts;
}

std::optional<TaskCounts> CountTasks(const World& world, PackageId package) {
  if (!world.packages().Has(package)) return std::nullopt;
  TaskCounts counts;
  for (BatchId batch : world.IndexOf(package).batches) Add(world, batch, counts);
  return counts;
}

std::optional<TaskView> ViewTask(const World& world, TaskId id) {
  if (!world.tasks().Has(id)) return std::nullopt;
  const Task& task = world.tasks()[id];
  const Batch& batch = world.batches()[task.batch];
  TaskView view;
  view.task = id;
  view.batch = task.batch;
  view.device = task.device;
  view.state = static_cast<int>(TaskState(task.state));
  view.reason = ReasonWord(task.reason);
  view.pending = PendingReasonOf(world, task);
  view.scheduled_ms = batch.start_ms;
  view.step = task.step;
  view.retries = task.retries;
  view.retry_waiting = task.retry_waiting || task.retry_ready;
  if (task.source) view.source_version = world.versions()[task.source].text;
  view.target_version = world.versions()[world.packages()[batch.package].target].text;
  view.created_ms = task.created;
  view.modified_ms = task.modified;
  view.timeout_ms = task.timeout_due;
  view.text = task.text;
  return view;
}

std::optional<TaskView> ViewTask(const World& world, BatchId batch, DeviceId device) {
  if (!world.devices().Has(device)) return std::nullopt;
  for (TaskId id = world.devices()[device].newest_task; id; id = world.tasks()[id].older) {
    if (world.tasks()[id].batch == batch) return ViewTask(world, id);
  }
  return std::nullopt;
}

DeviceId FindDevice(const World& world, std::string_view product_key, std::string_view name) {
  ProductId product = world.FindProduct(product_key);
  return product ? world.names().Find(product, name) : DeviceId();
}

std::string DeviceName(const World& world, DeviceId device) {
  return std::string(world.names().Of(device));
}

}  // namespace updraft
