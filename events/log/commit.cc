#include "events/log/commit.h"

#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <kj/exception.h>

#include "events/base/assert.h"

namespace updraft {
namespace {

// Enough for most turns without a second segment; reused from turn to turn.
constexpr size_t kScratchWords = 16 * 1024;

// A hostile disk may hold a message that points at itself; a good one is read through once or
// twice (fold and explain).
constexpr uint64_t kTraversalWords = 4 * kCommitBytesMax / sizeof(capnp::word);

}  // namespace

struct CommitWriter::State {
  std::vector<capnp::word> scratch = std::vector<capnp::word>(kScratchWords);
  std::unique_ptr<capnp::MallocMessageBuilder> message;
  std::vector<capnp::Orphan<events::Event>> events;

  void Renew() {
    events.clear();
    message.reset();  // Zeroes what it used of the scratch space.
    message =
        std::make_unique<capnp::MallocMessageBuilder>(kj::arrayPtr(scratch.data(), scratch.size()));
  }
};

CommitWriter::CommitWriter() : state_(std::make_unique<State>()) { state_->Renew(); }
CommitWriter::~CommitWriter() { state_->events.clear(); }

events::Event::Builder CommitWriter::Add() {
  state_->events.push_back(state_->message->getOrphanage().newOrphan<events::Event>());
  return state_->events.back().get();
}

uint32_t CommitWriter::count() const { return static_cast<uint32_t>(state_->events.size()); }

size_t CommitWriter::bytes_estimate() const {
  if (state_->events.empty()) return 256;  // Cap'n Proto's message has no arena to be asked yet.
  return state_->message->sizeInWords() * sizeof(capnp::word) + 256;
}

void CommitWriter::Clear() { state_->Renew(); }

SealedCommit CommitWriter::Seal(const CommitHeader& header) {
  Assert(count() > 0, "a commit without events is no commit");
  SealedCommit sealed;
  sealed.header = header;
  sealed.event_count = count();
  {
    capnp::MallocMessageBuilder message(
        static_cast<unsigned>(bytes_estimate() / sizeof(capnp::word)));
    auto commit = message.initRoot<events::Commit>();
    commit.setFirstSeq(header.first.value());
    commit.setTimeMs(header.time_ms);
    commit.setEpoch(header.epoch.value());
    commit.setEngineNumber(header.engine_number);
    commit.setPreviousHash(kj::arrayPtr(header.previous_hash.data(), header.previous_hash.size()));
    auto list = commit.initEvents(count());
    for (uint32_t i = 0; i < count(); ++i) {
      list.setWithCaveats(i, state_->events[i].getReader());
    }
    kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
    sealed.bytes.assign(reinterpret_cast<const char*>(words.begin()),
                        words.size() * sizeof(capnp::word));
  }
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
