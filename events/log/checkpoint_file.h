// Files that each hold a state folded from the log up to one commit, so that a start need not fold
// from the beginning. What they hold is the caller's; they can all be deleted at any time.
//
//   ASSIGN_OR_RETURN(auto writer, CheckpointWriter::Begin(dir, mark));
//   RETURN_IF_ERROR(writer.Write(bytes));                  // Any number of times.
//   RETURN_IF_ERROR(writer.Commit());                      // Only now it is there, durably.
//
//   for (const std::string& path : *ListCheckpoints(dir)) {
//     Status loaded = Load(path);                          // CheckpointReader; Finish at the end.
//     if (loaded.ok()) break;                              // Else a notice, and the next one.
//   }
//
// Bytes, all integers little-endian: "updraftC", version (u32), the mark's fields in order, then
// chunks: length (u32), XXH3 of the chunk (u64), bytes; the last chunk is empty. The header ends
// with a checksum of its own. A checksum is seeded with the chunk's place, so none can be left out.
//
// Thread-safety: none; writers of one directory take turns.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "events/log/chain.h"
#include "events/log/files.h"

namespace updraft {

// What a checkpoint was folded from, and the digest of what came out.
struct CheckpointMark {
  LogHead head;  // Of the log, had it ended there.
  uint32_t digest_version = 0;
  uint64_t digest_high = 0;
  uint64_t digest_low = 0;

  friend bool operator==(const CheckpointMark&, const CheckpointMark&) = default;
};

// Paths, newest first. Empty when there is no such directory.
Result<std::vector<std::string>> ListCheckpoints(const std::string& dir);

class CheckpointWriter {
 public:
  // How many stay: the one before the newest is for when that is damaged.
  static constexpr size_t kKept = 2;

  // Makes the directory where there is none, and removes what a killed writer left unfinished.
  // `rest` is called whenever the disk has another piece, and may take its time: what else uses the
  // disk has it for itself meanwhile.
  static Result<CheckpointWriter> Begin(const std::string& dir, const CheckpointMark& mark,
                                        std::function<void()> rest = nullptr);

  Status Write(std::string_view bytes);

  // Then removes all but this one and the newest of those before it, so that kKept stay.
  Status Commit();

 private:
  CheckpointWriter(std::string dir, std::string name, FileWriter file, std::function<void()> rest)
      : dir_(std::move(dir)),
        name_(std::move(name)),
        file_(std::move(file)),
        rest_(std::move(rest)) {}

  Status EndChunk();

  std::string dir_;
  std::string name_;
  FileWriter file_;
  std::function<void()> rest_;
  std::string chunk_;    // Not yet written.
  uint64_t chunks_ = 0;  // Written.
};

class CheckpointReader {
 public:
  // DATA_LOSS when it is damaged, FAILED_PRECONDITION when a newer build wrote it.
  static Result<CheckpointReader> Open(const std::string& path);

  const CheckpointMark& mark() const { return mark_; }

  // Fills `bytes`. DATA_LOSS when they are not what was written, or were never.
  Status Read(char* bytes, size_t count);
  // DATA_LOSS when there is more than what was read.
  Status Finish();

 private:
  explicit CheckpointReader(FileReader file) : file_(std::move(file)) {}

  Status ReadHeader();
  Status NextChunk();
  Status Damaged(std::string_view why) const;

  FileReader file_;
  CheckpointMark mark_;
  std::string chunk_;
  size_t used_ = 0;      // Of the chunk.
  uint64_t chunks_ = 0;  // Read.
};

}  // namespace updraft
