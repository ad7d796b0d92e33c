#include "adapters/wire/credential_writer.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/wire/credential_files.h"

namespace updraft {
namespace {

// The broker's user may be another than the engine's, in a group they share.
constexpr mode_t kFileMode = 0640;

Status DiskError(std::string_view what, const std::string& path, int error) {
  StatusCode code = error == ENOSPC || error == EDQUOT ? StatusCode::kResourceExhausted
                                                       : StatusCode::kUnavailable;
  return Status(code, fmt::format("cannot {} {}: {}", what, path, strerror(error)));
}

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return DiskError("write", path, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return OkStatus();
}

Result<OwnedFd> CreateFile(const std::string& path, int flags) {
  OwnedFd fd(open(path.c_str(), flags | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
  if (!fd.ok()) return DiskError("create", path, errno);
  return fd;
}

Status SyncFile(const OwnedFd& fd, const std::string& path) {
  if (fsync(fd.get()) != 0) return DiskError("sync", path, errno);
  return OkStatus();
}

Status SyncDirectory(const std::string& dir) {
  OwnedFd fd(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok()) return DiskError("open", dir, errno);
  return SyncFile(fd, dir);
}

Status ReplaceCurrent(const std::string& dir, uint64_t generation) {
  std::string path = fmt::format("{}/{}", dir, kCredentialCurrentFile);
  std::string fresh = path + ".new";
  ASSIGN_OR_RETURN(OwnedFd fd, CreateFile(fresh, O_WRONLY));
  RETURN_IF_ERROR(WriteAll(fd.get(), EncodeCurrent(generation), fresh));
  RETURN_IF_ERROR(SyncFile(fd, fresh));
  if (rename(fresh.c_str(), path.c_str()) != 0) return DiskError("rename", fresh, errno);
  return SyncDirectory(dir);
}

// What other generations left. A reader that still has one open keeps it.
void RemoveOthers(const std::string& dir, uint64_t generation) {
  std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(dir.c_str()), closedir);
  if (listing == nullptr) return;
  while (const dirent* entry = readdir(listing.get())) {
    std::string_view name = entry->d_name;
    if (!name.starts_with("base-") && !name.starts_with("delta-")) continue;
    if (name == CredentialFileName(CredentialFile::kBase, generation)) continue;
    if (name == CredentialFileName(CredentialFile::kDelta, generation)) continue;
    unlinkat(dirfd(listing.get()), entry->d_name, 0);
  }
}

}  // namespace

Result<CredentialWriter> CredentialWriter::Open(const std::string& dir) {
  ASSIGN_OR_RETURN(CredentialFiles files, OpenCredentialFiles(dir));
  uint64_t position = files.base_header.position;
  uint64_t records = 0;
  for (std::string bytes;; ++records) {
    bytes = ReadAt(files.delta, DeltaRecordOffset(records), kCredentialRecordBytes);
    if (bytes.empty()) break;
    std::optional<CredentialRecord> record = DecodeCredentialRecord(bytes);
    if (!record) {
      return Status(StatusCode::kDataLoss,
                    fmt::format("record {} of {}/{} is damaged", records, dir,
                                CredentialFileName(CredentialFile::kDelta, files.generation)));
    }
    position = record->position;
  }
  std::string path = CredentialPath(dir, CredentialFile::kDelta, files.generation);
  OwnedFd delta(open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!delta.ok()) return DiskError("open", path, errno);
  CredentialWriter writer(std::move(delta), files.generation, position);
  writer.delta_records_ = records;
  return writer;
}

Status CredentialWriter::Append(std::span<const CredentialRecord> records) {
  if (records.empty()) return OkStatus();
  std::string bytes;
  bytes.reserve(records.size() * kCredentialRecordBytes);
  for (const CredentialRecord& record : records) {
    CredentialRecordBytes encoded = EncodeCredentialRecord(record);
    bytes.append(encoded.data(), encoded.size());
  }
  RETURN_IF_ERROR(WriteAll(delta_.get(), bytes, "the delta of the credentials"));
  position_ = records.back().position;
  delta_records_ += records.size();
  return OkStatus();
}

Result<CredentialBase> CredentialBase::Create(const std::string& dir, uint64_t generation,
                                              uint64_t position, uint64_t records) {
  CredentialBase base;
  base.dir_ = dir;
  base.header_ = {.file = CredentialFile::kBase,
                  .generation = generation,
                  .position = position,
                  .slots = CredentialSlots(records)};
  base.records_left_ = records;
  std::string path = CredentialPath(dir, CredentialFile::kBase, generation);
  ASSIGN_OR_RETURN(base.file_, CreateFile(path, O_RDWR));
  size_t bytes = kCredentialHeaderBytes + base.header_.slots * kCredentialRecordBytes;
  // All blocks now: a full disk must be an error here, not a signal at some later store.
  if (int error = posix_fallocate(base.file_.get(), 0, static_cast<off_t>(bytes)); error != 0) {
    return DiskError("fill", path, error);
  }
  void* mapped =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, base.file_.get(), /*offset=*/0);
  if (mapped == MAP_FAILED) return DiskError("map", path, errno);
  base.mapped_ = static_cast<char*>(mapped);
  base.mapped_bytes_ = bytes;
  return base;
}

CredentialBase::CredentialBase(CredentialBase&& other) noexcept
    : dir_(std::move(other.dir_)),
      header_(other.header_),
      records_left_(other.records_left_),
      file_(std::move(other.file_)),
      mapped_(std::exchange(other.mapped_, nullptr)),
      mapped_bytes_(other.mapped_bytes_) {}

CredentialBase::~CredentialBase() {
  if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
}

Status CredentialBase::Add(const CredentialRecord& record) {
  if (records_left_ == 0) {
    return Status(StatusCode::kResourceExhausted, "more credentials than the base was made for");
  }
  uint64_t slot = HomeSlot(record.key, header_.slots);
  for (uint64_t probe = 0; probe < kProbesMax; ++probe) {
    char* at = mapped_ + kCredentialHeaderBytes + slot * kCredentialRecordBytes;
    if (IsAbsentRecord(std::string_view(at, kCredentialRecordBytes))) {
      CredentialRecordBytes bytes = EncodeCredentialRecord(record);
      std::memcpy(at, bytes.data(), bytes.size());
      --records_left_;
      return OkStatus();
    }
    slot = slot + 1 == header_.slots ? 0 : slot + 1;
  }
  return Status(StatusCode::kInternal, "a run of credentials that no search would get through");
}

Result<CredentialWriter> CredentialBase::Finish() && {
  std::string path = CredentialPath(dir_, CredentialFile::kBase, header_.generation);
  EncodeCredentialHeader(header_).copy(mapped_, kCredentialHeaderBytes);
  if (msync(mapped_, mapped_bytes_, MS_SYNC) != 0) return DiskError("sync", path, errno);
  RETURN_IF_ERROR(SyncFile(file_, path));

  std::string delta_path = CredentialPath(dir_, CredentialFile::kDelta, header_.generation);
  ASSIGN_OR_RETURN(OwnedFd delta, CreateFile(delta_path, O_WRONLY | O_APPEND));
  CredentialHeader delta_header = {.file = CredentialFile::kDelta,
                                   .generation = header_.generation,
                                   .position = header_.position,
                                   .slots = 0};
  RETURN_IF_ERROR(WriteAll(delta.get(), EncodeCredentialHeader(delta_header), delta_path));
  RETURN_IF_ERROR(SyncFile(delta, delta_path));
  RETURN_IF_ERROR(ReplaceCurrent(dir_, header_.generation));
  RemoveOthers(dir_, header_.generation);
  return CredentialWriter(std::move(delta), header_.generation, header_.position);
}

}  // namespace updraft
