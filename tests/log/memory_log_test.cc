#include "events/log/memory_log.h"

#include <thread>

#include <catch2/catch.hpp>

#include "tests/log/sample_commits.h"

namespace updraft {

TEST_CASE("the append that is told to fail fails, kept or lost", "[log]") {
  for (bool kept : {true, false}) {
    CAPTURE(kept);
    auto disk = std::make_shared<MemoryDisk>();
    MemoryLog log(disk);
    log.SetFate(2, kept ? MemoryLog::Fate::kFailedButKept : MemoryLog::Fate::kFailedAndLost);
    REQUIRE(log.Append(After({}), {}).ok());
    const LogHead durable = log.head();
    CHECK(log.Append(After(durable), {}).code() == StatusCode::kDataLoss);
    CHECK(log.head() == durable);
    CHECK(MemoryLog(disk).head().last == Seq(kept ? 2 : 1));
  }
}

TEST_CASE("a held append is nowhere until it is released", "[log]") {
  MemoryLog log;
  log.Hold();
  Status answer(StatusCode::kUnavailable, "none yet");
  std::thread writer([&] { answer = log.Append(After({}), {}); });
  log.AwaitHeld();
  CHECK(log.head() == LogHead{});
  CHECK(ReadAll(log).commits.empty());
  log.Release();
  writer.join();
  CHECK(answer.ok());
  CHECK(log.head().last == Seq(1));
  CHECK(log.Append(After(log.head()), {}).ok());
}

TEST_CASE("a held append can end lost", "[log]") {
  auto disk = std::make_shared<MemoryDisk>();
  MemoryLog log(disk);
  log.Hold();
  Status answer;
  std::thread writer([&] { answer = log.Append(After({}), {}); });
  log.AwaitHeld();
  log.Release(MemoryLog::Fate::kFailedAndLost);
  writer.join();
  CHECK(answer.code() == StatusCode::kDataLoss);
  CHECK(MemoryLog(disk).head() == LogHead{});
}

TEST_CASE("a writer that another one overtook is refused", "[log]") {
  auto disk = std::make_shared<MemoryDisk>();
  MemoryLog deposed(disk);
  MemoryLog successor(disk);
  REQUIRE(successor.Append(After({}, {.epoch = 2}), {}).ok());
  CHECK(deposed.Append(After(deposed.head()), {}).code() == StatusCode::kAborted);
  CHECK(ReadAll(successor).commits.size() == 1);
}

TEST_CASE("a commit whose events cannot be read is damage, not the reader's end", "[log]") {
  CommitWriter writer;
  writer.Add().initEngineStarted().setBuild("a build of some name");
  writer.Add().initTargetsChosen().initQueued(3).set(0, 7);
  const SealedCommit good = writer.Seal({.first = Seq(1), .epoch = Epoch(1)});
  int unreadable = 0;
  for (size_t at = 0; at < good.bytes.size(); ++at) {
    for (char flip : {'\x01', '\x80', '\xff'}) {
      auto disk = std::make_shared<MemoryDisk>();
      SealedCommit bad = good;
      bad.bytes[at] = static_cast<char>(bad.bytes[at] ^ flip);
      disk->commits.push_back(bad);
      disk->head = HeadAfter(good);
      bool opened = false;
      Status read = MemoryLog(disk).Read(Seq(1), [&](const CommitReader& commit) {
        opened = true;
        size_t bytes = 0;
        for (events::Event::Reader event : commit.events()) {
          if (event.isEngineStarted()) bytes += event.getEngineStarted().getBuild().size();
          if (event.isTargetsChosen()) {
            for (uint32_t device : event.getTargetsChosen().getQueued()) bytes += device != 0;
          }
        }
        return OkStatus();
      });
      if (!read.ok()) CHECK(read.code() == StatusCode::kDataLoss);
      unreadable += opened && !read.ok() ? 1 : 0;
    }
  }
  CHECK(unreadable > 0);
}

}  // namespace updraft
