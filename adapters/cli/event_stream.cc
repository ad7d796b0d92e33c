#include "adapters/cli/event_stream.h"

#include <algorithm>

#include "engine/clock.h"
#include "events/event_json.h"
#include "events/log/event_log.h"

namespace updraft {
namespace {

// Whether the key may not follow any more once this has happened.
bool EndsFollowing(events::Event::Reader event, KeyId key) {
  if (event.isKeyDeleted()) return event.getKeyDeleted().getKey() == key.value();
  if (!event.isKeyChanged()) return false;
  events::KeyChanged::Reader changed = event.getKeyChanged();
  return changed.getKey() == key.value() && !(changed.getEnabled() && changed.getFormal());
}

}  // namespace

EventStream::EventStream(const EventLog& log, std::chrono::milliseconds patience)
    : log_(log), patience_(patience), last_(log.head().last), thread_([this] { Run(); }) {}

void EventStream::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void EventStream::OnCommit(Seq last) {
  {
    std::lock_guard lock(mutex_);
    last_ = last;
  }
  wake_.notify_one();
}

void EventStream::Add(Reader reader) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;  // The feed ends unopened.
  }
  reader.feed->Open(reader.sent.value());
  reader.feed->NotifyRoom([this] {
    {
      std::lock_guard lock(mutex_);
      room_ = true;
    }
    wake_.notify_one();
  });
  {
    std::lock_guard lock(mutex_);
    arrived_.push_back(std::move(reader));
  }
  wake_.notify_one();
}

void EventStream::Run() {
  std::list<Reader> readers;
  Seq served;
  while (Wait(readers, served)) {
    readers.remove_if([&](Reader& reader) { return !Serve(reader); });
    stats_.readers = readers.size();
  }
}

bool EventStream::Wait(std::list<Reader>& readers, Seq& served) {
  bool any_full = std::any_of(readers.begin(), readers.end(),
                              [](const Reader& reader) { return reader.full_since_us != 0; });
  std::unique_lock lock(mutex_);
  auto ready = [&] {
    return stopping_ || room_ || !arrived_.empty() || (!readers.empty() && served < last_);
  };
  if (any_full) {
    wake_.wait_for(lock, patience_ / 4, ready);  // Then it is seen whose patience is at its end.
  } else {
    wake_.wait(lock, ready);
  }
  served = last_;
  room_ = false;
  readers.splice(readers.end(), arrived_);
  return !stopping_;
}

bool EventStream::Serve(Reader& reader) {
  const Seq before = reader.sent;
  bool gone = false;
  bool full = !reader.feed->HasRoom();
  const Status stop(StatusCode::kAborted, "no more for now");
  Status status =
      full ? stop
           : log_.Read(Seq(reader.sent.value() + 1), [&](const CommitReader& commit) -> Status {
               uint64_t seq = commit.header().first.value();
               for (events::Event::Reader event : commit.events()) {
                 if (seq > reader.sent.value()) {
                   full = !reader.feed->HasRoom();
                   if (full) return stop;
                   FeedEvent out{seq, "", EventJson(Seq(seq), commit.header().time_ms, event)};
                   gone = !reader.feed->Push(out);
                   if (gone) return stop;
                   reader.sent = Seq(seq);
                   gone = reader.sent > reader.joined && EndsFollowing(event, reader.key);
                   if (gone) return stop;
                 }
                 ++seq;
               }
               return OkStatus();
             });
  if (gone || (!status.ok() && !full)) return false;
  int64_t now_us = SystemClock().MonotonicUs();
  if (!full) {
    reader.full_since_us = 0;
  } else if (reader.full_since_us == 0 || reader.sent > before) {
    reader.full_since_us = now_us;
  } else if (now_us - reader.full_since_us >= patience_.count() * 1'000) {
    ++stats_.dropped;
    reader.feed->Drop();
    return false;
  }
  return true;
}

}  // namespace updraft
