#include "adapters/wire/credential_reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace updraft {
namespace {

// Slots read at once: nearly every search ends within them.
constexpr uint64_t kSlotsAtOnce = 16;
// Records of the delta read at once: mostly there are none, and that should cost little.
constexpr size_t kRecordsAtOnce = 64;

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

CredentialReader::Progress CredentialReader::CatchUp(
    size_t records_max, const std::function<void(const CredentialRecord&)>& changed) {
  // In this order: what is in the old delta when CURRENT has changed is all that ever will be.
  LookForNextGeneration();
  Progress progress;
  progress.more = ReadDelta(records_max, changed) == records_max;
  if (!next_ || progress.more) return progress;

  files_ = *std::exchange(next_, std::nullopt);
  position_ = files_->base_header.position;
  delta_records_read_ = 0;
  delta_.clear();
  progress.new_generation = true;
  progress.more = ReadDelta(records_max, changed) == records_max;
  return progress;
}

void CredentialReader::LookForNextGeneration() {
  struct stat current = {};
  std::string path = fmt::format("{}/{}", dir_, kCredentialCurrentFile);
  bool found = stat(path.c_str(), &current) == 0;
  if (found && SameFile(current, current_seen_)) return;
  Result<CredentialFiles> files = OpenCredentialFiles(dir_);
  if (!files.ok()) {
    // Told once, though it is tried again at each call.
    if (files.status().message() != last_open_problem_) {
      last_open_problem_ = files.status().message();
      Problem(last_open_problem_);
    }
    return;
  }
  last_open_problem_.clear();
  current_seen_ = current;
  if (files->generation != generation()) next_ = *std::move(files);
}

size_t CredentialReader::ReadDelta(size_t records_max,
                                   const std::function<void(const CredentialRecord&)>& changed) {
  if (!files_) return 0;
  size_t read = 0;
  while (read < records_max) {
    const size_t count = std::min(records_max - read, kRecordsAtOnce);
    std::string bytes = ReadAt(files_->delta, DeltaRecordOffset(delta_records_read_),
                               count * kCredentialRecordBytes);
    const size_t whole = bytes.size() / kCredentialRecordBytes;  // The rest is being written.
    for (size_t i = 0; i < whole; ++i) {
      TakeChange(std::string_view(bytes).substr(i * kCredentialRecordBytes, kCredentialRecordBytes),
                 changed);
    }
    read += whole;
    if (whole < count) break;
  }
  return read;
}

void CredentialReader::TakeChange(std::string_view bytes,
                                  const std::function<void(const CredentialRecord&)>& changed) {
  const uint64_t index = delta_records_read_++;
  std::optional<CredentialRecord> record = DecodeCredentialRecord(bytes);
  if (!record) return DamagedRecord(CredentialFile::kDelta, index);
  position_ = record->position;
  changed(*record);
  const CredentialKey key = record->key;
  delta_.insert_or_assign(key, *std::move(record));
}

std::optional<CredentialRecord> CredentialReader::Find(const CredentialKey& key) {
  if (auto found = delta_.find(key); found != delta_.end()) return found->second;
  if (!files_) return std::nullopt;

  const uint64_t slots = files_->base_header.slots;
  uint64_t slot = HomeSlot(key, slots);
  for (uint64_t probes = 0; probes < std::min(kProbesMax, slots);) {
    uint64_t count = std::min(kSlotsAtOnce, slots - slot);
    std::string bytes = ReadAt(files_->base, SlotOffset(slot), count * kCredentialRecordBytes);
    if (bytes.size() != count * kCredentialRecordBytes) {
      DamagedRecord(CredentialFile::kBase, slot);
      return std::nullopt;
    }
    for (uint64_t i = 0; i < count; ++i) {
      std::string_view one =
          std::string_view(bytes).substr(i * kCredentialRecordBytes, kCredentialRecordBytes);
      if (IsAbsentRecord(one)) return std::nullopt;
      std::optional<CredentialRecord> record = DecodeCredentialRecord(one);
      if (!record) {
        DamagedRecord(CredentialFile::kBase, slot + i);
      } else if (record->key == key) {
        return record;
      }
    }
    probes += count;
    slot = slot + count == slots ? 0 : slot + count;
  }
  return std::nullopt;
}

void CredentialReader::DamagedRecord(CredentialFile file, uint64_t index) {
  ++damaged_records_;
  Problem(fmt::format("record {} of {}/{} is damaged and is skipped", index, dir_,
                      CredentialFileName(file, generation())));
}

void CredentialReader::Problem(std::string text) {
  if (problems_.size() < kProblemsMax) problems_.push_back(std::move(text));
}

}  // namespace updraft
