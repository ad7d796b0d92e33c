#include "tests/log/faulty_file_system.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace updraft {

namespace fs = std::filesystem;
using rocksdb::DataVerificationInfo;
using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// The faults and what a power failure would take.
class FaultyDisk {
 public:
  using Failure = FaultyFileSystem::Failure;
  using ReadFault = FaultyFileSystem::ReadFault;
  using Unsynced = FaultyFileSystem::Unsynced;

  uint64_t writes() const {
    std::lock_guard lock(mutex_);
    return writes_;
  }

  uint64_t reads() const {
    std::lock_guard lock(mutex_);
    return reads_;
  }

  void FailWrite(uint64_t nth, Failure failure) {
    std::lock_guard lock(mutex_);
    fail_at_ = writes_ + nth;
    failure_ = failure;
  }

  void SpoilRead(uint64_t nth, ReadFault fault) {
    std::lock_guard lock(mutex_);
    spoil_at_ = reads_ + nth;
    read_fault_ = fault;
  }

  void Heal() {
    std::lock_guard lock(mutex_);
    fail_at_ = 0;
    spoil_at_ = 0;
  }

  // Counts a writing operation. Not OK when it fails; `*half` says whether half of it should be
  // done all the same.
  IOStatus Write(bool* half = nullptr) {
    std::lock_guard lock(mutex_);
    ++writes_;
    const bool fails =
        failure_ == Failure::kOnce ? writes_ == fail_at_ : fail_at_ != 0 && writes_ >= fail_at_;
    if (!fails) return IOStatus::OK();
    if (half != nullptr) *half = failure_ == Failure::kHalfWrite && writes_ == fail_at_;
    if (failure_ == Failure::kDiskFull) return IOStatus::NoSpace("the test filled the disk");
    return IOStatus::IOError("the test broke the disk");
  }

  // Counts a read that gave `*result`, and spoils it when it is due; `scratch` has room for it.
  void Read(Slice* result, char* scratch) {
    std::lock_guard lock(mutex_);
    if (++reads_ != spoil_at_ || result->empty()) return;
    if (read_fault_ == ReadFault::kShort) {
      *result = Slice(result->data(), result->size() / 2);
      return;
    }
    std::memmove(scratch, result->data(), result->size());
    scratch[result->size() / 2] ^= 0x10;
    *result = Slice(scratch, result->size());
  }

  void Appended(const std::string& path, size_t bytes) {
    std::lock_guard lock(mutex_);
    sizes_[path].written += bytes;
  }

  void Synced(const std::string& path) {
    std::lock_guard lock(mutex_);
    sizes_[path].synced = sizes_[path].written;
  }

  void Made(const std::string& path) {
    std::lock_guard lock(mutex_);
    sizes_[path] = {};
    changes_.push_back({.before = "", .now = path, .kept = ""});
  }

  void Remove(const std::string& path) {
    std::lock_guard lock(mutex_);
    sizes_.erase(path);
    changes_.push_back({.before = "", .now = path, .kept = KeepAside(path)});
  }

  void Rename(const std::string& from, const std::string& to) {
    std::lock_guard lock(mutex_);
    changes_.push_back({.before = from, .now = to, .kept = KeepAside(to)});
    fs::rename(from, to);
    sizes_[to] = sizes_[from];
    sizes_.erase(from);
  }

  void DirectorySynced() {
    std::lock_guard lock(mutex_);
    for (const Change& change : changes_) {
      if (!change.kept.empty()) fs::remove(change.kept);
    }
    changes_.clear();
  }

  void LosePower(Unsynced unsynced) {
    std::lock_guard lock(mutex_);
    for (const auto& [path, size] : sizes_) {
      if (size.written > size.synced) Lose(path, size, unsynced);
    }
    sizes_.clear();
    for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
      if (change->before.empty()) {
        fs::remove(change->now);
      } else {
        fs::rename(change->now, change->before);
      }
      if (!change->kept.empty()) fs::rename(change->kept, change->now);
    }
    changes_.clear();
  }

 private:
  struct FileSize {
    uint64_t written = 0;
    uint64_t synced = 0;
  };

  // A change of the directory that a power failure undoes: `now` goes back to `before`, or away
  // where that is empty, and what was at `now` comes back from `kept`.
  struct Change {
    std::string before;
    std::string now;
    std::string kept;
  };

  // Moves the file, if there is one, to where nobody looks.
  std::string KeepAside(const std::string& path) {
    if (!fs::exists(path)) return "";
    std::string kept = fmt::format("{}.kept-{}", path, ++kept_count_);
    fs::rename(path, kept);
    return kept;
  }

  static void Lose(const std::string& path, const FileSize& size, Unsynced unsynced) {
    const uint64_t keep = unsynced == Unsynced::kHalfKept
                              ? size.synced + (size.written - size.synced) / 2
                              : size.synced;
    fs::resize_file(path, keep);
    if (unsynced == Unsynced::kZeros) fs::resize_file(path, size.written);
    if (unsynced == Unsynced::kGarbage) {
      std::ofstream(path, std::ios::app | std::ios::binary)
          << std::string(size.written - size.synced, '\xA5');
    }
  }

  mutable std::mutex mutex_;  // Guards what follows.
  uint64_t writes_ = 0;
  uint64_t reads_ = 0;
  uint64_t fail_at_ = 0;  // By number of the write; 0 is never.
  uint64_t spoil_at_ = 0;
  Failure failure_ = Failure::kOnce;
  ReadFault read_fault_ = ReadFault::kShort;
  std::map<std::string, FileSize> sizes_;
  std::vector<Change> changes_;
  uint64_t kept_count_ = 0;
};

namespace {

class WritableFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WritableFile(std::shared_ptr<FaultyDisk> disk, std::string path,
               std::unique_ptr<rocksdb::FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)),
        disk_(std::move(disk)),
        path_(std::move(path)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    bool half = false;
    IOStatus status = disk_->Write(&half);
    if (!status.ok() && !half) return status;
    Slice written(data.data(), half ? data.size() / 2 : data.size());
    disk_->Appended(path_, written.size());
    IOStatus appended = FSWritableFileOwnerWrapper::Append(written, options, debug);
    return status.ok() ? appended : status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }

  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    IOStatus status = disk_->Write();
    if (status.ok()) disk_->Synced(path_);
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(options, debug);
  }
  // Hints, no promises.
  IOStatus RangeSync(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  void PrepareWrite(size_t, size_t, const IOOptions&, IODebugContext*) override {}

 private:
  const std::shared_ptr<FaultyDisk> disk_;
  const std::string path_;
};

class SequentialFile : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  SequentialFile(std::shared_ptr<FaultyDisk> disk, std::unique_ptr<rocksdb::FSSequentialFile> file)
      : FSSequentialFileOwnerWrapper(std::move(file)), disk_(std::move(disk)) {}

  IOStatus Read(size_t count, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* debug) override {
    IOStatus status = FSSequentialFileOwnerWrapper::Read(count, options, result, scratch, debug);
    if (status.ok()) disk_->Read(result, scratch);
    return status;
  }

 private:
  const std::shared_ptr<FaultyDisk> disk_;
};

class RandomAccessFile : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  RandomAccessFile(std::shared_ptr<FaultyDisk> disk,
                   std::unique_ptr<rocksdb::FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), disk_(std::move(disk)) {}

  IOStatus Read(uint64_t offset, size_t count, const IOOptions& options, Slice* result,
                char* scratch, IODebugContext* debug) const override {
    IOStatus status =
        FSRandomAccessFileOwnerWrapper::Read(offset, count, options, result, scratch, debug);
    if (status.ok()) disk_->Read(result, scratch);
    return status;
  }

 private:
  const std::shared_ptr<FaultyDisk> disk_;
};

class Directory : public rocksdb::FSDirectoryWrapper {
 public:
  Directory(std::shared_ptr<FaultyDisk> disk, std::unique_ptr<rocksdb::FSDirectory> directory)
      : FSDirectoryWrapper(std::move(directory)), disk_(std::move(disk)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    IOStatus status = disk_->Write();
    if (status.ok()) disk_->DirectorySynced();
    return status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }

 private:
  const std::shared_ptr<FaultyDisk> disk_;
};

class FileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit FileSystem(std::shared_ptr<FaultyDisk> disk)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(std::move(disk)) {}
  const char* Name() const override { return "FaultyFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* debug) override {
    IOStatus status = disk_->Write();
    if (!status.ok()) return status;
    std::unique_ptr<rocksdb::FSWritableFile> file;
    status = FileSystemWrapper::NewWritableFile(path, options, &file, debug);
    if (!status.ok()) return status;
    disk_->Made(path);
    *result = std::make_unique<WritableFile>(disk_, path, std::move(file));
    return status;
  }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSSequentialFile> file;
    IOStatus status = FileSystemWrapper::NewSequentialFile(path, options, &file, debug);
    if (status.ok()) *result = std::make_unique<SequentialFile>(disk_, std::move(file));
    return status;
  }

  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    IOStatus status = FileSystemWrapper::NewRandomAccessFile(path, options, &file, debug);
    if (status.ok()) *result = std::make_unique<RandomAccessFile>(disk_, std::move(file));
    return status;
  }

  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    IOStatus status = FileSystemWrapper::NewDirectory(path, options, &directory, debug);
    if (status.ok()) *result = std::make_unique<Directory>(disk_, std::move(directory));
    return status;
  }

  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    IOStatus status = disk_->Write();
    if (status.ok()) disk_->Remove(path);
    return status;
  }

  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    IOStatus status = disk_->Write();
    if (status.ok()) disk_->Rename(from, to);
    return status;
  }

 private:
  const std::shared_ptr<FaultyDisk> disk_;
};

// RocksDB waits a second after each failure; nobody else needs to.
class ImpatientEnv : public rocksdb::EnvWrapper {
 public:
  using EnvWrapper::EnvWrapper;
  void SleepForMicroseconds(int) override {}
};

}  // namespace

FaultyFileSystem::FaultyFileSystem()
    : disk_(std::make_shared<FaultyDisk>()),
      env_(std::make_unique<ImpatientEnv>(
          rocksdb::NewCompositeEnv(std::make_shared<FileSystem>(disk_)))) {}
FaultyFileSystem::~FaultyFileSystem() = default;

rocksdb::Env* FaultyFileSystem::env() { return env_.get(); }
uint64_t FaultyFileSystem::writes() const { return disk_->writes(); }
uint64_t FaultyFileSystem::reads() const { return disk_->reads(); }
void FaultyFileSystem::FailWrite(uint64_t nth, Failure failure) { disk_->FailWrite(nth, failure); }
void FaultyFileSystem::SpoilRead(uint64_t nth, ReadFault fault) { disk_->SpoilRead(nth, fault); }
void FaultyFileSystem::Heal() { disk_->Heal(); }
void FaultyFileSystem::LosePower(Unsynced unsynced) { disk_->LosePower(unsynced); }

}  // namespace updraft
