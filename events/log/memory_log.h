// An event log in memory, for tests and simulation: it forgets when the process ends, not before.
// What a restart would find again lies in a MemoryDisk, so that a test ends one log and opens the
// next on the same disk. Appends can be made to fail, to wait, and to be lost.
//
// Thread-safety: as EventLog promises; the hooks may be called from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "events/log/event_log.h"

namespace updraft {

// What survives its MemoryLog. Opaque but for sharing.
struct MemoryDisk {
  std::mutex mutex;
  std::deque<SealedCommit> commits;
  std::map<std::string, std::string> side;
  LogHead head;
};

class MemoryLog final : public EventLog {
 public:
  // How an append ends. A failed one answers DATA_LOSS, and so do all after it; whether the next
  // log on the disk finds the commit is the difference between the two.
  enum class Fate { kDurable, kFailedButKept, kFailedAndLost };

  explicit MemoryLog(std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>());

  // The `nth` append from now (1 is the next) ends so.
  void SetFate(uint32_t nth, Fate fate);

  // From now on Append does not return until Release: an fsync that hangs.
  void Hold();
  // Waits until an append is held.
  void AwaitHeld();
  // Lets the held append, if any, end so, and the later ones pass.
  void Release(Fate fate = Fate::kDurable);

  Status Append(const SealedCommit& commit, std::span<const SideWrite> side) override;
  Status Confirm() override;
  LogHead head() const override;
  Status Read(Seq first, const VisitCommit& visit) const override;
  Result<std::string> ReadSide(std::string_view key) const override;
  Status ScanSide(std::string_view prefix, const VisitSide& visit) const override;

 private:
  Fate TakeFate();
  const SealedCommit* FindFrom(Seq seq) const;

  const std::shared_ptr<MemoryDisk> disk_;

  mutable std::mutex mutex_;  // Guards what follows. Never held together with the disk's.
  std::condition_variable changed_;
  std::map<uint32_t, Fate> fates_;  // By number of appends from now.
  bool holding_ = false;
  bool held_ = false;
  Fate release_fate_ = Fate::kDurable;
  Status failed_;
  LogHead head_;  // The last durable commit, as this log knows it.
};

}  // namespace updraft
