// Has the log forget for good what was erased from its sidecar, such as the names of deleted
// devices: erasing puts them out of reach at once, but their sealed bytes stay in files until those
// are rewritten. What is erased within a while is purged together, and what a former run left over
// is purged in this one; so nothing stays for longer than that while of running. Where purging
// takes long, as the sidecar is large, the while grows with it, so that purging never is all that
// the disk does.
//
// Thread-safety: NoteErased may be called from any thread. Purging has a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/clock.h"
#include "events/log/rocks_log.h"

namespace updraft {

class Purger {
 public:
  static constexpr std::chrono::milliseconds kAfter = std::chrono::seconds(60);
  // Purging takes at most one part in so many of the time.
  static constexpr int64_t kShare = 20;

  // Purges so long after the first erasing that was not purged yet. `log` and `clock` must outlive
  // it.
  Purger(RocksLog& log, const Clock& clock, std::chrono::milliseconds after = kAfter);
  // Waits for a purge that goes on; what is due is left to the next run.
  ~Purger();

  void NoteErased();

 private:
  void Run();

  RocksLog& log_;
  const Clock& clock_;
  const std::chrono::milliseconds after_;

  std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  bool due_ = false;  // Something was erased and not purged.
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace updraft
