// What every event log must do, run over each of them.

#include <atomic>
#include <map>
#include <thread>
#include <tuple>

#include <catch2/catch.hpp>

#include "tests/log/log_fixtures.h"
#include "tests/log/sample_commits.h"

namespace updraft {
namespace {

using EveryLog = std::tuple<MemoryFixture, RocksFixture>;

constexpr size_t kWordBytes = 8;

std::vector<std::string> BytesOf(const std::vector<SealedCommit>& commits) {
  std::vector<std::string> bytes;
  for (const SealedCommit& commit : commits) bytes.push_back(commit.bytes);
  return bytes;
}

// Appends commits of 1, 2, ... `count` events and returns them.
std::vector<SealedCommit> Fill(EventLog& log, uint32_t count) {
  std::vector<SealedCommit> commits;
  for (uint32_t events = 1; events <= count; ++events) {
    commits.push_back(After(log.head(), {.events = events, .task = 100 * events}));
    REQUIRE(log.Append(commits.back(), {}).ToString() == "OK");
  }
  return commits;
}

SideWrite Put(std::string key, std::string value) { return {std::move(key), std::move(value)}; }
SideWrite Erase(std::string prefix) { return {std::move(prefix), std::nullopt}; }

// What a scan of `prefix` finds.
std::map<std::string, std::string> SideOf(const EventLog& log, std::string_view prefix = "") {
  std::map<std::string, std::string> side;
  Status scan = log.ScanSide(prefix, [&](std::string_view key, std::string_view value) {
    side[std::string(key)] = value;
    return OkStatus();
  });
  REQUIRE(scan.ToString() == "OK");
  return side;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("an empty log has no head and no commits", "[log]", EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  CHECK(log->head() == LogHead{});
  CHECK(ReadAll(*log).commits.empty());
  CHECK(ReadAll(*log).status.ok());
  CHECK(log->Confirm().ok());
}

TEMPLATE_LIST_TEST_CASE("what was appended is read back, also after a restart", "[log]", EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  std::vector<SealedCommit> commits = Fill(*log, 5);
  CHECK(log->head() == HeadAfter(commits.back()));
  CHECK(ReadAll(*log).commits == BytesOf(commits));

  log.reset();
  log = fixture.Open();
  CHECK(log->head() == HeadAfter(commits.back()));
  CHECK(ReadAll(*log).commits == BytesOf(commits));

  commits.push_back(After(log->head()));
  REQUIRE(log->Append(commits.back(), {}).ok());
  CHECK(ReadAll(*log).commits == BytesOf(commits));
}

TEMPLATE_LIST_TEST_CASE("reading begins with the commit that holds the event asked for", "[log]",
                        EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  std::vector<std::string> commits = BytesOf(Fill(*log, 3));  // Events 1, 2 to 3, 4 to 6.
  CHECK(ReadAll(*log, Seq(0)).commits == commits);
  CHECK(ReadAll(*log, Seq(1)).commits == commits);
  commits.erase(commits.begin());
  CHECK(ReadAll(*log, Seq(2)).commits == commits);
  CHECK(ReadAll(*log, Seq(3)).commits == commits);
  commits.erase(commits.begin());
  CHECK(ReadAll(*log, Seq(4)).commits == commits);
  CHECK(ReadAll(*log, Seq(6)).commits == commits);
  CHECK(ReadAll(*log, Seq(7)).commits.empty());
  CHECK(ReadAll(*log, Seq(7)).status.ok());
}

TEMPLATE_LIST_TEST_CASE("a reader's failure stops the reading and is passed through", "[log]",
                        EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  Fill(*log, 3);
  int visits = 0;
  Status read = log->Read(Seq(1), [&](const CommitReader&) {
    return ++visits == 2 ? Status(StatusCode::kUnavailable, "enough") : OkStatus();
  });
  CHECK(visits == 2);
  CHECK(read.message() == "enough");
}

TEMPLATE_LIST_TEST_CASE("a commit that does not build on the head is refused and not recorded",
                        "[log]", EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  std::vector<SealedCommit> commits = Fill(*log, 2);
  const LogHead head = log->head();

  LogHead behind = HeadAfter(commits[0]);
  LogHead ahead = head;
  ahead.last = Seq(head.last.value() + 1);
  LogHead other_hash = head;
  other_hash.hash[31] ^= 1;
  for (const LogHead& wrong : {LogHead{}, behind, ahead, other_hash}) {
    CHECK(log->Append(After(wrong), {}).code() == StatusCode::kAborted);
  }
  CHECK(log->Append(After(head, {.engine_number = 4}), {}).code() == StatusCode::kAborted);
  CHECK(log->head() == head);
  CHECK(ReadAll(*log).commits == BytesOf(commits));
  CHECK(log->Append(After(head), {}).ok());
}

TEMPLATE_LIST_TEST_CASE("a writer of a former epoch is refused, the same and a later one pass",
                        "[log]", EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  REQUIRE(log->Append(After({}, {.epoch = 5}), {}).ok());
  CHECK(log->Append(After(log->head(), {.epoch = 4}), {}).code() == StatusCode::kAborted);
  CHECK(log->Append(After(log->head(), {.epoch = 5}), {}).ok());
  CHECK(log->Append(After(log->head(), {.epoch = 6}), {}).ok());
  CHECK(log->head().epoch == Epoch(6));
}

TEMPLATE_LIST_TEST_CASE("a commit of 900 KiB is taken, one word more is not", "[log]", EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  SealedCommit largest = BigAfter({}, kCommitBytesMax);
  REQUIRE(largest.bytes.size() == kCommitBytesMax);
  REQUIRE(log->Append(largest, {}).ok());
  SealedCommit larger = BigAfter(log->head(), kCommitBytesMax + kWordBytes);
  CHECK(log->Append(larger, {}).code() == StatusCode::kResourceExhausted);
  CHECK(ReadAll(*log).commits == BytesOf({largest}));
  CHECK(log->Append(After(log->head()), {}).ok());
}

TEMPLATE_LIST_TEST_CASE("the sidecar keeps, replaces and erases", "[log]", EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  auto append = [&](std::vector<SideWrite> side) {
    REQUIRE(log->Append(After(log->head()), side).ToString() == "OK");
  };
  append({Put("a1", "one"), Put("a2", ""), Put("b", "two")});
  append({Put("a1", "three")});
  CHECK(*log->ReadSide("a1") == "three");
  CHECK(*log->ReadSide("a2") == "");
  CHECK(log->ReadSide("a").status().code() == StatusCode::kNotFound);
  CHECK(SideOf(*log, "a") == std::map<std::string, std::string>{{"a1", "three"}, {"a2", ""}});

  append({Erase("a")});
  log.reset();
  log = fixture.Open();
  CHECK(SideOf(*log) == std::map<std::string, std::string>{{"b", "two"}});
}

TEMPLATE_LIST_TEST_CASE("side writes of one commit take effect in their order", "[log]", EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  REQUIRE(log->Append(After({}), std::vector{Put("a1", "old"), Put("a2", "old")}).ok());
  REQUIRE(log->Append(After(log->head()), std::vector{Put("a3", "gone"), Erase("a"),
                                                      Put("a2", "new"), Put("b", "stays")})
              .ok());
  CHECK(SideOf(*log) == std::map<std::string, std::string>{{"a2", "new"}, {"b", "stays"}});
}

TEMPLATE_LIST_TEST_CASE("an erased prefix of the highest bytes takes no other key along", "[log]",
                        EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  REQUIRE(
      log->Append(After({}), std::vector{Put("a", "1"), Put("a\xff", "2"), Put("a\xff\xff", "3"),
                                         Put("b", "4"), Put("\xff\xff", "5")})
          .ok());
  REQUIRE(log->Append(After(log->head()), std::vector{Erase("a\xff"), Erase("\xff")}).ok());
  CHECK(SideOf(*log) == std::map<std::string, std::string>{{"a", "1"}, {"b", "4"}});
  REQUIRE(log->Append(After(log->head()), std::vector{Erase("")}).ok());
  CHECK(SideOf(*log).empty());
}

TEMPLATE_LIST_TEST_CASE("the side writes of a refused commit are refused with it", "[log]",
                        EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  Fill(*log, 1);
  CHECK_FALSE(log->Append(After({}), std::vector{Put("a", "1")}).ok());
  CHECK(SideOf(*log).empty());
}

TEMPLATE_LIST_TEST_CASE("whole commits are read while others are appended", "[log]", EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  Fill(*log, 1);
  std::atomic<bool> done = false;
  std::atomic<uint64_t> readings = 0;
  std::vector<std::string> faults;
  std::thread reader([&] {
    while (!done || readings < 2) {
      const LogHead before = log->head();
      ReadLog read = ReadAll(*log);
      if (!read.status.ok()) faults.push_back(read.status.ToString());
      Result<CommitReader> last = CommitReader::Open(read.commits.back());
      if (!last.ok() || last->last() < before.last) faults.push_back("a commit is not there");
      ++readings;
    }
  });
  for (int i = 0; i < 200; ++i) {
    REQUIRE(log->Append(After(log->head(), {.events = 3}), std::vector{Put("k", "v")}).ok());
  }
  done = true;
  reader.join();
  CHECK(faults == std::vector<std::string>{});
}

TEMPLATE_LIST_TEST_CASE(
    "after a failed append nothing more is accepted until the log is opened again", "[log]",
    EveryLog) {
  TestType fixture;
  auto log = fixture.Open();
  std::vector<std::string> durable = BytesOf(Fill(*log, 2));
  const LogHead head = log->head();
  const SealedCommit doubtful = After(head);
  fixture.FailNextAppend();
  CHECK(log->Append(doubtful, std::vector{Put("a", "1")}).code() == StatusCode::kDataLoss);
  fixture.Heal();
  for (int i = 0; i < 3; ++i) {
    CHECK(log->Append(doubtful, {}).code() == StatusCode::kDataLoss);
    CHECK(log->Confirm().code() == StatusCode::kDataLoss);
  }
  CHECK(log->head() == head);
  CHECK(ReadAll(*log).commits == durable);

  log.reset();
  log = fixture.Open();
  CHECK(log->Confirm().ok());
  std::vector<std::string> after = ReadAll(*log).commits;
  const bool kept = after.size() > durable.size();
  if (kept) durable.push_back(doubtful.bytes);
  CHECK(after == durable);  // Old or new, nothing else, and the sidecar with it.
  CHECK(SideOf(*log).count("a") == (kept ? 1 : 0));
  CHECK(log->Append(After(log->head()), {}).ok());
}

}  // namespace updraft
