// Reads the credential files of credential_table.h while their writer goes on writing: the broker
// plugin's side. Holds the delta in memory and none of the base, which is read with pread at each
// look-up (a map would turn a file that somebody cut short into a SIGBUS of the broker).
//
//   CredentialReader reader(dir);
//   reader.CatchUp(4096, [](const CredentialRecord& change) { … });  // On each tick.
//   std::optional<CredentialRecord> device = reader.Find(MakeCredentialKey(pk, dn));
//
// A damaged record counts as absent and is told in problems(); a generation that is missing or
// damaged is not taken, and the last good one stays. Before the first good one nobody is found.
// Thread-safety: none. CatchUp and Find read files but wait for nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "adapters/wire/credential_files.h"
#include "adapters/wire/credential_table.h"

namespace updraft {

class CredentialReader {
 public:
  explicit CredentialReader(std::string dir) : dir_(std::move(dir)) {}

  struct Progress {
    bool new_generation = false;  // All that was looked up before may have changed.
    bool more = false;            // There may be more behind the records read.
  };
  // Reads up to `records_max` records of the delta and calls `changed` with each. A new generation
  // is taken over once the delta of the one before is read to its end, so that no change is missed,
  // and then as many records again are read of its own.
  Progress CatchUp(size_t records_max, const std::function<void(const CredentialRecord&)>& changed);

  // The latest record of `key` among those read; nothing if it never had one.
  std::optional<CredentialRecord> Find(const CredentialKey& key);

  // 0 before the first good generation.
  uint64_t generation() const { return files_ ? files_->generation : 0; }
  // The latest position read.
  uint64_t position() const { return position_; }
  uint64_t damaged_records() const { return damaged_records_; }

  // What was wrong since the last call, a line each, at most kProblemsMax.
  std::vector<std::string> TakeProblems() { return std::exchange(problems_, {}); }
  static constexpr size_t kProblemsMax = 16;

 private:
  void LookForNextGeneration();
  // How many records it read.
  size_t ReadDelta(size_t records_max, const std::function<void(const CredentialRecord&)>& changed);
  void TakeChange(std::string_view bytes,
                  const std::function<void(const CredentialRecord&)>& changed);
  void Problem(std::string text);
  void DamagedRecord(CredentialFile file, uint64_t index);

  const std::string dir_;
  std::optional<CredentialFiles> files_;
  std::optional<CredentialFiles> next_;  // Found good, not yet taken over.
  struct stat current_seen_ = {};        // CURRENT, as it was when last read.
  std::string last_open_problem_;

  uint64_t position_ = 0;
  uint64_t delta_records_read_ = 0;
  std::unordered_map<CredentialKey, CredentialRecord, CredentialKeyHash> delta_;

  uint64_t damaged_records_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace updraft
