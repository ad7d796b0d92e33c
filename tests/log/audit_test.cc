#include "events/log/audit.h"

#include <catch2/catch.hpp>

#include "events/log/memory_log.h"
#include "tests/log/sample_commits.h"

namespace updraft {
namespace {

// A log of commits of 1, 2, 3, … events.
std::shared_ptr<MemoryDisk> FilledDisk(uint32_t commits) {
  auto disk = std::make_shared<MemoryDisk>();
  MemoryLog log(disk);
  for (uint32_t i = 1; i <= commits; ++i) {
    REQUIRE(log.Append(After(log.head(), {.events = i}), {}).ok());
  }
  return disk;
}

}  // namespace

TEST_CASE("an audit counts what is good", "[log]") {
  auto disk = FilledDisk(3);
  uint64_t bytes = 0;
  for (const SealedCommit& commit : disk->commits) bytes += commit.bytes.size();
  MemoryLog log(disk);
  Audit audit = VerifyLog(log);
  CHECK(audit.verdict.ok());
  CHECK(audit.commits == 3);
  CHECK(audit.events == 6);
  CHECK(audit.bytes == bytes);
  CHECK(audit.head == log.head());
}

TEST_CASE("the audit of an empty log is good", "[log]") {
  Audit audit = VerifyLog(MemoryLog());
  CHECK(audit.verdict.ok());
  CHECK(audit.commits == 0);
  CHECK(audit.head == LogHead{});
}

TEST_CASE("an audit names the first bad commit and counts what is before it", "[log]") {
  auto disk = FilledDisk(4);
  // Another commit in the second's place, as good in itself.
  LogHead before = HeadAfter(disk->commits[0]);
  disk->commits[1] = After(before, {.events = 2, .task = 999});
  Audit audit = VerifyLog(MemoryLog(disk));
  CHECK(audit.verdict.code() == StatusCode::kDataLoss);
  CHECK_THAT(audit.verdict.message(), Catch::Contains("events 4 to 6 is not linked to event 3"));
  CHECK(audit.commits == 2);
  CHECK(audit.head.last == Seq(3));
}

TEST_CASE("the caller's check of a commit stops the audit with its own words", "[log]") {
  auto disk = FilledDisk(4);
  Audit audit = VerifyLog(MemoryLog(disk), {.visit = [](const CommitReader& commit) {
                            return commit.last() == Seq(3)
                                       ? Status(StatusCode::kDataLoss, "another digest")
                                       : OkStatus();
                          }});
  CHECK(audit.verdict.message() == "another digest");
  CHECK(audit.commits == 1);
}

TEST_CASE("an audit tells how far it is, at last that it is through", "[log]") {
  std::vector<std::pair<uint64_t, uint64_t>> told;
  VerifyLog(MemoryLog(FilledDisk(3)),
            {.progress = [&](Seq done, Seq end) { told.emplace_back(done.value(), end.value()); }});
  REQUIRE_FALSE(told.empty());
  CHECK(told.back() == std::pair<uint64_t, uint64_t>(6, 6));
}

}  // namespace updraft
