// The event log on disk: a RocksDB of its own in one directory. The format of the bytes stands at
// the top of rocks_log.cc.
//
// One process writes: a second writer on the directory is refused. Any number may read it beside
// the writer; they see the log as it was when they opened it.
//
// Opening is quick however long the log is: it checks how the files end, the last commits, and that
// no file is missing. VerifyLog reads it all.
//
// Thread-safety: as EventLog promises.
// Lifetime: never fork() while one is open; RocksDB's threads would not be in the child.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "events/log/event_log.h"

namespace rocksdb {
class Env;
}

namespace updraft {

struct RocksLogOptions {
  std::string dir;
  // Make the directory and an empty log where there is none.
  bool create = false;
  // Read beside a writer or where nothing can be written. Append is refused.
  bool read_only = false;
  // The key of the sidecar, see key_file.h, outside of `dir`: whoever takes the one should not have
  // the other. Made together with the log. Without it only a log that is read can be opened, and
  // its sidecar cannot be read.
  std::string sidecar_key_path = {};
  // The last record of the write-ahead log fails its checksum: either it was acknowledged and
  // rotted since, or a power failure interrupted its writing. Opening refuses to guess; with this
  // it cuts the record off. For an operator to say, once.
  bool cut_damaged_tail = false;
  // What RocksDB reads and writes through, for tests. The machine's files when null. Must outlive
  // the log.
  rocksdb::Env* env = nullptr;
  // Called by whoever appends, after each write, with the microseconds that its fsync took. Must be
  // quick. May be null.
  std::function<void(int64_t us)> on_sync = {};
};

class RocksLog : public EventLog {
 public:
  // NOT_FOUND            no log in the directory, or no directory.
  // FAILED_PRECONDITION  another process writes it; a newer build wrote it; the sidecar's key file
  //                      is missing or another; the file system is read-only.
  // PERMISSION_DENIED, RESOURCE_EXHAUSTED (disk full), DATA_LOSS (damaged or missing files, each
  // named; a log to be made whose key is there already: it was there once). A log is never opened
  // shorter than it was acknowledged, as far as its files can tell.
  static Result<std::unique_ptr<RocksLog>> Open(const RocksLogOptions& options);

  // What opening found and mended, a sentence each, for the operator.
  virtual const std::vector<std::string>& notices() const = 0;

  // Erasing takes a value out of reach at once, but leaves its sealed bytes in files. Whether some
  // are left, of this run or a former one. Any thread may ask.
  virtual bool has_erased() const = 0;
  // Rewrites the sidecar's files without what was erased from it; once this is OK no file of the
  // directory holds it any more, not even encrypted. Any thread may call it; appends go on
  // meanwhile. Its cost grows with the sidecar: call it from time to time after erasing.
  virtual Status PurgeErased() = 0;
};

}  // namespace updraft
