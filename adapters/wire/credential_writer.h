// Writes the credential files of credential_table.h: a new base now and then, a few bytes for each
// change in between. The engine's side; one writer a directory.
//
// The files are a projection. Open() finds out whether what lies in the directory can be continued;
// if not (nothing there, a record torn by a power cut, a position that is not in the log), the
// caller writes a new base from its records, which is also how a long delta is folded:
//
//   ASSIGN_OR_RETURN(auto base, CredentialBase::Create(dir, generation, position, records));
//   for (…) RETURN_IF_ERROR(base.Add(record));
//   ASSIGN_OR_RETURN(auto writer, std::move(base).Finish());
//   RETURN_IF_ERROR(writer.Append(changes));
//
// Errors: RESOURCE_EXHAUSTED and UNAVAILABLE for what the disk refuses; nothing that a reader would
// take for good is left behind. Thread-safety: none; a reader in another process may read all
// the while.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "adapters/wire/credential_files.h"
#include "adapters/wire/credential_table.h"
#include "events/base/status.h"

namespace updraft {

// Continues the delta of one generation.
class CredentialWriter {
 public:
  // NOT_FOUND where no generation is current, DATA_LOSS where it is damaged.
  static Result<CredentialWriter> Open(const std::string& dir);

  // In one write, so that a reader sees each record whole or not yet. The positions must not go
  // down. After an error the delta may end in a torn record: write a new base.
  Status Append(std::span<const CredentialRecord> records);

  uint64_t generation() const { return generation_; }
  uint64_t position() const { return position_; }  // Of the last change written.
  uint64_t delta_records() const { return delta_records_; }

 private:
  friend class CredentialBase;
  CredentialWriter(OwnedFd delta, uint64_t generation, uint64_t position)
      : delta_(std::move(delta)), generation_(generation), position_(position) {}

  OwnedFd delta_;
  uint64_t generation_;
  uint64_t position_;
  uint64_t delta_records_ = 0;
};

// A new generation in the making.
class CredentialBase {
 public:
  // Room for `records` records. `generation` must be above the one that is current.
  static Result<CredentialBase> Create(const std::string& dir, uint64_t generation,
                                       uint64_t position, uint64_t records);
  CredentialBase(CredentialBase&& other) noexcept;
  CredentialBase& operator=(CredentialBase&&) = delete;
  ~CredentialBase();

  // Each key once. RESOURCE_EXHAUSTED when there are more records than was said.
  Status Add(const CredentialRecord& record);

  // Makes the generation the current one, durably, and removes those before it.
  Result<CredentialWriter> Finish() &&;

 private:
  CredentialBase() = default;

  std::string dir_;
  CredentialHeader header_;
  uint64_t records_left_ = 0;
  OwnedFd file_;
  char* mapped_ = nullptr;
  size_t mapped_bytes_ = 0;
};

}  // namespace updraft
