#include "events/log/chain.h"

#include <catch2/catch.hpp>

#include "tests/log/sample_commits.h"

namespace updraft {
namespace {

CommitReader Reader(const SealedCommit& commit) { return *CommitReader::Open(commit.bytes); }

// What a check that followed `first` says of `second`.
Status FollowBoth(const SealedCommit& first, const SealedCommit& second) {
  ChainCheck chain;
  RETURN_IF_ERROR(chain.Follow(Reader(first)));
  return chain.Follow(Reader(second));
}

}  // namespace

TEST_CASE("a commit that links to the one before follows it", "[log]") {
  SealedCommit first = After({}, {.events = 2});
  SealedCommit second = After(HeadAfter(first), {.time_ms = 1000});  // At the same time is fine.
  ChainCheck chain;
  CHECK(chain.Follow(Reader(first)).ok());
  CHECK(chain.Follow(Reader(second)).ok());
  CHECK(chain.head() == HeadAfter(second));
}

TEST_CASE("a chain is followed from the middle on", "[log]") {
  SealedCommit first = After({});
  SealedCommit second = After(HeadAfter(first));
  SealedCommit third = After(HeadAfter(second));
  CHECK(FollowBoth(second, third).ok());
}

TEST_CASE("every break of the chain names the commit", "[log]") {
  const SealedCommit first = After({}, {.events = 2, .epoch = 2});
  const LogHead head = HeadAfter(first);
  auto message = [&](LogHead build_on, SampleCommit sample) {
    Status status = FollowBoth(first, After(build_on, sample));
    CHECK(status.code() == StatusCode::kDataLoss);
    return status.message();
  };
  LogHead gap = head;
  gap.last = Seq(3);
  LogHead again = head;
  again.last = Seq(1);
  LogHead other = head;
  other.hash[0] ^= 1;
  const SampleCommit good = {.events = 2, .epoch = 2};
  CHECK_THAT(message(gap, good), Catch::Contains("events 4 to 5 does not follow event 2"));
  CHECK_THAT(message(again, good), Catch::Contains("events 2 to 3 does not follow event 2"));
  CHECK_THAT(message(other, good), Catch::Contains("events 3 to 4 is not linked to event 2"));
  CHECK_THAT(message(head, {.epoch = 1}), Catch::Contains("goes back to a former epoch"));
  CHECK_THAT(message(head, {.epoch = 2, .time_ms = 999}), Catch::Contains("goes back in time"));
  CHECK_THAT(message(head, {.epoch = 2, .engine_number = 4}),
             Catch::Contains("is of another engine"));
}

TEST_CASE("nothing stands before event 1", "[log]") {
  LogHead ghost;
  ghost.hash[0] = 1;
  ChainCheck chain;
  CHECK(chain.Follow(Reader(After(ghost))).code() == StatusCode::kDataLoss);
}

TEST_CASE("numbers do not begin anew behind the largest", "[log]") {
  LogHead far;
  far.last = Seq(~uint64_t{0} - 2);
  ChainCheck chain;
  CHECK(chain.Follow(Reader(After(far, {.events = 2}))).ok());
  CHECK(ChainCheck().Follow(Reader(After(far, {.events = 3}))).code() == StatusCode::kDataLoss);
}

}  // namespace updraft
