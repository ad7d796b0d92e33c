// Commits to fill a log with: small, each different, all following one another.
#pragma once

#include <string>
#include <vector>

#include "events/log/event_log.h"

namespace updraft {

struct SampleCommit {
  uint32_t events = 1;
  uint32_t task = 7;  // Makes the bytes of one commit differ from another's.
  uint32_t epoch = 1;
  int64_t time_ms = 0;  // 0: a second after the head's.
  uint16_t engine_number = 3;
};

// The commit that follows `head`.
inline SealedCommit After(const LogHead& head, SampleCommit sample = {}) {
  CommitWriter writer;
  for (uint32_t i = 0; i < sample.events; ++i) {
    writer.Add().initProgressReported().setTask(sample.task + i);
  }
  return writer.Seal({.first = Seq(head.last.value() + 1),
                      .time_ms = sample.time_ms != 0 ? sample.time_ms : head.time_ms + 1000,
                      .epoch = Epoch(sample.epoch),
                      .engine_number = sample.engine_number,
                      .previous_hash = head.hash});
}

// A commit of exactly `bytes`, which must be a multiple of 8.
inline SealedCommit BigAfter(const LogHead& head, size_t bytes) {
  auto of_text = [&](size_t length) {
    CommitWriter writer;
    writer.Add().initEngineStarted().setBuild(std::string(length, 'x'));
    return writer.Seal({.first = Seq(head.last.value() + 1),
                        .time_ms = head.time_ms + 1000,
                        .epoch = Epoch(1),
                        .engine_number = 3,
                        .previous_hash = head.hash});
  };
  // A text of 7 letters and its NUL fill a word.
  return of_text(bytes - of_text(7).bytes.size() + 7);
}

// The bytes of each commit from the one that holds `first` on. `status` is how the reading ended.
struct ReadLog {
  std::vector<std::string> commits;
  Status status;
};

inline ReadLog ReadAll(const EventLog& log, Seq first = Seq(1)) {
  ReadLog result;
  result.status = log.Read(first, [&](const CommitReader& commit) {
    result.commits.emplace_back(commit.bytes());
    return OkStatus();
  });
  return result;
}

}  // namespace updraft
