#include "events/log/chain.h"

#include <fmt/format.h>

#include "events/base/bytes.h"
#include "events/base/format.h"

namespace updraft {
namespace {

LogHead HeadAfter(const CommitHeader& header, Seq last, const Hash256& hash) {
  return {.last = last,
          .hash = hash,
          .epoch = header.epoch,
          .time_ms = header.time_ms,
          .engine_number = header.engine_number};
}

std::string EventsText(Seq first, Seq last) { return fmt::format("events {} to {}", first, last); }

}  // namespace

LogHead HeadAfter(const SealedCommit& commit) {
  return HeadAfter(commit.header, commit.last(), commit.hash);
}

LogHead HeadAfter(const CommitReader& commit) {
  return HeadAfter(commit.header(), commit.last(), commit.hash());
}

std::string NameOf(const CommitReader& commit) {
  return EventsText(commit.header().first, commit.last());
}

Status CheckAppend(const LogHead& head, const SealedCommit& commit) {
  const CommitHeader& header = commit.header;
  auto refused = [&](StatusCode code, std::string_view why) {
    return Status(code, fmt::format("the commit of {} is refused: {}",
                                    EventsText(header.first, commit.last()), why));
  };
  if (commit.bytes.size() > kCommitBytesMax) {
    return refused(
        StatusCode::kResourceExhausted,
        fmt::format("its {} bytes are over the {} allowed", commit.bytes.size(), kCommitBytesMax));
  }
  if (header.first.value() != head.last.value() + 1) {
    return refused(StatusCode::kAborted, fmt::format("the log ends at event {}", head.last));
  }
  if (header.previous_hash != head.hash) {
    return refused(StatusCode::kAborted,
                   fmt::format("it builds on another event {} than the log's", head.last));
  }
  if (head.last && header.engine_number != head.engine_number) {
    return refused(StatusCode::kAborted, fmt::format("it is of engine {}, the log of engine {}",
                                                     header.engine_number, head.engine_number));
  }
  if (header.epoch < head.epoch) {
    return refused(StatusCode::kAborted,
                   fmt::format("its epoch {} is over, the log is in {}", header.epoch, head.epoch));
  }
  return OkStatus();
}

Status ChainCheck::Follow(const CommitReader& commit) {
  const CommitHeader& header = commit.header();
  auto broken = [&](std::string_view why) {
    return Status(StatusCode::kDataLoss, fmt::format("the commit of {} {}", NameOf(commit), why));
  };
  if (header.first == Seq(0)) return broken("numbers its events from 0");
  if (commit.last() < header.first) return broken("numbers its events past the largest number");
  if (head_.last || header.first == Seq(1)) {
    if (header.first.value() != head_.last.value() + 1) {
      return broken(fmt::format("does not follow event {}", head_.last));
    }
    if (header.previous_hash != head_.hash) {
      return broken(
          fmt::format("is not linked to event {} before it: one of them was changed", head_.last));
    }
  }
  if (head_.last) {
    if (header.epoch < head_.epoch) return broken("goes back to a former epoch");
    if (header.time_ms < head_.time_ms) return broken("goes back in time");
    if (header.engine_number != head_.engine_number) return broken("is of another engine");
  }
  head_ = HeadAfter(commit);
  return OkStatus();
}

}  // namespace updraft
