#include "events/log/rocks_database.h"

#include <cerrno>
#include <cstdarg>
#include <cstring>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/iostats_context.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/table.h>

#include "events/base/format.h"

namespace updraft {
namespace {

// The write-ahead log of an idle column would pin those of the others for ever. This ends that, and
// bounds what an opening replays.
constexpr uint64_t kWalBytesMax = 64 << 20;
constexpr size_t kCommitsBufferBytes = 32 << 20;
constexpr size_t kSidecarBufferBytes = 8 << 20;
constexpr size_t kCommitsBlockBytes = 64 << 10;
constexpr size_t kScanAheadBytes = 2 << 20;

// RocksDB's notes for its makers would go to a file, and Debian's build of it aborts when a full
// disk has refused one of them. All that matters comes back as a Status.
class NoNotes : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
rocksdb::Slice Slice(std::string_view view) { return {view.data(), view.size()}; }

rocksdb::DBOptions DatabaseOptions() {
  rocksdb::DBOptions options;
  options.paranoid_checks = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.track_and_verify_wals_in_manifest = true;
  options.avoid_flush_during_recovery = true;  // Keeps the logs until last_sequence() was compared.
  options.max_total_wal_size = kWalBytesMax;
  options.bytes_per_sync = 1 << 20;
  options.max_bgerror_resume_count = 0;  // A write that failed once has failed for good.
  options.max_open_files = -1;           // A reader keeps the files that a writer removes.
  options.max_file_opening_threads = 4;
  options.skip_stats_update_on_db_open = true;
  options.info_log = std::make_shared<NoNotes>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

// In the order of Column.
std::vector<rocksdb::ColumnFamilyDescriptor> ColumnFamilies() {
  rocksdb::ColumnFamilyOptions commits;
  commits.write_buffer_size = kCommitsBufferBytes;
  commits.compression = rocksdb::kZSTD;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = kCommitsBlockBytes;
  commits.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::ColumnFamilyOptions sidecar;
  sidecar.write_buffer_size = kSidecarBufferBytes;
  sidecar.compression = rocksdb::kNoCompression;  // Ciphertext does not shrink.
  return {{rocksdb::kDefaultColumnFamilyName, {}}, {"commits", commits}, {"sidecar", sidecar}};
}

}  // namespace

Status RocksDatabase::Trouble(std::string_view doing, const rocksdb::Status& status) const {
  std::string text = status.ToString();
  // The name that it tries last for a table it does not find.
  if (size_t at = text.find(".ldb"); at != text.npos) text.replace(at, 4, ".sst");
  auto as = [&](StatusCode code, std::string_view way_out) {
    return Status(code, fmt::format("cannot {} the log in {}: {}; {}", doing, dir_, text, way_out));
  };
  auto says = [&](int error) { return text.find(std::strerror(error)) != text.npos; };
  if (status.IsNoSpace() || says(ENOSPC)) {
    return as(StatusCode::kResourceExhausted, "the disk is full: free space and start again");
  }
  if (says(EACCES)) {
    return as(StatusCode::kPermissionDenied, "give the directory and all in it to this user");
  }
  if (says(EMFILE) || says(ENFILE)) {
    return as(StatusCode::kUnavailable,
              "the process has too many files open: allow it more (ulimit -n, LimitNOFILE=) and "
              "start again");
  }
  if (says(EROFS)) {
    return as(StatusCode::kFailedPrecondition, "mount the file system for writing");
  }
  if (status.IsNotSupported() || status.IsInvalidArgument()) {
    return as(StatusCode::kFailedPrecondition, "a newer build wrote it: use that one");
  }
  return as(StatusCode::kDataLoss,
            "a file is damaged or missing, or the disk fails: restore the directory from its "
            "backup, or import an export into a new one");
}

RocksDatabase::RocksDatabase(const Options& options)
    : dir_(options.dir), on_sync_(options.on_sync) {}

Result<std::unique_ptr<RocksDatabase>> RocksDatabase::Open(const Options& options) {
  std::unique_ptr<RocksDatabase> database(new RocksDatabase(options));
  rocksdb::DBOptions db_options = DatabaseOptions();
  db_options.create_if_missing = options.make;
  db_options.create_missing_column_families = options.make;
  if (options.env != nullptr) db_options.env = options.env;
  const std::string& dir = options.dir;
  auto& handles = database->handles_;
  rocksdb::DB* db = nullptr;
  rocksdb::Status opened =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(db_options, dir, ColumnFamilies(), &handles, &db)
          : rocksdb::DB::Open(db_options, dir, ColumnFamilies(), &handles, &db);
  database->db_.reset(db);
  if (!opened.ok()) return database->Trouble("open", opened);
  return database;
}

RocksDatabase::~RocksDatabase() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  db_->Close();
}

Status RocksDatabase::Write(std::span<const Record> records) {
  rocksdb::WriteBatch batch;
  for (const Record& record : records) {
    if (record.value.has_value()) {
      batch.Put(Handle(record.column), record.key, *record.value);
    } else {
      batch.Delete(Handle(record.column), record.key);
    }
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  rocksdb::Status written;
  if (on_sync_) {
    // RocksDB counts by thread, and times only where it is told to.
    const rocksdb::PerfLevel level = rocksdb::GetPerfLevel();
    rocksdb::SetPerfLevel(rocksdb::kEnableTimeExceptForMutex);
    const uint64_t before_ns = rocksdb::get_iostats_context()->fsync_nanos;
    written = db_->Write(options, &batch);
    on_sync_(static_cast<int64_t>(rocksdb::get_iostats_context()->fsync_nanos - before_ns) / 1'000);
    rocksdb::SetPerfLevel(level);
  } else {
    written = db_->Write(options, &batch);
  }
  return written.ok() ? OkStatus() : Trouble("write", written);
}

uint64_t RocksDatabase::last_sequence() const { return db_->GetLatestSequenceNumber(); }

Status RocksDatabase::Flush() {
  rocksdb::Status status = db_->Flush({}, handles_);
  return status.ok() ? OkStatus() : Trouble("write", status);
}

// The iterator points at both.
struct RocksDatabase::Cursor::Bound {
  std::string key;
  rocksdb::Slice slice;
};

RocksDatabase::Cursor::Cursor(const RocksDatabase* database,
                              std::unique_ptr<rocksdb::Iterator> iterator,
                              std::unique_ptr<Bound> bound)
    : database_(database), bound_(std::move(bound)), iterator_(std::move(iterator)) {}
RocksDatabase::Cursor::Cursor(Cursor&&) noexcept = default;
RocksDatabase::Cursor::~Cursor() = default;

bool RocksDatabase::Cursor::valid() const { return iterator_->Valid(); }
std::string_view RocksDatabase::Cursor::key() const { return View(iterator_->key()); }
std::string_view RocksDatabase::Cursor::value() const { return View(iterator_->value()); }
void RocksDatabase::Cursor::Next() { iterator_->Next(); }

Status RocksDatabase::Cursor::status() const {
  const rocksdb::Status status = iterator_->status();
  return status.ok() ? OkStatus() : database_->Trouble("read", status);
}

Result<std::string> RocksDatabase::Get(Column column, std::string_view key) const {
  std::string value;
  rocksdb::Status found = db_->Get({}, Handle(column), Slice(key), &value);
  if (found.IsNotFound()) return Status(StatusCode::kNotFound, "there is nothing under this key");
  if (!found.ok()) return Trouble("read", found);
  return value;
}

RocksDatabase::Cursor RocksDatabase::NewCursor(Column column) const {
  rocksdb::ReadOptions options;
  options.readahead_size = kScanAheadBytes;
  options.fill_cache = false;
  return Cursor(this,
                std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, Handle(column))));
}

RocksDatabase::Cursor RocksDatabase::AtKey(Column column, std::string_view key) const {
  Cursor cursor = NewCursor(column);
  cursor.iterator_->Seek(Slice(key));
  return cursor;
}

RocksDatabase::Cursor RocksDatabase::WithPrefix(Column column, std::string_view prefix) const {
  rocksdb::ReadOptions options;
  // The first key behind all that begin with the prefix; none where it is of the highest bytes
  // only.
  auto bound = std::make_unique<Cursor::Bound>();
  bound->key = prefix;
  while (bound->key.ends_with('\xff')) bound->key.pop_back();
  if (!bound->key.empty()) {
    bound->key.back() = static_cast<char>(bound->key.back() + 1);
    bound->slice = Slice(bound->key);
    options.iterate_upper_bound = &bound->slice;
  }
  std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator(options, Handle(column)));
  iterator->Seek(Slice(prefix));
  return Cursor(this, std::move(iterator), std::move(bound));
}

RocksDatabase::Cursor RocksDatabase::AtKeyOrBefore(Column column, std::string_view key) const {
  Cursor cursor = NewCursor(column);
  cursor.iterator_->SeekForPrev(Slice(key));
  return cursor;
}

RocksDatabase::Cursor RocksDatabase::AtLast(Column column) const {
  Cursor cursor = NewCursor(column);
  cursor.iterator_->SeekToLast();
  return cursor;
}

Status RocksDatabase::Purge(Column column) {
  // Old files that were kept back are removed before EnableFileDeletions returns, others some time
  // after.
  rocksdb::Status status = db_->DisableFileDeletions();
  if (status.ok()) status = db_->Flush({}, handles_);  // Ends the write-ahead logs so far.
  rocksdb::CompactRangeOptions all;
  all.exclusive_manual_compaction = false;
  all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  if (status.ok()) status = db_->CompactRange(all, Handle(column), nullptr, nullptr);
  rocksdb::Status enabled = db_->EnableFileDeletions(/*force=*/false);
  if (status.ok()) status = enabled;
  return status.ok() ? OkStatus() : Trouble("purge", status);
}

}  // namespace updraft
