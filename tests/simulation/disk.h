// The disks that a simulated engine keeps its log on: one in memory, quick, for most seeds, and
// one of files under the production log, whose unsynced bytes are lost with the power.
//
// Thread-safety: none.
#pragma once

#include <memory>

#include "events/log/memory_log.h"
#include "events/log/rocks_log.h"
#include "tests/log/faulty_file_system.h"
#include "tests/log/temp_dir.h"
#include "tests/simulation/schedule.h"

namespace updraft::simulation {

// How an append that fails ends.
enum class AppendFault { kLost, kKept, kDiskFull };

class Disk {
 public:
  virtual ~Disk() = default;
  // The log before must be gone.
  virtual Result<std::unique_ptr<EventLog>> Open() = 0;
  // The next append of the log opened last fails.
  virtual void FailNextAppend(AppendFault fault) = 0;
  // The process that used it is gone, and the power with it or not.
  virtual void Restart(bool lose_power) = 0;
};

class MemoryDiskOfFaults final : public Disk {
 public:
  Result<std::unique_ptr<EventLog>> Open() override {
    auto log = std::make_unique<MemoryLog>(disk_);
    log_ = log.get();
    return std::unique_ptr<EventLog>(std::move(log));
  }
  void FailNextAppend(AppendFault fault) override {
    log_->SetFate(1, fault == AppendFault::kKept ? MemoryLog::Fate::kFailedButKept
                                                 : MemoryLog::Fate::kFailedAndLost);
  }
  void Restart(bool) override {}

 private:
  const std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  MemoryLog* log_ = nullptr;
};

class RocksDiskOfFaults final : public Disk {
 public:
  explicit RocksDiskOfFaults(uint64_t seed) : random_(seed) {}

  Result<std::unique_ptr<EventLog>> Open() override {
    ASSIGN_OR_RETURN(std::unique_ptr<RocksLog> log,
                     RocksLog::Open({.dir = dir_ / "log",
                                     .create = true,
                                     .sidecar_key_path = dir_ / "sidecar.key",
                                     .cut_damaged_tail = garbage_,
                                     .env = files_.env()}));
    return std::unique_ptr<EventLog>(std::move(log));
  }
  // The first writing operation of an append is to write the record, the next to sync it.
  void FailNextAppend(AppendFault fault) override {
    using Failure = FaultyFileSystem::Failure;
    switch (fault) {
      case AppendFault::kLost:
        return files_.FailWrite(1, random_.OneIn(2) ? Failure::kForGood : Failure::kHalfWrite);
      case AppendFault::kKept:
        return files_.FailWrite(2, Failure::kForGood);
      case AppendFault::kDiskFull:
        return files_.FailWrite(1, Failure::kDiskFull);
    }
  }
  void Restart(bool lose_power) override {
    files_.Heal();
    if (!lose_power) return;
    using Unsynced = FaultyFileSystem::Unsynced;
    static constexpr Unsynced kAll[] = {Unsynced::kDropped, Unsynced::kHalfKept, Unsynced::kZeros,
                                        Unsynced::kGarbage};
    Unsynced unsynced = random_.Of(kAll);
    garbage_ |= unsynced == Unsynced::kGarbage;
    files_.LosePower(unsynced);
  }

 private:
  Random random_;
  TempDir dir_;
  FaultyFileSystem files_;
  bool garbage_ = false;  // An operator has said to cut a tail that fails its checksum.
};

}  // namespace updraft::simulation
