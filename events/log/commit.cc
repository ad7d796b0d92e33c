#include "events/log/commit.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include <capnp/any.h>
#include <fmt/format.h>
#include <kj/exception.h>

#include "events/base/assert.h"

namespace updraft {
namespace {

using capnp::word;

static_assert(std::endian::native == std::endian::little,
              "Cap'n Proto's words are moved as they are");

constexpr size_t kEventDataWords = events::Event::_capnpPrivate::dataWordSize;
constexpr size_t kEventPointers = events::Event::_capnpPrivate::pointerCount;
constexpr size_t kEventWords = kEventDataWords + kEventPointers;

// Enough that what overflows it is no commit any more; its pages are real once they were used.
constexpr size_t kScratchWords = 2 * kCommitBytesMax / sizeof(word);
// Of a commit without its events.
constexpr size_t kHeadWordsMax = 32;

constexpr uint32_t kFirstListEvents = 64;
constexpr uint16_t kListsMax = 16;

// A hostile disk may hold a message that points at itself; a good one is read through once or
// twice (fold and explain).
constexpr uint64_t kTraversalWords = 4 * kCommitBytesMax / sizeof(capnp::word);

}  // namespace

// Events wait in lists, each twice as long as the one before, followed by what its events point to.
// A pointer of Cap'n Proto says how many words behind itself its target lies. So Seal moves whole
// lists, and whole runs of what they point to, and changes one word an event.
struct CommitWriter::State {
  struct Run {
    capnp::List<events::Event>::Builder events;
    uint32_t used;
    size_t begin;  // The place of its first event in the segment, in words.
    size_t end;    // And what the events point to begins here.
  };
  struct Free {
    void operator()(word* words) const { std::free(words); }
  };

  std::unique_ptr<word, Free> scratch{static_cast<word*>(std::calloc(kScratchWords, sizeof(word)))};
  std::optional<capnp::MallocMessageBuilder> message;
  std::optional<capnp::List<capnp::AnyPointer>::Builder> lists;
  std::vector<Run> runs;
  uint32_t count = 0;
  size_t spare_words = 0;  // Of lists that are not full.

  void Renew() {
    runs.clear();
    lists.reset();
    count = 0;
    spare_words = 0;
    message.reset();  // Zeroes what it used of the scratch space.
    message.emplace(kj::arrayPtr(scratch.get(), kScratchWords));
  }
  void BeginRun();
  void FillHead(events::Commit::Builder commit, const CommitHeader& header) const;
  std::string MoveTogether(const CommitHeader& header);
  std::string CopyTogether(const CommitHeader& header);
};

void CommitWriter::State::BeginRun() {
  if (!lists) {
    auto root = message->initRoot<capnp::AnyPointer>().initAsAnyStruct(0, kListsMax);
    lists = root.getPointerSection();
  }
  Assert(runs.size() < kListsMax, "a commit of {} events", count);
  const size_t place = message->sizeInWords();
  const uint32_t size = kFirstListEvents << runs.size();
  auto list = (*lists)[static_cast<unsigned>(runs.size())].initAs<capnp::List<events::Event>>(size);
  // One word before the events tells how many there are.
  runs.push_back({list, 0, place + 1, message->sizeInWords()});
  spare_words += size * kEventWords;
}

CommitWriter::CommitWriter() : state_(std::make_unique<State>()) { state_->Renew(); }
CommitWriter::~CommitWriter() = default;

events::Event::Builder CommitWriter::Add() {
  if (state_->runs.empty() || state_->runs.back().used == state_->runs.back().events.size()) {
    state_->BeginRun();
  }
  State::Run& run = state_->runs.back();
  ++state_->count;
  state_->spare_words -= kEventWords;
  return run.events[run.used++];
}

uint32_t CommitWriter::count() const { return state_->count; }

size_t CommitWriter::bytes_estimate() const {
  constexpr size_t kHeadBytes = kHeadWordsMax * sizeof(word);
  if (state_->count == 0) return kHeadBytes;  // The message has no arena to be asked yet.
  return (state_->message->sizeInWords() - state_->spare_words) * sizeof(word) + kHeadBytes;
}

void CommitWriter::Clear() { state_->Renew(); }

void CommitWriter::State::FillHead(events::Commit::Builder commit,
                                   const CommitHeader& header) const {
  commit.setFirstSeq(header.first.value());
  commit.setTimeMs(header.time_ms);
  commit.setEpoch(header.epoch.value());
  commit.setEngineNumber(header.engine_number);
  commit.setPreviousHash(kj::arrayPtr(header.previous_hash.data(), header.previous_hash.size()));
}

namespace {

// The pointer, for when its target lies `further` words further from it.
uint64_t PointTo(uint64_t pointer, int64_t further) {
  // Of nothing, or of a struct without fields, which lies nowhere.
  if (pointer >> 32 == 0) return pointer;
  Assert((pointer & 3) == 0, "an event points to structs in its own segment");
  const auto offset = static_cast<uint32_t>(pointer) + static_cast<uint32_t>(further << 2);
  return (pointer >> 32 << 32) | offset;
}

}  // namespace

std::string CommitWriter::State::MoveTogether(const CommitHeader& header) {
  const kj::ArrayPtr<const word> from = message->getSegmentsForOutput()[0];
  std::string bytes((1 + kHeadWordsMax + from.size() - spare_words) * sizeof(word), '\0');
  auto* const out = reinterpret_cast<uint64_t*>(bytes.data()) + 1;  // Behind the segment table.
  size_t end = 0;  // What the events point to goes behind the list, which is the head's end.
  {
    capnp::FlatMessageBuilder head(
        kj::arrayPtr(reinterpret_cast<word*>(out), kHeadWordsMax + count * kEventWords));
    auto commit = head.initRoot<events::Commit>();
    FillHead(commit, header);
    commit.initEvents(count);
    end = head.sizeInWords();
  }
  size_t at = end - count * kEventWords;
  for (size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    const size_t next = i + 1 < runs.size() ? runs[i + 1].begin - 1 : from.size();
    const auto further = static_cast<int64_t>(end - run.end) - static_cast<int64_t>(at - run.begin);
    std::memcpy(out + at, &from[run.begin], run.used * kEventWords * sizeof(word));
    for (uint32_t event = 0; event < run.used; ++event, at += kEventWords) {
      uint64_t* const pointers = out + at + kEventDataWords;
      for (size_t p = 0; p < kEventPointers; ++p) pointers[p] = PointTo(pointers[p], further);
    }
    if (next > run.end) std::memcpy(out + end, &from[run.end], (next - run.end) * sizeof(word));
    end += next - run.end;
  }
  const uint32_t table[2] = {0, static_cast<uint32_t>(end)};  // One segment, and its words.
  std::memcpy(bytes.data(), table, sizeof(table));
  bytes.resize((1 + end) * sizeof(word));
  return bytes;
}

// The same by Cap'n Proto's own means, for what did not fit the scratch space.
std::string CommitWriter::State::CopyTogether(const CommitHeader& header) {
  capnp::MallocMessageBuilder copy(static_cast<unsigned>(message->sizeInWords()));
  auto commit = copy.initRoot<events::Commit>();
  FillHead(commit, header);
  auto list = commit.initEvents(count);
  uint32_t at = 0;
  for (const Run& run : runs) {
    for (uint32_t i = 0; i < run.used; ++i) list.setWithCaveats(at++, run.events.asReader()[i]);
  }
  kj::Array<word> words = capnp::messageToFlatArray(copy);
  return std::string(reinterpret_cast<const char*>(words.begin()), words.size() * sizeof(word));
}

SealedCommit CommitWriter::Seal(const CommitHeader& header) {
  Assert(count() > 0, "a commit without events is no commit");
  SealedCommit sealed;
  sealed.header = header;
  sealed.event_count = count();
  const bool together = state_->message->getSegmentsForOutput().size() == 1;
  sealed.bytes = together ? state_->MoveTogether(header) : state_->CopyTogether(header);
  sealed.hash = Sha256(sealed.bytes);
  Clear();
  return sealed;
}

struct CommitReader::Message {
  kj::Array<capnp::word> words;
  std::unique_ptr<capnp::FlatArrayMessageReader> reader;
};

Result<CommitReader> CommitReader::Open(std::string_view bytes) {
  auto damaged = [](std::string_view what) {
    return Status(StatusCode::kDataLoss, fmt::format("this is no commit: {}", what));
  };
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0) {
    return damaged(fmt::format("{} bytes are not whole words", bytes.size()));
  }
  CommitReader result;
  result.message_ = std::make_shared<Message>();
  // A record's bytes lie anywhere; Cap'n Proto wants them aligned.
  result.message_->words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  std::memcpy(result.message_->words.begin(), bytes.data(), bytes.size());
  try {
    capnp::ReaderOptions options;
    options.traversalLimitInWords = kTraversalWords;
    result.message_->reader =
        std::make_unique<capnp::FlatArrayMessageReader>(result.message_->words, options);
    auto commit = result.message_->reader->getRoot<events::Commit>();
    capnp::Data::Reader previous = commit.getPreviousHash();
    if (previous.size() != result.header_.previous_hash.size()) {
      return damaged("its link to the commit before has the wrong length");
    }
    std::memcpy(result.header_.previous_hash.data(), previous.begin(), previous.size());
    result.header_.first = Seq(commit.getFirstSeq());
    result.header_.time_ms = commit.getTimeMs();
    result.header_.epoch = Epoch(commit.getEpoch());
    result.header_.engine_number = commit.getEngineNumber();
    result.event_count_ = commit.getEvents().size();
  } catch (const kj::Exception& e) {
    return damaged(std::string_view(e.getDescription().cStr()));
  }
  if (result.event_count_ == 0) return damaged("it holds no events");
  result.hash_ = Sha256(bytes);
  return result;
}

std::string_view CommitReader::bytes() const {
  auto bytes = message_->words.asChars();
  return std::string_view(bytes.begin(), bytes.size());
}

capnp::List<events::Event>::Reader CommitReader::events() const {
  return message_->reader->getRoot<events::Commit>().getEvents();
}

}  // namespace updraft
