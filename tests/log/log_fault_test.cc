// A disk that fails at the Nth operation, for N = 1, 2, 3, … until a whole scenario passes without.
// Then the process starts again, or the power went as well. What was acknowledged is there; what
// was in doubt is there whole or not at all; nothing else is.

#include <catch2/catch.hpp>

#include "events/log/rocks_log.h"
#include "tests/log/faulty_file_system.h"
#include "tests/log/log_content.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

using Failure = FaultyFileSystem::Failure;
using ReadFault = FaultyFileSystem::ReadFault;
using Unsynced = FaultyFileSystem::Unsynced;

LogContent With(LogContent content, const SealedCommit& commit,
                const std::vector<SideWrite>& writes) {
  content.commits.push_back(commit.bytes);
  for (const SideWrite& write : writes) {
    if (write.value.has_value()) {
      content.side[write.key] = *write.value;
    } else {
      std::erase_if(content.side,
                    [&](const auto& its) { return its.first.starts_with(write.key); });
    }
  }
  return content;
}

class Scenario {
 public:
  RocksLogOptions options() {
    return {.dir = temp_ / "log",
            .create = true,
            .sidecar_key_path = temp_ / "key",
            .env = disk_.env()};
  }
  FaultyFileSystem& disk() { return disk_; }

  // Opens, appends, purges and closes, until something fails or all is done.
  void Run() { (void)TryRun(); }

  // Opens the log again and compares.
  void Check(bool cut_damaged_tail = false) {
    RocksLogOptions again = options();
    again.cut_damaged_tail = cut_damaged_tail;
    auto log = RocksLog::Open(again);
    REQUIRE(log.status().ToString() == "OK");
    Result<LogContent> found = ReadContent(**log);
    REQUIRE(found.status().ToString() == "OK");
    if (*found != durable_) CHECK(*found == doubtful_);
    CHECK((*log)->Append(After((*log)->head()), {}).ToString() == "OK");
  }

  // Reads the log through a disk whose reads are spoilt: all of it, or a failure.
  void CheckSpoiltRead() {
    auto log = RocksLog::Open(options());
    if (!log.ok()) return;
    ReadLog read = ReadAll(**log);
    if (read.status.ok()) CHECK(read.commits == durable_.commits);
  }

 private:
  Status TryRun() {
    {
      ASSIGN_OR_RETURN(auto log, RocksLog::Open(options()));
      for (const char* device : {"d1", "d2", "d3"}) {
        RETURN_IF_ERROR(Append(*log, {{device, "name"}, {"p1", device}}));
      }
    }
    {
      ASSIGN_OR_RETURN(auto log, RocksLog::Open(options()));
      RETURN_IF_ERROR(Append(*log, {{"d1", std::nullopt}, {"t1", "text"}}));
      RETURN_IF_ERROR(log->PurgeErased());
      RETURN_IF_ERROR(Append(*log, {{"d", std::nullopt}, {"d4", "name"}}));
      RETURN_IF_ERROR(Append(*log, {}));
    }
    ASSIGN_OR_RETURN(auto log, RocksLog::Open(options()));
    return Append(*log, {{"d5", "name"}});
  }

  Status Append(RocksLog& log, const std::vector<SideWrite>& side) {
    SealedCommit commit = After(log.head(), {.events = 3});
    doubtful_ = With(durable_, commit, side);
    RETURN_IF_ERROR(log.Append(commit, side));
    durable_ = doubtful_;
    return OkStatus();
  }

  TempDir temp_;
  FaultyFileSystem disk_;
  LogContent durable_;
  LogContent doubtful_;
};

// Runs the scenario with its `nth` write failing; false when it has fewer.
bool FailNthWrite(uint64_t nth, Failure failure, std::optional<Unsynced> power_loss) {
  Scenario scenario;
  CAPTURE(nth, int(failure), power_loss.has_value() ? int(*power_loss) : -1);
  scenario.disk().FailWrite(nth, failure);
  scenario.Run();
  const bool hit = scenario.disk().writes() >= nth;
  scenario.disk().Heal();
  if (power_loss.has_value()) scenario.disk().LosePower(*power_loss);
  scenario.Check(/*cut_damaged_tail=*/power_loss == Unsynced::kGarbage);
  return hit;
}

}  // namespace

TEST_CASE("whichever write fails, a restart finds the old or the new", "[log]") {
  for (Failure failure : {Failure::kOnce, Failure::kHalfWrite}) {
    for (uint64_t nth = 1; FailNthWrite(nth, failure, std::nullopt); ++nth) {
    }
  }
}

TEST_CASE("whichever write the power fails at, a restart finds the old or the new", "[log]") {
  for (Unsynced unsynced :
       {Unsynced::kDropped, Unsynced::kHalfKept, Unsynced::kZeros, Unsynced::kGarbage}) {
    for (uint64_t nth = 1; FailNthWrite(nth, Failure::kForGood, unsynced); ++nth) {
    }
  }
}

TEST_CASE("whichever read is spoilt, the log is read whole or not at all", "[log]") {
  for (ReadFault fault : {ReadFault::kShort, ReadFault::kFlippedBit}) {
    Scenario scenario;
    scenario.Run();
    for (uint64_t nth = 1;; ++nth) {
      CAPTURE(nth, int(fault));
      const uint64_t before = scenario.disk().reads();
      scenario.disk().SpoilRead(nth, fault);
      scenario.CheckSpoiltRead();
      scenario.disk().Heal();
      if (scenario.disk().reads() < before + nth) break;
    }
    scenario.Check();
  }
}

}  // namespace updraft
