// Files of our own beside RocksDB's: keys, exports, checkpoints. Every failure is a Status that
// names the file and says what to do about it.
//
// Thread-safety: none; a reader or writer belongs to one thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "events/base/owned_fd.h"
#include "events/base/status.h"

namespace updraft {

// What errno `error` means for `path` while `doing` ("write to"), and the way out.
// NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED (disk full), FAILED_PRECONDITION (read-only, not
// a directory), ALREADY_EXISTS, DATA_LOSS (the disk fails), UNAVAILABLE (all else).
Status FileFault(std::string_view doing, const std::string& path, int error);

// Makes the directory and those above it that are missing, for the owner only, durably.
Status MakeDirectory(const std::string& path);

// OK when files in the directory can be read and, for `write`, made and changed.
Status CheckDirectory(const std::string& path, bool write);

Result<std::string> ReadFile(const std::string& path);

// A file that one process holds at a time, and one object within it, until the object is gone.
class FileLock {
 public:
  // Makes the file if needed. ABORTED when somebody else holds it.
  static Result<FileLock> Take(const std::string& path);

 private:
  explicit FileLock(OwnedFd fd) : fd_(std::move(fd)) {}

  OwnedFd fd_;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// A file that is there whole or not at all: it is written under another name, which Commit changes.
class FileWriter {
 public:
  // For the owner only. What `path` held stays there until Commit.
  static Result<FileWriter> Create(const std::string& path);

  FileWriter(FileWriter&&) noexcept = default;
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();  // Removes what was not committed.

  Status Write(std::string_view bytes);
  // Waits until the disk has what was written so far, which is not durable yet. Of a large file
  // Commit has little left to do then, and others that use the disk do not wait long for it.
  Status Flush();
  // The file is durable under its name once this is OK. Nothing may be written after.
  Status Commit();

 private:
  FileWriter(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  std::unique_ptr<std::FILE, CloseFile> file_;  // Null once committed.
};

class FileReader {
 public:
  static Result<FileReader> Open(const std::string& path);

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }

  // Where the next Read begins.
  uint64_t offset() const { return offset_; }

  // Fills `bytes`. DATA_LOSS when the file ends before.
  Status Read(char* bytes, size_t count);
  Status Seek(uint64_t offset);

 private:
  FileReader(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  uint64_t size_ = 0;
  uint64_t offset_ = 0;
};

}  // namespace updraft
