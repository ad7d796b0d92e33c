// Why a task is in its state, in words for an operator: the events that touched it, its device and
// its batch, each with its number, its time and what caused it.
//
// Reads the log and asks nothing of a running engine. Thread-safety: pure; any thread may call it,
// for EventLog::Read may be called by any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/commands.h"
#include "events/base/ids.h"
#include "events/base/status.h"
#include "events/log/event_log.h"

namespace updraft {

struct Explanation {
  Seq seq;
  int64_t time_ms = 0;
  std::string cause;     // "key <access key id>", "device", "timer" or "engine".
  std::string sentence;  // Without the time, the cause and a full stop.
};

// NOT_FOUND when the log has no such task. Costs a recovery of the log, which a checkpoint of
// `checkpoint_dir` shortens (see recovery.h), the memory of its world, and reading the log from the
// batch's creation on.
Result<std::vector<Explanation>> ExplainTask(const EventLog& log, TaskId task,
                                             const std::string& checkpoint_dir = "");
// All that happened to a device and to its tasks. A deleted device is found by its id only.
Result<std::vector<Explanation>> ExplainDevice(const EventLog& log, const DeviceRef& device);

}  // namespace updraft
