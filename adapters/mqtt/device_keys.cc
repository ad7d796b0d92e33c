#include "adapters/mqtt/device_keys.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace updraft {
namespace {

constexpr std::string_view kFileName = "device-keys";

static_assert(sizeof(CredentialKey) == 16);

off_t OffsetOf(DeviceId device) { return static_cast<off_t>(device.value()) * 16; }

Status Failed(std::string_view what) {
  StatusCode code = errno == ENOSPC || errno == EDQUOT ? StatusCode::kResourceExhausted
                                                       : StatusCode::kUnavailable;
  return Status(code, fmt::format("cannot {} {}: {}", what, kFileName, strerror(errno)));
}

}  // namespace

Result<DeviceKeys> DeviceKeys::Open(const std::string& dir) {
  std::string path = fmt::format("{}/{}", dir, kFileName);
  OwnedFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct stat info = {};
  if (!fd.ok() || fstat(fd.get(), &info) != 0) return Failed("open");
  return DeviceKeys(std::move(fd), info.st_size == 0);
}

Status DeviceKeys::Put(DeviceId first, std::span<const CredentialKey> keys) {
  const char* bytes = reinterpret_cast<const char*>(keys.data());
  size_t left = keys.size_bytes();
  off_t offset = OffsetOf(first);
  while (left > 0) {
    ssize_t written = pwrite(fd_.get(), bytes, left, offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("write");
    bytes += written;
    offset += written;
    left -= static_cast<size_t>(written);
  }
  empty_ = false;
  return OkStatus();
}

Status DeviceKeys::Sync() {
  if (fdatasync(fd_.get()) != 0) return Failed("sync");
  return OkStatus();
}

Result<CredentialKey> DeviceKeys::Get(DeviceId device) const {
  CredentialKey key;
  ssize_t got = pread(fd_.get(), key.bytes.data(), sizeof(key), OffsetOf(device));
  if (got < 0) return Failed("read");
  if (got != sizeof(key)) return CredentialKey();
  return key;
}

}  // namespace updraft
