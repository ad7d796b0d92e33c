// The event log: every fact the engine has accepted, in the order it accepted them. Sequence
// numbers count events, start at 1 and have no gap. What is appended is never changed or removed;
// all else on disk (checkpoints, indexes) can be deleted and made again from here.
//
// Beside the events lies the sidecar: names, secrets and free text, written in the same step as the
// commit that they belong to, encrypted, and erasable, which the events are not.
//
// Thread-safety: one thread appends; any thread may read meanwhile and sees whole commits only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "events/base/status.h"
#include "events/log/chain.h"
#include "events/log/commit.h"

namespace updraft {

// Puts `value` under `key` in the sidecar, or erases all keys that begin with `key`. The writes of
// one commit take effect in their order.
struct SideWrite {
  std::string key;
  std::optional<std::string> value;
};

class EventLog {
 public:
  // Return a failure to stop the reading; it is passed through.
  using VisitCommit = std::function<Status(const CommitReader&)>;
  using VisitSide = std::function<Status(std::string_view key, std::string_view value)>;

  virtual ~EventLog() = default;

  // Appends `commit` and its side writes as one step: after a crash either all of it is there or
  // none. OK means durable: only then may anything tell of it.
  //
  // ABORTED             the log's head is not what the commit builds on (its first number, its
  //                     previous hash, its engine), or its epoch is below the head's: another
  //                     writer was here. Nothing was recorded.
  // RESOURCE_EXHAUSTED  over kCommitBytesMax. Nothing was recorded.
  // DATA_LOSS           the write or fsync failed and what reached the disk is unknown. This object
  //                     refuses every later Append with DATA_LOSS, for ever. Reopen.
  virtual Status Append(const SealedCommit& commit, std::span<const SideWrite> side) = 0;

  // OK while this object is the log's writer and nothing failed: for answers that have no events of
  // their own. Else what Append would say.
  virtual Status Confirm() = 0;

  // What the last durable append made of the log.
  virtual LogHead head() const = 0;

  // Calls `visit` for each commit from the one that holds `first` on, oldest first, as far as the
  // log reached when the call began. What ChainCheck asks is checked on the way, before the visit;
  // a break is DATA_LOSS and names the commit.
  virtual Status Read(Seq first, const VisitCommit& visit) const = 0;

  // NOT_FOUND when nothing is under `key`; DATA_LOSS when what is there cannot be decrypted.
  virtual Result<std::string> ReadSide(std::string_view key) const = 0;
  // All keys that begin with `prefix`, in byte order.
  virtual Status ScanSide(std::string_view prefix, const VisitSide& visit) const = 0;
};

}  // namespace updraft
