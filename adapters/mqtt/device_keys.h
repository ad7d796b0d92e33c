// Which credential record a device has, by its id, on disk: when a device is deleted its name is
// erased everywhere, and yet its record must be found. A file of 16 bytes a device, beside the
// credential files; what it holds is a hash, as they do.
//
// Errors: UNAVAILABLE and RESOURCE_EXHAUSTED for what the disk refuses. Thread-safety: none.
#pragma once

#include <span>
#include <string>

#include "adapters/wire/credential_table.h"
#include "events/base/ids.h"
#include "events/base/owned_fd.h"
#include "events/base/status.h"

namespace updraft {

class DeviceKeys {
 public:
  // Of `dir`, made when missing.
  static Result<DeviceKeys> Open(const std::string& dir);

  // Nothing was ever put, or the file is lost.
  bool empty() const { return empty_; }

  // A device's key never changes. Put is durable after Sync.
  Status Put(DeviceId first, std::span<const CredentialKey> keys);
  Status Sync();

  // All zeros for a device that was not put.
  Result<CredentialKey> Get(DeviceId device) const;

 private:
  DeviceKeys(OwnedFd fd, bool empty) : fd_(std::move(fd)), empty_(empty) {}

  OwnedFd fd_;
  bool empty_;
};

}  // namespace updraft
