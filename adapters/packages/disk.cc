#include "adapters/packages/disk.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "adapters/packages/file_kind.h"
#include "events/base/owned_fd.h"

namespace updraft {

Status DiskError(std::string_view what, const std::string& path) {
  int error = errno;
  std::string message = fmt::format("cannot {} {}: {}", what, path, strerror(error));
  // EFBIG is a limit of the file system or of the process, and to an operator the same.
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return Status(StatusCode::kUnavailable, kDiskFull, std::move(message));
  }
  return Status(StatusCode::kInternal, std::move(message));
}

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return DiskError("write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return OkStatus();
}

Status SyncDirectory(const std::string& path) {
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok()) return DiskError("open", path);
  if (fsync(fd.get()) != 0) return DiskError("sync", path);
  return OkStatus();
}

}  // namespace updraft
