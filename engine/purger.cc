#include "engine/purger.h"

#include <algorithm>

#include "events/base/log_line.h"

namespace updraft {

Purger::Purger(RocksLog& log, const Clock& clock, std::chrono::milliseconds after)
    : log_(log), clock_(clock), after_(after), due_(log.has_erased()), thread_([this] { Run(); }) {}

Purger::~Purger() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Purger::NoteErased() {
  {
    std::lock_guard lock(mutex_);
    due_ = true;
  }
  changed_.notify_all();
}

void Purger::Run() {
  auto wait = after_;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return due_ || ending_; });
    if (changed_.wait_for(lock, wait, [this] { return ending_; })) return;
    due_ = false;
    lock.unlock();
    const int64_t began_us = clock_.MonotonicUs();
    Status purged = log_.PurgeErased();
    const int64_t took_ms = (clock_.MonotonicUs() - began_us) / 1'000;
    wait = std::max(after_, std::chrono::milliseconds(kShare * took_ms));
    lock.lock();
    if (purged.ok()) continue;
    LogWarn("what was deleted is still in the log's files, sealed", {{"why", purged.message()}});
    due_ = !ending_;  // Again, after the same while.
  }
}

}  // namespace updraft
