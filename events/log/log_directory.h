// The directory of a RocksLog, looked at before RocksDB does: whether all files are there, and how
// those end that RocksDB replays. RocksDB itself would take a missing CURRENT for an empty log, a
// missing write-ahead log for an empty one, and damage near the end of one for its end.
//
// Thread-safety: none; plain data. A writer holds the directory's lock before it mends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "events/base/status.h"
#include "events/log/head_note.h"
#include "events/log/wal_scan.h"

namespace updraft {

class LogDirectory {
 public:
  // OK for a directory without a log, too.
  static Result<LogDirectory> Survey(const std::string& dir);

  // No log was made here, or its making did not get far.
  bool empty() const { return !current_ && !tables_ && !note_.has_value() && wals_.empty(); }
  // Written once the log was first opened; nothing is ever appended before.
  const std::optional<HeadNote>& note() const { return note_; }

  // DATA_LOSS, naming the file, when one is missing that every log has. REQUIRED: not empty.
  Status CheckComplete() const;

  // What RocksDB replays when it opens.
  struct Replay {
    // RocksDB's number of the last write in the write-ahead logs: if it has less afterwards, it
    // left some of them out.
    uint64_t last_sequence = 0;
    std::vector<std::string> notices;  // What was cut, a sentence each.
  };

  // DATA_LOSS, naming file and offset, when the manifest or a write-ahead log was damaged after it
  // was written.
  Result<Replay> CheckReplay() const;
  // The same, and cuts off records whose writing was interrupted, and with `cut_damaged_tail` also
  // a last one that fails its checksum.
  Result<Replay> MendReplay(bool cut_damaged_tail) const;

  // Is another whenever RocksDB has added or removed files that hold data.
  static Result<std::string> Stamp(const std::string& dir);

 private:
  explicit LogDirectory(std::string dir) : dir_(std::move(dir)) {}

  std::string Path(const std::string& name) const { return dir_ + "/" + name; }
  // The name of the manifest that CURRENT names.
  Result<std::string> Manifest() const;
  Result<WalScan> Scan(const std::string& name) const;

  std::string dir_;
  bool current_ = false;
  bool tables_ = false;
  std::vector<std::string> wals_;  // Oldest first.
  std::optional<HeadNote> note_;
};

// Writes the note of the log in `dir`, durably.
Status WriteHeadNote(const std::string& dir, const HeadNote& note);

}  // namespace updraft
