#include "tests/log/forged_log.h"

#include <cstring>

#include <capnp/message.h>
#include <capnp/serialize.h>

namespace updraft {
namespace {

// A commit's message, to be changed.
class Draft {
 public:
  explicit Draft(const CommitReader& commit) {
    auto words = kj::heapArray<capnp::word>(commit.bytes().size() / sizeof(capnp::word));
    std::memcpy(words.begin(), commit.bytes().data(), commit.bytes().size());
    capnp::FlatArrayMessageReader reader(words);
    message_.setRoot(reader.getRoot<events::Commit>());
  }

  events::Commit::Builder get() { return message_.getRoot<events::Commit>(); }

  std::string Bytes() {
    kj::Array<capnp::word> words = capnp::messageToFlatArray(message_);
    auto bytes = words.asBytes();
    return std::string(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
  }

 private:
  capnp::MallocMessageBuilder message_;
};

}  // namespace

Status CopyForged(const EventLog& from, EventLog& to,
                  const std::function<void(Seq, events::Event::Builder)>& change) {
  return from.Read(Seq(1), [&](const CommitReader& commit) {
    SealedCommit forged{
        .header = commit.header(), .event_count = commit.event_count(), .bytes = {}, .hash = {}};
    forged.header.previous_hash = to.head().hash;
    Draft draft(commit);
    uint64_t seq = commit.header().first.value();
    for (events::Event::Builder event : draft.get().getEvents()) change(Seq(seq++), event);
    draft.get().setPreviousHash(
        kj::arrayPtr(forged.header.previous_hash.data(), forged.header.previous_hash.size()));
    forged.bytes = draft.Bytes();
    forged.hash = Sha256(forged.bytes);
    return to.Append(forged, {});
  });
}

}  // namespace updraft
