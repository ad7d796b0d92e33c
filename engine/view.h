// Ready-made looks at the world, as plain data, for Engine::Read and for readers of a replayed log.
//
// Thread-safety: none of its own; a look is made where the world is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/base/ids.h"

namespace updraft {

class World;

// Of a batch or a package. The states are those of a task, in their order: to confirm, pending
// push, pushed, upgrading, success, failed, cancelled. They add up to the number of targets.
struct TaskCounts {
  std::array<uint32_t, 7> by_state = {};

  uint32_t total() const {
    uint32_t sum = 0;
    for (uint32_t n : by_state) sum += n;
    return sum;
  }
};

// Stable words for the states: CONFIRM, QUEUED, NOTIFIED, IN_PROGRESS, SUCCEEDED, FAILED, CANCELED.
std::string_view TaskStateWord(int state);
// And for a batch's status: PLANNED, IN_PROGRESS, COMPLETED, CANCELED.
std::string_view BatchStatusWord(int status);

std::optional<TaskCounts> CountTasks(const World& world, BatchId batch);
// Over all batches of the package.
std::optional<TaskCounts> CountTasks(const World& world, PackageId package);

// Why a task is pending: the schedule is looked at before the connection, and that before the rate.
enum class PendingReason {
  kNone,       // It is not pending.
  kScheduled,  // Until the batch's start.
  kOffline,
  kPull,  // Its batch does not push: the device must ask.
  kPaused,
  kRate,
};

struct TaskView {
  TaskId task;
  BatchId batch;
  DeviceId device;
  int state = 0;            // See TaskStateWord.
  std::string_view reason;  // A stable word; empty when there is none.
  PendingReason pending = PendingReason::kNone;
  int64_t scheduled_ms = 0;
  int step = 0;  // Percent.
  int retries = 0;
  bool retry_waiting = false;
  std::string source_version;
  std::string target_version;
  int64_t created_ms = 0;
  int64_t modified_ms = 0;
  int64_t timeout_ms = 0;  // When the upgrade times out; 0: never, or it has not begun.
  Seq text;                // The event that holds the device's last words; 0: none.
};
std::optional<TaskView> ViewTask(const World& world, TaskId task);
// The task of the device in the batch; of several the newest.
std::optional<TaskView> ViewTask(const World& world, BatchId batch, DeviceId device);

DeviceId FindDevice(const World& world, std::string_view product_key, std::string_view name);
std::string DeviceName(const World& world, DeviceId device);

}  // namespace updraft
