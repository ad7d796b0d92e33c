// What JobWriter lets out when the log it writes to fails, works again, or has another writer.

#include <catch2/catch.hpp>

#include "engine/refusals.h"
#include "engine/turns.h"
#include "events/log/memory_log.h"
#include "tests/log/forwarding_log.h"
#include "tests/log/sample_commits.h"

namespace updraft {
namespace {

// A log whose next answers are given; what it is not told about goes well.
class FlakyLog final : public ForwardingLog {
 public:
  using ForwardingLog::ForwardingLog;

  Status append;   // The next Append's answer, once.
  Status confirm;  // What Confirm answers.
  int appends = 0;

  Status Append(const SealedCommit& commit, std::span<const SideWrite> side) override {
    ++appends;
    Status status = std::exchange(append, OkStatus());
    return status.ok() ? to_.Append(commit, side) : status;
  }
  Status Confirm() override { return confirm; }
};

class Writing {
 public:
  MemoryLog memory;
  FlakyLog log{memory};

  Status WriteCommit() {
    Job job;
    job.commit.emplace().commit = After(log.head());
    return writer_.Write(job);
  }
  Status WriteAnswersOnly() { return writer_.Write(Job()); }

 private:
  JobWriter writer_{log, SystemClock(), nullptr};
};

}  // namespace

TEST_CASE("after a failed append nothing is told any more, even when the log works again",
          "[engine]") {
  Writing writing;
  REQUIRE(writing.WriteCommit().ok());
  writing.log.append = Status(StatusCode::kDataLoss, "the fsync failed");
  CHECK(writing.WriteCommit().reason() == refusal::kLogFailed);
  const int appends = writing.log.appends;
  CHECK(writing.WriteCommit().reason() == refusal::kLogFailed);
  CHECK(writing.WriteAnswersOnly().reason() == refusal::kLogFailed);
  CHECK(writing.log.appends == appends);
}

TEST_CASE("an answer without events of its own is told only by the log's writer", "[engine]") {
  Writing writing;
  CHECK(writing.WriteAnswersOnly().ok());
  writing.log.confirm = Status(StatusCode::kAborted, "another writer was here");
  CHECK(writing.WriteAnswersOnly().reason() == refusal::kLogFailed);
}

}  // namespace updraft
