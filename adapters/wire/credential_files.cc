#include "adapters/wire/credential_files.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace updraft {
namespace {

constexpr size_t kCurrentBytesMax = 32;

Result<OwnedFd> OpenToRead(const std::string& path, StatusCode if_missing) {
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.ok()) return fd;
  StatusCode code = errno == ENOENT ? if_missing : StatusCode::kUnavailable;
  return Status(code, fmt::format("cannot open {}: {}", path, strerror(errno)));
}

Result<CredentialHeader> ReadHeader(const OwnedFd& fd, CredentialFile file, uint64_t generation,
                                    const std::string& path) {
  std::optional<CredentialHeader> header =
      DecodeCredentialHeader(ReadAt(fd, 0, kCredentialHeaderBytes));
  if (!header || header->file != file || header->generation != generation) {
    return Status(StatusCode::kDataLoss, fmt::format("the header of {} is damaged", path));
  }
  return *header;
}

}  // namespace

std::string ReadAt(const OwnedFd& fd, uint64_t offset, size_t count) {
  std::string bytes(count, '\0');
  size_t done = 0;
  while (done < count) {
    ssize_t got =
        pread(fd.get(), bytes.data() + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

std::string CredentialPath(const std::string& dir, CredentialFile file, uint64_t generation) {
  return fmt::format("{}/{}", dir, CredentialFileName(file, generation));
}

Result<CredentialFiles> OpenCredentialFiles(const std::string& dir) {
  CredentialFiles files;
  std::string current_path = fmt::format("{}/{}", dir, kCredentialCurrentFile);
  ASSIGN_OR_RETURN(OwnedFd current, OpenToRead(current_path, StatusCode::kNotFound));
  std::optional<uint64_t> generation = DecodeCurrent(ReadAt(current, 0, kCurrentBytesMax));
  if (!generation) {
    return Status(StatusCode::kDataLoss, fmt::format("{} names no generation", current_path));
  }
  files.generation = *generation;

  std::string base_path = CredentialPath(dir, CredentialFile::kBase, *generation);
  ASSIGN_OR_RETURN(files.base, OpenToRead(base_path, StatusCode::kDataLoss));
  ASSIGN_OR_RETURN(files.base_header,
                   ReadHeader(files.base, CredentialFile::kBase, *generation, base_path));
  struct stat status;
  if (fstat(files.base.get(), &status) != 0 ||
      static_cast<uint64_t>(status.st_size) != SlotOffset(files.base_header.slots)) {
    return Status(StatusCode::kDataLoss, fmt::format("{} has not the length it says", base_path));
  }

  std::string delta_path = CredentialPath(dir, CredentialFile::kDelta, *generation);
  ASSIGN_OR_RETURN(files.delta, OpenToRead(delta_path, StatusCode::kDataLoss));
  RETURN_IF_ERROR(
      ReadHeader(files.delta, CredentialFile::kDelta, *generation, delta_path).status());
  return files;
}

}  // namespace updraft
