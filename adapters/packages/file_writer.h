// Takes one file in, piece by piece: counts it, digests it and puts it in its place when it is
// whole. Memory is constant whatever the size. Made by PackageStore::Begin.
//
// Thread-safety: one thread at a time; calls block on the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <openssl/evp.h>

#include "events/base/owned_fd.h"
#include "events/base/status.h"

namespace updraft {

inline constexpr size_t kFileIdDigits = 32;

// A file that is in its place for good. Digests are lower-case hex.
struct StoredFile {
  std::string id;  // The first kFileIdDigits of the SHA-256.
  uint64_t size_bytes = 0;
  std::string md5;
  std::string sha256;
};

class StoreWriter {
 public:
  // Writes to `fd`, which is `temporary_path`, and ends as a file of `directory`, where it is given
  // its name under `naming`.
  StoreWriter(OwnedFd fd, std::string temporary_path, std::string directory, uint64_t bytes_max,
              std::shared_ptr<std::mutex> naming);
  ~StoreWriter();  // Without Finish(), nothing is left of it.

  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  // RESOURCE_EXHAUSTED (kFileTooLarge) when the file has more bytes than it may, UNAVAILABLE
  // (kDiskFull), INTERNAL when the disk fails. With any of them the file is given up, and further
  // calls give the same.
  Status Write(std::string_view bytes);

  // Makes the file durable under its id, once. INVALID_ARGUMENT (kFileEmpty) for an empty file;
  // otherwise as Write().
  Result<StoredFile> Finish();

 private:
  struct DigestDeleter {
    void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
  };
  using Digest = std::unique_ptr<EVP_MD_CTX, DigestDeleter>;

  static Digest NewDigest(const EVP_MD* kind);
  static std::string HexOf(const Digest& digest);

  Status WriteToDisk(std::string_view bytes);
  Status GiveUp(Status why);

  OwnedFd fd_;
  std::string temporary_path_;  // Empty once it is renamed.
  const std::string directory_;
  const uint64_t bytes_max_;
  const std::shared_ptr<std::mutex> naming_;
  uint64_t size_bytes_ = 0;
  uint64_t unsynced_bytes_ = 0;
  Digest md5_;
  Digest sha256_;
  Status closed_;  // Why nothing more is taken; OK while it is.
};

}  // namespace updraft
