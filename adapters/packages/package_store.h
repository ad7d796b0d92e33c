// The files that operators send, on disk by their content: a file's id is the beginning of its
// SHA-256, so the same file sent twice is stored once and a stored file never changes.
//
//   DIR/packages/ID, DIR/device-lists/ID    whole files, durable
//   DIR/incoming/…                          files being taken in; emptied by Open()
//
// One process uses a directory at a time. Thread-safety: any thread; calls block on the disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/packages/file_kind.h"
#include "adapters/packages/file_writer.h"
#include "events/base/owned_fd.h"
#include "events/base/status.h"

namespace updraft {

class PackageStore {
 public:
  // Makes `directory` and what is below it where they are missing, and removes what a crash left
  // half taken in.
  static Result<std::unique_ptr<PackageStore>> Open(std::string directory);

  // Begins to take a file of up to `bytes_max` bytes in.
  Result<std::unique_ptr<StoreWriter>> Begin(FileKind kind, uint64_t bytes_max);

  struct OpenFile {
    OwnedFd fd;
    uint64_t size_bytes = 0;
  };
  // For reading. The file stays readable through `fd` when it is deleted. NOT_FOUND.
  Result<OpenFile> OpenToRead(FileKind kind, std::string_view id) const;

  // NOT_FOUND.
  Status Delete(FileKind kind, std::string_view id);
  // The same, unless it was stored at `time_ms` (UTC, since 1970) or later; whether it is gone. A
  // file that comes in again meanwhile stays.
  Result<bool> DeleteStoredBefore(FileKind kind, std::string_view id, int64_t time_ms);

  struct Entry {
    std::string id;
    uint64_t size_bytes = 0;
    int64_t stored_at_ms = 0;  // UTC, since 1970, by the file system.
  };
  // All files of a kind, in the order of their ids.
  Result<std::vector<Entry>> List(FileKind kind) const;

 private:
  explicit PackageStore(std::string directory) : directory_(std::move(directory)) {}

  std::string DirectoryOf(FileKind kind) const;
  // NOT_FOUND for what cannot be an id; so an id from outside names nothing but a stored file.
  Result<std::string> PathOf(FileKind kind, std::string_view id) const;

  const std::string directory_;
  // Held while a file is given its name or loses it. Writers may outlive the store.
  const std::shared_ptr<std::mutex> naming_ = std::make_shared<std::mutex>();
  std::atomic<uint64_t> begun_ = 0;  // Files taken in so far, each with a name of its own.
};

}  // namespace updraft
