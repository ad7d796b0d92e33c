// Opens the files of credential_table.h; what their writer and their reader share.
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>

#include "adapters/wire/credential_table.h"
#include "events/base/owned_fd.h"
#include "events/base/status.h"

namespace updraft {

// One generation, open for reading, its headers found good.
struct CredentialFiles {
  uint64_t generation = 0;
  CredentialHeader base_header;
  OwnedFd base;
  OwnedFd delta;
};

// The current generation. NOT_FOUND where there is none; DATA_LOSS where a file is missing, short
// or damaged in its header; UNAVAILABLE where it may not be read.
Result<CredentialFiles> OpenCredentialFiles(const std::string& dir);

// Up to `count` bytes; less at the end of the file or after an error.
std::string ReadAt(const OwnedFd& fd, uint64_t offset, size_t count);

std::string CredentialPath(const std::string& dir, CredentialFile file, uint64_t generation);
inline uint64_t SlotOffset(uint64_t slot) {
  return kCredentialHeaderBytes + slot * kCredentialRecordBytes;
}
inline uint64_t DeltaRecordOffset(uint64_t record) { return SlotOffset(record); }

}  // namespace updraft
