// Each kind of event log, as the contract test wants to meet it: opened again and again on the same
// disk, with a disk that can fail.
#pragma once

#include <memory>

#include "events/log/memory_log.h"

namespace updraft {

class MemoryFixture {
 public:
  // The log before must be gone.
  std::unique_ptr<EventLog> Open() {
    auto log = std::make_unique<MemoryLog>(disk_);
    last_ = log.get();
    return log;
  }
  void FailNextAppend() { last_->SetFate(1, MemoryLog::Fate::kFailedButKept); }
  void Heal() {}

 private:
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  MemoryLog* last_ = nullptr;
};

}  // namespace updraft
