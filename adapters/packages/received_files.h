// Which file came in under which object key: an upload ends before the call that makes a package of
// it comes, up to an hour later, and the service may be restarted in between. One small durable
// file an upload, beside the PackageStore's directories:
//
//   DIR/received/KIND-(first 32 digits of the SHA-256 of the object key)
//
// Thread-safety: any thread; calls block on the disk. Of two
// uploads under one key at once, one is kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/packages/file_kind.h"
#include "adapters/packages/file_writer.h"
#include "events/base/status.h"

namespace updraft {

class ReceivedFiles {
 public:
  // Makes `directory` and what is below it where they are missing.
  static Result<std::unique_ptr<ReceivedFiles>> Open(std::string directory);

  // Notes that `file` came in under `object_key`, in place of what came under it before.
  Status Put(FileKind kind, std::string_view object_key, const StoredFile& file);

  // NOT_FOUND when nothing came under that key at `since_ms` (UTC, since 1970) or later.
  Result<StoredFile> Get(FileKind kind, std::string_view object_key, int64_t since_ms = 0) const;

  // The ids of all files that are noted, in their order.
  Result<std::vector<std::string>> FilesNoted(FileKind kind) const;

  // Forgets what was noted before `time_ms` (UTC, since 1970); the files themselves stay.
  Status ForgetBefore(int64_t time_ms);

 private:
  explicit ReceivedFiles(std::string directory) : directory_(std::move(directory)) {}
  std::string PathOf(FileKind kind, std::string_view object_key) const;
  static Result<StoredFile> ReadNote(const std::string& path);

  const std::string directory_;
  std::atomic<uint64_t> put_ = 0;  // Each file is written under a name of its own, then renamed.
};

}  // namespace updraft
