#include "adapters/packages/package_store.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "adapters/packages/disk.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0640;

bool IsId(std::string_view text) {
  return text.size() == kFileIdDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status NoSuchFile(std::string_view id) {
  return Status(StatusCode::kNotFound, fmt::format("no file \"{}\"", id));
}

int64_t StoredAtMs(const struct stat& about) {
  return about.st_mtim.tv_sec * 1'000 + about.st_mtim.tv_nsec / 1'000'000;
}

}  // namespace

Result<std::unique_ptr<PackageStore>> PackageStore::Open(std::string directory) {
  std::unique_ptr<PackageStore> store(new PackageStore(std::move(directory)));
  std::string incoming = store->directory_ + "/incoming";
  std::error_code error;
  fs::remove_all(incoming, error);
  for (const std::string& path : {store->DirectoryOf(FileKind::kPackage),
                                  store->DirectoryOf(FileKind::kDeviceList), incoming}) {
    if (!error) fs::create_directories(path, error);
  }
  if (error) {
    return Status(StatusCode::kUnavailable, fmt::format("cannot use {} for package files: {}",
                                                        store->directory_, error.message()));
  }
  RETURN_IF_ERROR(SyncDirectory(store->directory_));
  return store;
}

std::string PackageStore::DirectoryOf(FileKind kind) const {
  switch (kind) {
    case FileKind::kPackage:
      return directory_ + "/packages";
    case FileKind::kDeviceList:
      return directory_ + "/device-lists";
  }
  Unreachable();
}

Result<std::string> PackageStore::PathOf(FileKind kind, std::string_view id) const {
  if (!IsId(id)) return NoSuchFile(id);
  return fmt::format("{}/{}", DirectoryOf(kind), id);
}

Result<std::unique_ptr<StoreWriter>> PackageStore::Begin(FileKind kind, uint64_t bytes_max) {
  std::string path = fmt::format("{}/incoming/{}", directory_, ++begun_);
  OwnedFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!fd.ok()) return DiskError("create", path);
  return std::make_unique<StoreWriter>(std::move(fd), std::move(path), DirectoryOf(kind), bytes_max,
                                       naming_);
}

Result<PackageStore::OpenFile> PackageStore::OpenToRead(FileKind kind, std::string_view id) const {
  ASSIGN_OR_RETURN(std::string path, PathOf(kind, id));
  OpenFile file{OwnedFd(open(path.c_str(), O_RDONLY | O_CLOEXEC)), 0};
  if (!file.fd.ok()) return errno == ENOENT ? NoSuchFile(id) : DiskError("open", path);
  struct stat about;
  if (fstat(file.fd.get(), &about) != 0) return DiskError("stat", path);
  file.size_bytes = static_cast<uint64_t>(about.st_size);
  return file;
}

Status PackageStore::Delete(FileKind kind, std::string_view id) {
  ASSIGN_OR_RETURN(std::string path, PathOf(kind, id));
  if (unlink(path.c_str()) != 0)
    return errno == ENOENT ? NoSuchFile(id) : DiskError("remove", path);
  return SyncDirectory(DirectoryOf(kind));
}

Result<bool> PackageStore::DeleteStoredBefore(FileKind kind, std::string_view id, int64_t time_ms) {
  ASSIGN_OR_RETURN(std::string path, PathOf(kind, id));
  std::lock_guard lock(*naming_);
  struct stat about;
  if (stat(path.c_str(), &about) != 0) {
    return errno == ENOENT ? NoSuchFile(id) : DiskError("stat", path);
  }
  if (StoredAtMs(about) >= time_ms) return false;
  RETURN_IF_ERROR(Delete(kind, id));
  return true;
}

Result<std::vector<PackageStore::Entry>> PackageStore::List(FileKind kind) const {
  std::vector<Entry> entries;
  std::error_code error;
  for (fs::directory_iterator it(DirectoryOf(kind), error), end; !error && it != end;
       it.increment(error)) {
    std::string id = it->path().filename();
    struct stat about;
    // A file may be deleted meanwhile.
    if (!IsId(id) || stat(it->path().c_str(), &about) != 0) continue;
    entries.push_back({std::move(id), static_cast<uint64_t>(about.st_size), StoredAtMs(about)});
  }
  if (error) {
    return Status(StatusCode::kInternal,
                  fmt::format("cannot list {}: {}", DirectoryOf(kind), error.message()));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.id < b.id; });
  return entries;
}

}  // namespace updraft
