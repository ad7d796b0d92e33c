// As much of RocksDB as a log needs: three columns of keys in one directory, written in synced
// batches. The one place that knows RocksDB; its trouble comes out as a Status that names the file
// and the way out.
//
// Thread-safety: one thread writes, any thread reads meanwhile. Never fork() while one is open:
// RocksDB's threads would not be in the child.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "events/base/status.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Env;
class Iterator;
class Status;
}  // namespace rocksdb

namespace updraft {

enum class Column { kMeta, kCommits, kSidecar };

class RocksDatabase {
 public:
  struct Options {
    std::string dir;
    // Make what is missing: a new database, or one whose making was interrupted.
    bool make = false;
    bool read_only = false;
    rocksdb::Env* env = nullptr;           // The machine's when null. Must outlive the database.
    std::function<void(int64_t)> on_sync;  // See RocksLogOptions.
  };

  // Puts `value` under `key`, or removes the key.
  struct Record {
    Column column;
    std::string key;
    std::optional<std::string> value;
  };

  // Walks the keys of one column in byte order, as they were at one moment. Must go before the
  // database.
  class Cursor {
   public:
    Cursor(Cursor&&) noexcept;
    ~Cursor();

    // False at the end, and when reading failed: then status() is not OK.
    bool valid() const;
    // Valid until Next.
    std::string_view key() const;
    std::string_view value() const;
    void Next();
    Status status() const;

   private:
    friend class RocksDatabase;
    struct Bound;  // Where an iterator ends.
    Cursor(const RocksDatabase* database, std::unique_ptr<rocksdb::Iterator> iterator,
           std::unique_ptr<Bound> bound = nullptr);

    const RocksDatabase* database_;
    std::unique_ptr<Bound> bound_;  // Outlives the iterator.
    std::unique_ptr<rocksdb::Iterator> iterator_;
  };

  static Result<std::unique_ptr<RocksDatabase>> Open(const Options& options);
  ~RocksDatabase();

  // All records or none, fsynced. After a failure it is unknown which.
  Status Write(std::span<const Record> records);

  // The number of the last write, in RocksDB's own count.
  uint64_t last_sequence() const;

  // Writes to tables, durably, what so far lies in write-ahead logs only.
  Status Flush();

  Result<std::string> Get(Column column, std::string_view key) const;  // NOT_FOUND when not there.

  Cursor AtKey(Column column, std::string_view key) const;  // Or the next after it.
  // The keys with this prefix and no others. For a few: it reads nothing ahead, and looks at
  // nothing behind them, where removed ones may lie.
  Cursor WithPrefix(Column column, std::string_view prefix) const;
  Cursor AtKeyOrBefore(Column column, std::string_view key) const;  // The last that is not after.
  Cursor AtLast(Column column) const;

  // Rewrites the files of `column` without what was removed from it; once this is OK no file holds
  // it any more.
  Status Purge(Column column);

 private:
  explicit RocksDatabase(const Options& options);
  Cursor NewCursor(Column column) const;
  Status Trouble(std::string_view doing, const rocksdb::Status& status) const;
  rocksdb::ColumnFamilyHandle* Handle(Column column) const {
    return handles_[static_cast<size_t>(column)];
  }

  const std::string dir_;
  const std::function<void(int64_t)> on_sync_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // As Column counts.
};

}  // namespace updraft
