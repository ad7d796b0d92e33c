// A disk for RocksDB that fails when told to and forgets what was not synced when its power goes.
// The files lie on the machine's file system; syncs are only noted, so tests are quick.
//
// The model: what a file holds is durable as far as it was synced; that a file was made, renamed or
// removed is durable once its directory was synced. A writing operation is each of: make, append,
// sync, rename, remove, sync a directory.
//
// Thread-safety: any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace rocksdb {
class Env;
}

namespace updraft {

class FaultyDisk;

class FaultyFileSystem {
 public:
  enum class Failure {
    kOnce,       // One operation fails, the next ones pass: a bad sector.
    kForGood,    // From that one on all fail: the disk is gone.
    kHalfWrite,  // As kForGood, but half of an append reaches the file before.
    kDiskFull,   // As kForGood, for want of space.
  };
  enum class ReadFault { kShort, kFlippedBit };
  // What becomes of bytes that were written and not synced when the power goes.
  enum class Unsynced { kDropped, kHalfKept, kZeros, kGarbage };

  FaultyFileSystem();
  ~FaultyFileSystem();

  rocksdb::Env* env();

  // Writing operations so far, and reads.
  uint64_t writes() const;
  uint64_t reads() const;

  // The `nth` writing operation from now (1 is the next) fails.
  void FailWrite(uint64_t nth, Failure failure);
  // The `nth` read from now gives less than there is, or other bits.
  void SpoilRead(uint64_t nth, ReadFault fault);
  // No more faults.
  void Heal();

  // Whatever used the files must be gone. Undoes what was not durable.
  void LosePower(Unsynced unsynced);

 private:
  const std::shared_ptr<FaultyDisk> disk_;
  const std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace updraft
