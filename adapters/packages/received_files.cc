#include "adapters/packages/received_files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "adapters/packages/disk.h"
#include "events/base/assert.h"
#include "events/base/bytes.h"
#include "events/base/owned_fd.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;

constexpr size_t kKeyDigits = 32;
constexpr mode_t kFileMode = 0640;

std::string_view NameOf(FileKind kind) {
  switch (kind) {
    case FileKind::kPackage:
      return "package";
    case FileKind::kDeviceList:
      return "device-list";
  }
  Unreachable();
}

int64_t NotedAtMs(const struct stat& about) {
  return about.st_mtim.tv_sec * 1'000 + about.st_mtim.tv_nsec / 1'000'000;
}

}  // namespace

Result<std::unique_ptr<ReceivedFiles>> ReceivedFiles::Open(std::string directory) {
  directory += "/received";
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    return Status(StatusCode::kUnavailable,
                  fmt::format("cannot use {}: {}", directory, error.message()));
  }
  RETURN_IF_ERROR(SyncDirectory(fs::path(directory).parent_path()));
  return std::unique_ptr<ReceivedFiles>(new ReceivedFiles(std::move(directory)));
}

std::string ReceivedFiles::PathOf(FileKind kind, std::string_view object_key) const {
  // Hashed, since a key comes from outside and may be no name for a file.
  std::string digits = HexLower(Sha256(object_key)).substr(0, kKeyDigits);
  return fmt::format("{}/{}-{}", directory_, NameOf(kind), digits);
}

Status ReceivedFiles::Put(FileKind kind, std::string_view object_key, const StoredFile& file) {
  std::string path = PathOf(kind, object_key);
  std::string fresh = fmt::format("{}/new-{}", directory_, ++put_);
  OwnedFd fd(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
  if (!fd.ok()) return DiskError("create", fresh);
  RETURN_IF_ERROR(
      WriteAll(fd.get(), fmt::format("{} {} {}\n", file.size_bytes, file.md5, file.sha256), fresh));
  if (fsync(fd.get()) != 0) return DiskError("sync", fresh);
  if (rename(fresh.c_str(), path.c_str()) != 0) return DiskError("rename", fresh);
  return SyncDirectory(directory_);
}

Result<StoredFile> ReceivedFiles::Get(FileKind kind, std::string_view object_key,
                                      int64_t since_ms) const {
  std::string path = PathOf(kind, object_key);
  struct stat about;
  if (stat(path.c_str(), &about) != 0 ? errno == ENOENT : NotedAtMs(about) < since_ms) {
    return Status(StatusCode::kNotFound, fmt::format("no file came under \"{}\"", object_key));
  }
  return ReadNote(path);
}

Result<StoredFile> ReceivedFiles::ReadNote(const std::string& path) {
  std::ifstream text(path);
  StoredFile file;
  text >> file.size_bytes >> file.md5 >> file.sha256;
  if (!text || file.sha256.size() < kFileIdDigits) {
    return Status(StatusCode::kDataLoss, fmt::format("{} is damaged", path));
  }
  file.id = file.sha256.substr(0, kFileIdDigits);
  return file;
}

Result<std::vector<std::string>> ReceivedFiles::FilesNoted(FileKind kind) const {
  const std::string prefix = fmt::format("{}-", NameOf(kind));
  std::vector<std::string> ids;
  std::error_code error;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    if (!std::string(it->path().filename()).starts_with(prefix)) continue;
    ASSIGN_OR_RETURN(StoredFile file, ReadNote(it->path()));
    ids.push_back(std::move(file.id));
  }
  if (error) {
    return Status(StatusCode::kInternal,
                  fmt::format("cannot list {}: {}", directory_, error.message()));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Status ReceivedFiles::ForgetBefore(int64_t time_ms) {
  std::error_code error;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    struct stat about;
    if (stat(it->path().c_str(), &about) != 0) continue;  // Replaced meanwhile.
    if (NotedAtMs(about) < time_ms) fs::remove(it->path(), error);
  }
  if (!error) return OkStatus();
  return Status(StatusCode::kInternal,
                fmt::format("cannot clear {}: {}", directory_, error.message()));
}

}  // namespace updraft
