#include "events/log/commit.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

// Leaves bytes that are not zero wherever an object of some hundreds of bytes may come to lie.
void SpoilTheHeap() {
  std::vector<std::unique_ptr<unsigned char[]>> blocks;
  for (size_t size = 16; size <= 2'048; size += 16) {
    for (int i = 0; i < 8; ++i) {
      blocks.push_back(std::make_unique<unsigned char[]>(size));
      std::fill_n(blocks.back().get(), size, static_cast<unsigned char>(0x5a));
    }
  }
}

}  // namespace

namespace {

// One of several shapes: without fields, flat, with text, with lists, some of them empty.
void Fill(events::Event::Builder event, uint32_t i) {
  event.setBy(i % 7);
  switch (i % 6) {
    case 0:
      event.initClockConfirmed();
      return;
    case 1:
      return event.initProgressReported().setTask(i);
    case 2:
      return event.initEngineStarted().setBuild(std::string(i % 40, 'b'));
    case 3: {
      auto chosen = event.initTargetsChosen();
      auto queued = chosen.initQueued(i % 50);
      for (uint32_t t = 0; t < queued.size(); ++t) queued.set(t, i + t);
      return;
    }
    case 4: {
      auto created = event.initProductCreated();
      created.setProductKey("key");
      created.setName(std::string(i % 9, 'n'));
      return;
    }
    default:
      event.initEngineStarted();
  }
}

CommitHeader SomeHeader() {
  CommitHeader header{
      .first = Seq(7), .time_ms = 1'767'225'600'000, .epoch = Epoch(3), .engine_number = 2};
  header.previous_hash.fill(0xab);
  return header;
}

}  // namespace

// Commits of all builds are made alike: the chain is over their bytes.
TEST_CASE("a commit's bytes are what Cap'n Proto makes of the same events in a row", "[log]") {
  CommitWriter writer;
  for (uint32_t count : {1, 5, 63, 64, 65, 191, 193, 1'000, 5'000}) {
    CAPTURE(count);
    capnp::MallocMessageBuilder message(1 << 20);
    auto commit = message.initRoot<events::Commit>();
    const CommitHeader header = SomeHeader();
    commit.setFirstSeq(header.first.value());
    commit.setTimeMs(header.time_ms);
    commit.setEpoch(header.epoch.value());
    commit.setEngineNumber(header.engine_number);
    commit.setPreviousHash(kj::arrayPtr(header.previous_hash.data(), header.previous_hash.size()));
    auto list = commit.initEvents(count);
    for (uint32_t i = 0; i < count; ++i) {
      Fill(list[i], i);
      Fill(writer.Add(), i);
    }
    kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
    CHECK(writer.count() == count);
    CHECK(writer.bytes_estimate() >= words.asBytes().size());
    SealedCommit sealed = writer.Seal(header);
    CHECK((sealed.bytes == std::string(words.asChars().begin(), words.asChars().size())));
    CHECK(sealed.hash == Sha256(sealed.bytes));
    CHECK(writer.count() == 0);
  }
}

// What is over the bound is for the log to refuse.
TEST_CASE("a commit that is far too large holds all its events", "[log]") {
  constexpr uint32_t kEvents = 300;
  CommitWriter writer;
  for (uint32_t i = 0; i < kEvents; ++i) {
    writer.Add().initEngineStarted().setBuild(std::string(10'000, static_cast<char>('a' + i % 26)));
  }
  SealedCommit sealed = writer.Seal(SomeHeader());
  CHECK(sealed.bytes.size() > 3 * kCommitBytesMax);
  CHECK(sealed.event_count == kEvents);
  capnp::ReaderOptions options;
  options.traversalLimitInWords = UINT64_MAX;
  std::vector<capnp::word> words(sealed.bytes.size() / sizeof(capnp::word));
  std::memcpy(words.data(), sealed.bytes.data(), sealed.bytes.size());
  capnp::FlatArrayMessageReader reader(kj::arrayPtr(words.data(), words.size()), options);
  auto events = reader.getRoot<events::Commit>().getEvents();
  REQUIRE(events.size() == kEvents);
  for (uint32_t i = 0; i < kEvents; ++i) {
    CHECK(events[i].getEngineStarted().getBuild()[9'999] == static_cast<char>('a' + i % 26));
  }
  // And the writer is as good as before.
  writer.Add().initTaskFailed().setTask(7);
  Result<CommitReader> next = CommitReader::Open(writer.Seal(SomeHeader()).bytes);
  REQUIRE(next.ok());
  CHECK(next->events()[0].getTaskFailed().getTask() == 7);
}

// The simulation found a server that died at the begin of a turn, now and then.
TEST_CASE("a writer without events can be asked for its size, whatever the memory held", "[log]") {
  for (int i = 0; i < 100; ++i) {
    SpoilTheHeap();
    CommitWriter writer;
    CHECK(writer.count() == 0);
    CHECK(writer.bytes_estimate() <= 1'024);
    writer.Add().initEngineStarted().setBuild("b");
    size_t one = writer.bytes_estimate();
    SpoilTheHeap();
    writer.Clear();
    CHECK(writer.bytes_estimate() <= one);
  }
}

}  // namespace updraft
