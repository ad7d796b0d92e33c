#include "adapters/packages/file_writer.h"

#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "adapters/packages/disk.h"
#include "adapters/packages/file_kind.h"
#include "events/base/assert.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

// A large file goes to the disk as it comes, so that the wait at its end is short.
constexpr uint64_t kSyncEachBytes = 32 * 1024 * 1024;

}  // namespace

StoreWriter::StoreWriter(OwnedFd fd, std::string temporary_path, std::string directory,
                         uint64_t bytes_max, std::shared_ptr<std::mutex> naming)
    : fd_(std::move(fd)),
      temporary_path_(std::move(temporary_path)),
      directory_(std::move(directory)),
      bytes_max_(bytes_max),
      naming_(std::move(naming)),
      md5_(NewDigest(EVP_md5())),
      sha256_(NewDigest(EVP_sha256())) {}

StoreWriter::~StoreWriter() {
  if (!temporary_path_.empty()) unlink(temporary_path_.c_str());
}

StoreWriter::Digest StoreWriter::NewDigest(const EVP_MD* kind) {
  Digest digest(EVP_MD_CTX_new());
  Assert(digest != nullptr && EVP_DigestInit_ex(digest.get(), kind, nullptr) == 1,
         "libcrypto has MD5 and SHA-256");
  return digest;
}

std::string StoreWriter::HexOf(const Digest& digest) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(digest.get(), bytes, &length);
  return HexLower(std::span<const uint8_t>(bytes, length));
}

Status StoreWriter::GiveUp(Status why) {
  closed_ = std::move(why);
  unlink(temporary_path_.c_str());
  temporary_path_.clear();
  fd_ = OwnedFd();
  return closed_;
}

Status StoreWriter::Write(std::string_view bytes) {
  RETURN_IF_ERROR(closed_);
  if (bytes.size() > bytes_max_ - size_bytes_) {
    return GiveUp(Status(StatusCode::kResourceExhausted, kFileTooLarge,
                         fmt::format("the file has more than {} bytes", bytes_max_)));
  }
  if (Status written = WriteToDisk(bytes); !written.ok()) return GiveUp(written);
  EVP_DigestUpdate(md5_.get(), bytes.data(), bytes.size());
  EVP_DigestUpdate(sha256_.get(), bytes.data(), bytes.size());
  size_bytes_ += bytes.size();
  return OkStatus();
}

Status StoreWriter::WriteToDisk(std::string_view bytes) {
  RETURN_IF_ERROR(WriteAll(fd_.get(), bytes, temporary_path_));
  unsynced_bytes_ += bytes.size();
  if (unsynced_bytes_ >= kSyncEachBytes) {
    if (fdatasync(fd_.get()) != 0) return DiskError("sync", temporary_path_);
    unsynced_bytes_ = 0;
  }
  return OkStatus();
}

Result<StoredFile> StoreWriter::Finish() {
  RETURN_IF_ERROR(closed_);
  if (size_bytes_ == 0) {
    return GiveUp(Status(StatusCode::kInvalidArgument, kFileEmpty, "the file is empty"));
  }
  StoredFile file{"", size_bytes_, HexOf(md5_), HexOf(sha256_)};
  file.id = file.sha256.substr(0, kFileIdDigits);
  std::string path = fmt::format("{}/{}", directory_, file.id);
  if (fsync(fd_.get()) != 0) return GiveUp(DiskError("sync", temporary_path_));
  // Over a file of the same name, which has the same content.
  std::lock_guard lock(*naming_);
  if (rename(temporary_path_.c_str(), path.c_str()) != 0) {
    return GiveUp(DiskError("rename", temporary_path_));
  }
  temporary_path_.clear();
  RETURN_IF_ERROR(SyncDirectory(directory_));
  closed_ = Status(StatusCode::kFailedPrecondition, "the file is finished");
  return file;
}

}  // namespace updraft
