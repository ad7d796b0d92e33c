#include "events/log/files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events/base/format.h"

namespace updraft {
namespace {

std::string TemporaryName(const std::string& path) { return path + ".new"; }

std::string DirectoryOf(const std::string& path) {
  std::string parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent;
}

// Makes the entries of the directory durable: files made, renamed or removed in it.
Status SyncDirectory(const std::string& path) {
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok()) return FileFault("open the directory", path, errno);
  return fsync(fd.get()) == 0 ? OkStatus() : FileFault("fsync the directory", path, errno);
}

}  // namespace

Status FileFault(std::string_view doing, const std::string& path, int error) {
  auto fault = [&](StatusCode code, std::string_view way_out) {
    return Status(code,
                  fmt::format("cannot {} {}: {}{}", doing, path, std::strerror(error), way_out));
  };
  switch (error) {
    case ENOENT:
      return fault(StatusCode::kNotFound, "");
    case EACCES:
    case EPERM:
      return fault(StatusCode::kPermissionDenied,
                   fmt::format("; give it to the user that runs this (id {})", geteuid()));
    case ENOSPC:
    case EDQUOT:
      return fault(StatusCode::kResourceExhausted, "; free space on that disk and start again");
    case EROFS:
      return fault(StatusCode::kFailedPrecondition, "; mount it for writing and start again");
    case EEXIST:
      return fault(StatusCode::kAlreadyExists, "");
    case ENOTDIR:
    case EISDIR:
      return fault(StatusCode::kFailedPrecondition, "");
    case EIO:
      return fault(StatusCode::kDataLoss, "; the disk fails, see the system's log");
    default:
      return fault(StatusCode::kUnavailable, "");
  }
}

Status MakeDirectory(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) == 0) {
    return S_ISDIR(found.st_mode) ? OkStatus() : FileFault("make the directory", path, ENOTDIR);
  }
  const std::string parent = DirectoryOf(path);
  if (parent != path) RETURN_IF_ERROR(MakeDirectory(parent));
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return FileFault("make the directory", path, errno);
  }
  return SyncDirectory(parent);
}

Status CheckDirectory(const std::string& path, bool write) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return FileFault("open the directory", path, errno);
  if (!S_ISDIR(found.st_mode)) return FileFault("open the directory", path, ENOTDIR);
  if (faccessat(AT_FDCWD, path.c_str(), R_OK | X_OK, AT_EACCESS) != 0) {
    return FileFault("read the directory", path, errno);
  }
  if (write && faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) {
    return FileFault("write to the directory", path, errno);
  }
  return OkStatus();
}

Result<std::string> ReadFile(const std::string& path) {
  ASSIGN_OR_RETURN(FileReader reader, FileReader::Open(path));
  std::string bytes(reader.size(), '\0');
  RETURN_IF_ERROR(reader.Read(bytes.data(), bytes.size()));
  return bytes;
}

Result<FileLock> FileLock::Take(const std::string& path) {
  OwnedFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.ok()) return FileFault("make", path, errno);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return FileLock(std::move(fd));
  if (errno != EWOULDBLOCK) return FileFault("lock", path, errno);
  return Status(StatusCode::kAborted, fmt::format("{} is locked by another", path));
}

Result<FileWriter> FileWriter::Create(const std::string& path) {
  const std::string name = TemporaryName(path);
  int fd = open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return FileFault("make", name, errno);
  return FileWriter(path, fdopen(fd, "wb"));
}

FileWriter::~FileWriter() {
  if (file_ != nullptr) unlink(TemporaryName(path_).c_str());
}

Status FileWriter::Write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
    return FileFault("write to", TemporaryName(path_), errno);
  }
  return OkStatus();
}

Status FileWriter::Flush() {
  if (std::fflush(file_.get()) != 0) return FileFault("write to", TemporaryName(path_), errno);
  // A hint: where the file system does not take it, nothing is lost.
  (void)sync_file_range(
      fileno(file_.get()), 0, 0,
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  return OkStatus();
}

Status FileWriter::Commit() {
  const std::string name = TemporaryName(path_);
  if (std::fflush(file_.get()) != 0) return FileFault("write to", name, errno);
  if (fsync(fileno(file_.get())) != 0) return FileFault("fsync", name, errno);
  if (rename(name.c_str(), path_.c_str()) != 0) return FileFault("rename to", path_, errno);
  file_.reset();
  return SyncDirectory(DirectoryOf(path_));
}

Result<FileReader> FileReader::Open(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return FileFault("open", path, errno);
  FileReader reader(path, file);
  struct stat found;
  if (fstat(fileno(file), &found) != 0) return FileFault("read", path, errno);
  if (!S_ISREG(found.st_mode)) {
    return Status(StatusCode::kFailedPrecondition, fmt::format("{} is no file", path));
  }
  reader.size_ = static_cast<uint64_t>(found.st_size);
  return reader;
}

Status FileReader::Read(char* bytes, size_t count) {
  if (std::fread(bytes, 1, count, file_.get()) == count) {
    offset_ += count;
    return OkStatus();
  }
  if (std::ferror(file_.get())) return FileFault("read", path_, errno);
  return Status(StatusCode::kDataLoss,
                fmt::format("{} is cut short: it ends inside a record", path_));
}

Status FileReader::Seek(uint64_t offset) {
  if (fseeko(file_.get(), static_cast<off_t>(offset), SEEK_SET) != 0) {
    return FileFault("read", path_, errno);
  }
  offset_ = offset;
  return OkStatus();
}

}  // namespace updraft
