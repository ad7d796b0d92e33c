#include "adapters/cli/event_stream.h"

#include "events/event_json.h"
#include "events/log/event_log.h"

namespace updraft {

EventStream::EventStream(const EventLog& log)
    : log_(log), last_(log.head().last), thread_([this] { Run(); }) {}

EventStream::~EventStream() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void EventStream::OnCommit(Seq last) {
  {
    std::lock_guard lock(mutex_);
    last_ = last;
  }
  wake_.notify_one();
}

void EventStream::Add(Seq after, std::shared_ptr<EventFeed> feed) {
  feed->Open(after.value());
  {
    std::lock_guard lock(mutex_);
    arrived_.push_back({after, std::move(feed)});
  }
  wake_.notify_one();
}

void EventStream::Run() {
  std::list<Reader> readers;
  Seq served;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] {
        return stopping_ || !arrived_.empty() || (!readers.empty() && served < last_);
      });
      if (stopping_) return;
      served = last_;
      readers.splice(readers.end(), arrived_);
    }
    readers.remove_if([&](Reader& reader) { return !Serve(reader); });
  }
}

bool EventStream::Serve(Reader& reader) const {
  bool gone = false;
  const Status stop(StatusCode::kAborted, "the reader has gone");
  Status status =
      log_.Read(Seq(reader.sent.value() + 1), [&](const CommitReader& commit) -> Status {
        uint64_t seq = commit.header().first.value();
        for (events::Event::Reader event : commit.events()) {
          if (seq > reader.sent.value()) {
            FeedEvent out{seq, "", EventJson(Seq(seq), commit.header().time_ms, event)};
            if (!reader.feed->Push(out)) {
              gone = true;
              return stop;
            }
            reader.sent = Seq(seq);
          }
          ++seq;
        }
        return OkStatus();
      });
  return status.ok() && !gone;
}

}  // namespace updraft
