// Recovery from checkpoints, and the engine that makes them while it works.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>

#include <catch2/catch.hpp>

#include "engine/clock.h"
#include "engine/recovery.h"
#include "engine/updraft.h"
#include "events/log/checkpoint_file.h"
#include "projections/saved_world.h"
#include "tests/log/temp_dir.h"
#include "tests/spec/derived.h"
#include "tests/spec/spec.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

// A batch in the middle of its life: tasks in every state, timers, pushes in doubt, names.
class Busy : public Fleet {
 public:
  Busy() : Fleet(6) {
    batch_ = StartBatch({.timeout_minutes = 60, .retry_minutes = 10, .retry_count = 2});
    for (const char* name : {"dev-1", "dev-2", "dev-3"}) Settled(name);
    PushFor(seconds(30));
    Progress("dev-1", 20, "words");
    Progress("dev-2", -1);
    Report("dev-3", "2.0.0");
    Ok(DeleteDevice{Device("dev-6")});
  }

  // The log goes on behind the checkpoint.
  void GoOn() {
    Settled("dev-4");
    PushFor(seconds(90));
    Report("dev-1", "2.0.0");
  }

  Recovered RecoverFrom(const std::string& dir) const {
    Result<Recovered> recovered = Recover(log(), {.checkpoint_dir = dir});
    REQUIRE(recovered.status().ToString() == "OK");
    CHECK(recovered->head == log().head());
    CHECK(recovered->world->digest() == world().digest());
    CHECK(DescribeDerived(*recovered->world) == DescribeDerived(world()));
    CHECK(FindDevice(*recovered->world, kProductKey, "dev-4") == Id("dev-4"));
    CHECK_FALSE(FindDevice(*recovered->world, kProductKey, "dev-6"));
    return *std::move(recovered);
  }

  void MakeAt(const std::string& dir, Seq at) const {
    REQUIRE(MakeCheckpoint(log(), {.checkpoint_dir = dir, .to = at}).status().ToString() == "OK");
  }

 private:
  BatchId batch_;
};

void FlipByte(const std::string& path, uint64_t from_end) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(fs::file_size(path) - from_end);
  file.seekg(at);
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(at);
  file.put(byte);
}

}  // namespace

TEST_CASE("a checkpoint and the tail behind it come to the same world as the whole log",
          "[checkpoint]") {
  TempDir dir;
  Busy f;
  Seq at = f.RecordDigest();
  f.MakeAt(dir.path(), at);
  CHECK(f.RecoverFrom(dir.path()).checkpoint == at);
  f.GoOn();
  Recovered recovered = f.RecoverFrom(dir.path());
  CHECK(recovered.checkpoint == at);
  CHECK(recovered.notices.empty());
  // What comes next is made of the last one and the tail.
  Seq later = f.RecordDigest();
  f.MakeAt(dir.path(), later);
  CHECK(f.RecoverFrom(dir.path()).checkpoint == later);
}

TEST_CASE("without checkpoints only starting takes longer", "[checkpoint]") {
  TempDir dir;
  Busy f;
  CHECK_FALSE(f.RecoverFrom(dir.path()).checkpoint);
  CHECK_FALSE(f.RecoverFrom(dir / "none").checkpoint);
  CHECK_FALSE(f.RecoverFrom("").checkpoint);
}

TEST_CASE("a damaged checkpoint is passed over with a word, and the one before it serves",
          "[checkpoint]") {
  TempDir dir;
  Busy f;
  Seq first = f.RecordDigest();
  f.MakeAt(dir.path(), first);
  f.GoOn();
  f.MakeAt(dir.path(), f.RecordDigest());
  std::vector<std::string> paths = *ListCheckpoints(dir.path());
  REQUIRE(paths.size() == 2);
  FlipByte(paths[0], 40);
  Recovered recovered = f.RecoverFrom(dir.path());
  CHECK(recovered.checkpoint == first);
  REQUIRE(recovered.notices.size() == 1);
  CHECK(recovered.notices[0].find(paths[0]) != std::string::npos);
  FlipByte(paths[1], 40);
  recovered = f.RecoverFrom(dir.path());
  CHECK_FALSE(recovered.checkpoint);
  CHECK(recovered.notices.size() == 2);
}

TEST_CASE("a checkpoint of another log is passed over", "[checkpoint]") {
  TempDir dir;
  Busy other;
  other.GoOn();
  other.MakeAt(dir.path(), other.RecordDigest());
  Busy f;
  f.GoOn();
  f.RecordDigest();
  Recovered recovered = f.RecoverFrom(dir.path());
  CHECK_FALSE(recovered.checkpoint);
  REQUIRE(recovered.notices.size() == 1);
  CHECK(recovered.notices[0].find("of another log") != std::string::npos);
}

TEST_CASE("a checkpoint that is newer than the log is passed over", "[checkpoint]") {
  TempDir dir;
  Busy other;
  other.PushFor(std::chrono::minutes(30));
  other.MakeAt(dir.path(), other.RecordDigest());
  Busy f;
  CHECK_FALSE(f.RecoverFrom(dir.path()).checkpoint);
}

TEST_CASE("a moment before the newest checkpoint is recovered from an older one", "[checkpoint]") {
  TempDir dir;
  Busy f;
  Seq first = f.RecordDigest();
  f.MakeAt(dir.path(), first);
  Digest then = f.world().digest();
  f.GoOn();
  f.MakeAt(dir.path(), f.RecordDigest());
  Result<Recovered> recovered = Recover(f.log(), {.checkpoint_dir = dir.path(), .to = first});
  REQUIRE(recovered.ok());
  CHECK(recovered->checkpoint == first);
  CHECK(recovered->head.last == first);
  CHECK(recovered->world->digest() == then);
}

TEST_CASE("only what the log says the digest of is made a checkpoint", "[checkpoint]") {
  TempDir dir;
  Busy f;
  Seq digest = f.RecordDigest();
  for (Seq at : {Seq(1), Seq(digest.value() - 1), Seq(digest.value() + 1)}) {
    CHECK_FALSE(MakeCheckpoint(f.log(), {.checkpoint_dir = dir.path(), .to = at}).ok());
  }
  CHECK(ListCheckpoints(dir.path())->empty());
}

TEST_CASE("no damage to saved records makes another world", "[checkpoint]") {
  Busy f;
  std::string saved;
  REQUIRE(SaveWorld(f.world(), [&](std::string_view bytes) {
            saved += bytes;
            return OkStatus();
          }).ok());
  size_t used = 0;
  auto read = [&](char* bytes, size_t count) {
    if (count > saved.size() - used) return Status(StatusCode::kDataLoss, "too short");
    saved.copy(bytes, count, used);
    used += count;
    return OkStatus();
  };
  for (size_t flipped = 0; flipped < saved.size(); flipped += 7) {
    INFO("byte " << flipped);
    const char before = std::exchange(saved[flipped], static_cast<char>(saved[flipped] ^ 1));
    used = 0;
    World world;
    const bool loaded = LoadWorld(read, f.world().digest(), world).ok();
    saved[flipped] = before;
    if (!loaded) continue;
    // It was what a field of no record is called.
    CHECK(world.ComputeDigest() == f.world().digest());
    CHECK(DescribeDerived(world) == DescribeDerived(f.world()));
  }
}

TEST_CASE("a short file asks for little memory, whatever it says it holds", "[checkpoint]") {
  std::string saved;
  REQUIRE(SaveWorld(World(), [&](std::string_view bytes) {
            saved += bytes;
            return OkStatus();
          }).ok());
  // A table begins with its kind (4 bytes), its records (8) and its number of fields (4).
  int refused = 0;
  for (size_t at = 0; at + 16 <= saved.size(); ++at) {
    std::string bad = saved;
    // Four thousand million records, without fields.
    bad.replace(at + 4, 12, std::string("\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 12));
    size_t used = 0;
    auto read = [&](char* bytes, size_t count) {
      if (count > bad.size() - used) return Status(StatusCode::kDataLoss, "too short");
      bad.copy(bytes, count, used);
      used += count;
      return OkStatus();
    };
    World world;
    // What a field of no record is called may be anything.
    const bool loaded = LoadWorld(read, World().digest(), world).ok();
    if (loaded) CHECK(world.ComputeDigest() == World().digest());
    refused += loaded ? 0 : 1;
  }
  CHECK(refused > 100);
}

namespace {

// An engine over a log in memory with its checkpoints in a directory.
struct Working {
  Working(const std::string& dir, std::shared_ptr<MemoryDisk> disk, uint64_t every_events = 500) {
    EngineOptions options;
    options.data_dir = dir;
    options.checkpoint_events = every_events;
    options.on_recovery = [this](Seq) { ++folded; };
    options.on_checkpoint = [this](Seq, const Status& status, int64_t us) {
      took_us = us;
      ++(status.ok() ? made : failed);
      made.notify_all();
      failed.notify_all();
    };
    Result<std::unique_ptr<Engine>> opened =
        Engine::OpenWith(options, std::make_unique<MemoryLog>(disk), SystemClock());
    REQUIRE(opened.status().ToString() == "OK");
    engine = *std::move(opened);
  }

  Outcome Do(Command command) {
    std::promise<Outcome> done;
    REQUIRE(engine->Submit(std::move(command), [&](const Outcome& o) { done.set_value(o); }).ok());
    return done.get_future().get();
  }

  // Enough commits for the digest to be recorded.
  void Work() {
    (void)Do(CreateProduct{.name = "product", .product_key = "a1pk"});
    for (int i = 0; i < 1'100; ++i) {
      RegisterDevices order{.product_key = "a1pk"};
      order.devices.emplace_back();
      REQUIRE(Do(order).ok());
    }
  }

  Digest DigestNow() {
    std::promise<Digest> digest;
    REQUIRE(engine
                ->Read([&](const World& world) -> Engine::Finish {
                  return [&digest, now = world.digest()](const Status&) { digest.set_value(now); };
                })
                .ok());
    return digest.get_future().get();
  }

  std::atomic<int> folded = 0;
  std::atomic<int> made = 0;
  std::atomic<int> failed = 0;
  std::atomic<int64_t> took_us = 0;
  std::unique_ptr<Engine> engine;
};

}  // namespace

TEST_CASE("an engine makes checkpoints while it works and starts from the newest", "[checkpoint]") {
  TempDir dir;
  auto disk = std::make_shared<MemoryDisk>();
  Digest digest;
  {
    Working working(dir.path(), disk);
    working.Work();
    working.made.wait(0);
    CHECK(working.took_us > 0);
    digest = working.DigestNow();
  }
  CHECK_FALSE(ListCheckpoints(dir / "checkpoints")->empty());
  Working again(dir.path(), disk);
  CHECK(again.DigestNow() == digest);
  CHECK(again.folded > 0);
  CHECK(again.folded < 1'100);  // The tail, not all.
}

TEST_CASE("what a stopped engine left without a checkpoint is made up for at the next start",
          "[checkpoint]") {
  TempDir dir;
  auto disk = std::make_shared<MemoryDisk>();
  {
    Busy f;
    f.GoOn();
    f.RecordDigest();
    MemoryLog copy(disk);
    REQUIRE(f.log()
                .Read(Seq(1),
                      [&](const CommitReader& commit) {
                        SealedCommit sealed{.header = commit.header(),
                                            .event_count = commit.event_count(),
                                            .bytes = std::string(commit.bytes()),
                                            .hash = commit.hash()};
                        return copy.Append(sealed, {});
                      })
                .ok());
  }
  Working working(dir.path(), disk, 1);
  working.made.wait(0);
  CHECK(working.made == 1);
}

TEST_CASE("an engine that cannot make checkpoints works on", "[checkpoint]") {
  TempDir dir;
  std::ofstream(dir / "checkpoints") << "in the way";
  auto disk = std::make_shared<MemoryDisk>();
  Working working(dir.path(), disk);
  working.Work();
  working.failed.wait(0);
  CHECK(working.made == 0);
  CHECK(working.engine->health().ok());
  working.Work();
}

TEST_CASE("a checkpoint does not hide that the log is a newer build's", "[checkpoint]") {
  TempDir dir;
  MemoryLog log;
  World world;
  CommitWriter writer;
  auto raised = writer.Add().initSchemaRaised();
  raised.setVersion(kSchemaVersion + 1);
  raised.setBuild("9.9");
  Digest digest;
  {
    const SealedCommit first = writer.Seal({.first = Seq(1), .epoch = Epoch(1)});
    Evolve(world, Seq(1), 0, CommitReader::Open(first.bytes)->events()[0]);
    digest = world.digest();
    REQUIRE(log.Append(first, {}).ok());
  }
  CommitWriter second;
  auto recorded = second.Add().initDigestRecorded();
  recorded.setVersion(kDigestVersion);
  recorded.setHigh(digest.high());
  recorded.setLow(digest.low());
  REQUIRE(log.Append(second.Seal(
                         {.first = Seq(2), .epoch = Epoch(1), .previous_hash = log.head().hash}),
                     {})
              .ok());
  Result<CheckpointWriter> file =
      CheckpointWriter::Begin(dir.path(), {.head = log.head(),
                                           .digest_version = kDigestVersion,
                                           .digest_high = digest.high(),
                                           .digest_low = digest.low()});
  REQUIRE(file.ok());
  REQUIRE(SaveWorld(world, [&](std::string_view bytes) { return file->Write(bytes); }).ok());
  REQUIRE(file->Commit().ok());
  Status refused = Recover(log, {.checkpoint_dir = dir.path()}).status();
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(refused.message()), Catch::Contains("'9.9'"));
}

}  // namespace updraft
