#include "events/log/read_ahead.h"

#include <catch2/catch.hpp>

#include "events/log/memory_log.h"
#include "tests/log/forwarding_log.h"
#include "tests/log/sample_commits.h"

namespace updraft {
namespace {

// More commits than are read ahead.
constexpr uint32_t kCommits = 3 * ReadAhead::kCommitsMax;

void Fill(EventLog& log) {
  for (uint32_t i = 1; i <= kCommits; ++i) {
    REQUIRE(log.Append(After(log.head(), {.events = i % 5 + 1, .task = i}), {}).ok());
  }
}

TEST_CASE("a log that is read ahead is read as it is", "[log]") {
  MemoryLog log;
  ReadAhead ahead(log);
  CHECK(ReadAll(ahead).commits.empty());
  Fill(log);
  CHECK(ahead.head() == log.head());
  CHECK(ReadAll(ahead).status.ok());
  CHECK(ReadAll(ahead).commits == ReadAll(log).commits);
}

TEST_CASE("reading ahead begins where it is told", "[log]") {
  MemoryLog log;
  Fill(log);
  Seq first;
  REQUIRE(ReadAhead(log)
              .Read(Seq(100),
                    [&](const CommitReader& commit) {
                      if (!first) first = commit.header().first;
                      CHECK(commit.last() >= Seq(100));
                      return OkStatus();
                    })
              .ok());
  CHECK(first <= Seq(100));
}

TEST_CASE("a visitor ends the reading ahead, and its reason is passed on", "[log]") {
  MemoryLog log;
  Fill(log);
  for (uint32_t stop_at : {1u, 2u, kCommits / 2, kCommits}) {
    uint32_t visits = 0;
    Status status = ReadAhead(log).Read(Seq(1), [&](const CommitReader&) {
      return ++visits == stop_at ? Status(StatusCode::kUnavailable, "enough") : OkStatus();
    });
    CHECK(visits == stop_at);
    CHECK(status.code() == StatusCode::kUnavailable);
    CHECK(status.message() == "enough");
  }
}

// A log whose reading fails in the middle.
class TornLog final : public ForwardingLog {
 public:
  using ForwardingLog::ForwardingLog;

  Status Read(Seq first, const VisitCommit& visit) const override {
    uint32_t visits = 0;
    return to_.Read(first, [&](const CommitReader& commit) {
      return ++visits > 10 ? Status(StatusCode::kDataLoss, "torn") : visit(commit);
    });
  }
};

TEST_CASE("what was read before damage is visited, and then the damage is told", "[log]") {
  MemoryLog log;
  Fill(log);
  TornLog torn(log);
  ReadLog read = ReadAll(ReadAhead(torn));
  CHECK(read.commits.size() == 10);
  CHECK(read.status.code() == StatusCode::kDataLoss);
}

TEST_CASE("a log that is read ahead is not written", "[log]") {
  MemoryLog log;
  ReadAhead ahead(log);
  CHECK(ahead.Append(After(log.head(), {}), {}).code() == StatusCode::kFailedPrecondition);
  CHECK(ahead.Confirm().code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("an event that cannot be read ends the reading ahead as damage", "[log]") {
  CommitWriter writer;
  writer.Add().initTargetsChosen().initQueued(3).set(0, 7);
  const SealedCommit good = writer.Seal({.first = Seq(1), .epoch = Epoch(1)});
  int unreadable = 0;
  for (size_t at = 0; at < good.bytes.size(); ++at) {
    auto disk = std::make_shared<MemoryDisk>();
    SealedCommit bad = good;
    bad.bytes[at] = static_cast<char>(bad.bytes[at] ^ 0x80);
    disk->commits.push_back(bad);
    disk->head = HeadAfter(good);
    bool opened = false;
    MemoryLog log(disk);
    Status read = ReadAhead(log).Read(Seq(1), [&](const CommitReader& commit) {
      opened = true;
      size_t devices = 0;
      for (events::Event::Reader event : commit.events()) {
        if (!event.isTargetsChosen()) continue;
        for (uint32_t device : event.getTargetsChosen().getQueued()) devices += device != 0;
      }
      return OkStatus();
    });
    if (!read.ok()) CHECK(read.code() == StatusCode::kDataLoss);
    unreadable += opened && !read.ok() ? 1 : 0;
  }
  CHECK(unreadable > 0);
}

}  // namespace
}  // namespace updraft
