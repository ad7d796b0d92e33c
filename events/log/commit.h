// A commit: the events that one turn of the engine makes durable together, as the bytes that the
// log stores and the chain hashes.
//
//   CommitWriter writer;
//   events::Event::Builder event = writer.Add();     // Any number of times.
//   event.initTaskFailed().setTask(7);
//   SealedCommit commit = writer.Seal({.first = Seq{1}, ...});
//
// Bytes: one unpacked Cap'n Proto message of schema Commit with its segment table, so that the same
// events have the same bytes everywhere. The chain: each commit holds the SHA-256 over the bytes of
// the one before.
//
// Thread-safety: none; a writer belongs to one thread, a sealed commit is plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <capnp/message.h>
#include <capnp/serialize.h>

#include "commit.capnp.h"
#include "events/base/bytes.h"
#include "events/base/ids.h"
#include "events/base/status.h"

namespace updraft {

// A commit of more is refused by every log; a turn ends before it gets there.
inline constexpr size_t kCommitBytesMax = 900 * 1024;

struct CommitHeader {
  Seq first;
  int64_t time_ms = 0;
  Epoch epoch;
  uint16_t engine_number = 0;
  Hash256 previous_hash = {};
};

struct SealedCommit {
  CommitHeader header;
  uint32_t event_count = 0;
  std::string bytes;
  Hash256 hash = {};  // SHA-256 over `bytes`.

  Seq last() const { return Seq(header.first.value() + event_count - 1); }
};

class CommitWriter {
 public:
  CommitWriter();
  ~CommitWriter();
  CommitWriter(const CommitWriter&) = delete;
  CommitWriter& operator=(const CommitWriter&) = delete;

  // A new event at the end. It may be filled until the next Add; the builder, and readers made from
  // it, may be read until Seal or Clear.
  events::Event::Builder Add();

  uint32_t count() const;
  // About what Seal will make, never less.
  size_t bytes_estimate() const;

  // Makes the commit and clears the writer. REQUIRED: count() > 0.
  SealedCommit Seal(const CommitHeader& header);
  void Clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A stored commit opened for reading, with an aligned copy of the bytes, which copies of the reader
// share: they may be handed to another thread, but one thread at a time may read them.
class CommitReader {
 public:
  // DATA_LOSS when `bytes` is no commit: not a message, an empty list of events, a header of the
  // wrong sizes. The chain is the caller's to check.
  static Result<CommitReader> Open(std::string_view bytes);

  const CommitHeader& header() const { return header_; }
  Seq last() const { return Seq(header_.first.value() + event_count_ - 1); }
  uint32_t event_count() const { return event_count_; }
  const Hash256& hash() const { return hash_; }
  // The next two are valid while this object lives.
  std::string_view bytes() const;
  capnp::List<events::Event>::Reader events() const;

 private:
  CommitReader() = default;

  struct Message;
  std::shared_ptr<Message> message_;
  CommitHeader header_;
  uint32_t event_count_ = 0;
  Hash256 hash_ = {};
};

}  // namespace updraft
