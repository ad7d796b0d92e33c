// Explains tasks, one at a time, on a thread of its own: each costs a recovery of the log and a
// world beside the engine's.
//
// Thread-safety: Ask may be called by any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "adapters/openapi/openapi.h"
#include "events/log/event_log.h"

namespace updraft {

class ExplainWorker {
 public:
  static constexpr size_t kWaitingMax = 4;

  // `log` outlives it. A checkpoint of `checkpoint_dir` makes it quicker.
  explicit ExplainWorker(const EventLog& log, std::string checkpoint_dir = "");
  ~ExplainWorker();  // Stops.

  // Calls `done` once, on the worker's thread or at once. UNAVAILABLE: INBOX_FULL when kWaitingMax
  // wait already, ENGINE_STOPPED after Stop.
  void Ask(TaskId task, Explained done);
  // Ends the one at hand and answers those that wait.
  void Stop();

 private:
  void Run();

  const EventLog& log_;
  const std::string checkpoint_dir_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<TaskId, Explained>> waiting_;
  std::thread thread_;  // Last: it uses the others.
};

}  // namespace updraft
