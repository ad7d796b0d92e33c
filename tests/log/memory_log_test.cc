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

}  // namespace updraft
