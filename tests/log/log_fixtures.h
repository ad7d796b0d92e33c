// Each kind of event log, as the contract test wants to meet it: opened again and again on the same
// disk, with a disk that can fail.
#pragma once

#include <memory>

#include <catch2/catch.hpp>

#include "events/log/memory_log.h"
#include "events/log/rocks_log.h"
#include "tests/log/faulty_file_system.h"
#include "tests/log/temp_dir.h"

namespace updraft {

class MemoryFixture {
 public:
  // The log before must be gone.
  std::unique_ptr<EventLog> Open() {
    auto log = std::make_unique<MemoryLog>(disk_);
    last_ = log.get();
    return log;
  }
  // The next append of the log opened last fails.
  void FailNextAppend() { last_->SetFate(1, MemoryLog::Fate::kFailedButKept); }
  void Heal() {}

 private:
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  MemoryLog* last_ = nullptr;
};

class RocksFixture {
 public:
  std::unique_ptr<EventLog> Open() {
    auto log = RocksLog::Open({.dir = temp_ / "log",
                               .create = true,
                               .sidecar_key_path = temp_ / "sidecar.key",
                               .env = disk_.env()});
    REQUIRE(log.status().ToString() == "OK");
    return *std::move(log);
  }
  // The first writing operation of an append is to write the record, the next to sync it.
  void FailNextAppend() { disk_.FailWrite(2, FaultyFileSystem::Failure::kOnce); }
  void Heal() { disk_.Heal(); }

 private:
  TempDir temp_;
  FaultyFileSystem disk_;
};

}  // namespace updraft
