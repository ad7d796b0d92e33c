// A log, or an excerpt of one, as one file: to keep, to hand on, to replay elsewhere. An opened
// export is an event log to read from, so whatever reads a log (audit, replay, heads) reads it too.
//
// Names and secrets go along only where asked for, sealed with a key file (see side_cipher.h): of
// the log itself, or one made for the exchange. Whoever gets the file alone gets no names. Without
// them the export is a pseudonymised log that replays to the same state.
//
// Bytes, all integers little-endian:
//
//   header    "updraft\n" (8), format version (u32), flags (u32): 1 with names
//   commits   each: length (u32, never 0), SHA-256 of the bytes (32), bytes; then 0 (u32)
//   names     each: length of key (u32, never 0), length of sealed value (u32), key, sealed value;
//             then 0 (u32)
//   trailer   count of commits (u64), count of names (u64), SHA-256 of all before (32)
//
// Thread-safety: one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "events/log/event_log.h"
#include "events/log/files.h"
#include "events/log/side_cipher.h"

namespace updraft {

// Called from time to time, and at the end.
using ExportProgress = std::function<void(Seq done, Seq end)>;

struct ExportOptions {
  // From the commit that holds event `from` to the one that holds event `to`.
  Seq from = Seq(1);
  std::optional<Seq> to = {};
  // Seals names and secrets; null leaves them out. Only for a whole log: the sidecar tells nothing
  // of what was in it at an earlier event.
  const SideCipher* names = nullptr;
  ExportProgress progress = {};
};

// Writes the file, which is there whole or not at all. ALREADY_EXISTS when there is one,
// INVALID_ARGUMENT for names of an excerpt. To export a log that is being written, open it a second
// time for reading: names and commits are then of one moment.
Status WriteExport(const EventLog& log, const std::string& path, const ExportOptions& options = {});

class ExportFile final : public EventLog {
 public:
  // Reads all of it. DATA_LOSS when any byte is not as it was written; the message names the first
  // bad commit. FAILED_PRECONDITION when a newer build wrote it. `names` opens the names, if any.
  static Result<std::unique_ptr<ExportFile>> Open(const std::string& path,
                                                  std::optional<SideCipher> names = {});

  bool has_names() const { return has_names_; }
  uint64_t commits() const { return commits_; }
  // The first event's number, 0 when there is none: more than 1 for an excerpt.
  Seq first() const { return first_; }

  // Appends all commits to `log`, which must end where they begin, and the names, if any, with
  // them. FAILED_PRECONDITION when there are names that were not opened, or the log is not empty
  // and has names of its own. A failure may leave a part of it behind.
  Status Import(EventLog& log, const ExportProgress& progress = {}) const;

  // FAILED_PRECONDITION: an export is not written to.
  Status Append(const SealedCommit& commit, std::span<const SideWrite> side) override;
  Status Confirm() override;
  LogHead head() const override { return head_; }
  // An excerpt is read from where it begins.
  Status Read(Seq first, const VisitCommit& visit) const override;
  // FAILED_PRECONDITION when the names were not opened. Reads through all names.
  Result<std::string> ReadSide(std::string_view key) const override;
  Status ScanSide(std::string_view prefix, const VisitSide& visit) const override;

 private:
  class Input;

  ExportFile(std::string path, std::optional<SideCipher> cipher)
      : path_(std::move(path)), cipher_(std::move(cipher)) {}

  // Each checks a part of the file and learns what the next ones need.
  Status CheckHeader(Input& in);
  Status CheckTrailer(Input& in);
  Status CheckCommits(Input& in);
  Status CheckNames(Input& in);
  Status Damaged(std::string_view where, const Status& why) const;
  Status CanOpenNames() const;

  const std::string path_;
  const std::optional<SideCipher> cipher_;
  bool has_names_ = false;
  uint64_t commits_ = 0;
  uint64_t name_count_ = 0;
  uint64_t names_offset_ = 0;  // Where the section begins.
  Seq first_;
  LogHead head_;
};

}  // namespace updraft
