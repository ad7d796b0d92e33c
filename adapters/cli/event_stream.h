// The stream of committed events for those who follow: each event once, in order, from any number
// on, across reconnects and restarts. Readers are served from the log at their own pace, so one
// that is slow costs neither the engine nor the others anything. One that takes nothing at all for
// `patience` although events wait for it is dropped with its position.
//
// Thread-safety: any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "adapters/http/event_feed.h"
#include "engine/updraft.h"

namespace updraft {

struct EventStreamStats {
  std::atomic<uint64_t> readers = 0;
  std::atomic<uint64_t> dropped = 0;
};

class EventStream {
 public:
  static constexpr std::chrono::milliseconds kPatience{30'000};

  // `log` outlives it.
  explicit EventStream(const EventLog& log, std::chrono::milliseconds patience = kPatience);
  ~EventStream() { Stop(); }
  // Ends all readers and takes no new ones. Once.
  void Stop();

  // There is more up to this event. From EngineOptions::on_commit.
  void OnCommit(Seq last);
  struct Reader {
    KeyId key;   // Whose it is; 0: nobody's.
    Seq sent;    // At most the log's last event.
    Seq joined;  // The log's last event when it came.
    std::shared_ptr<EventFeed> feed;
    int64_t full_since_us = 0;  // By the monotonic clock; 0 while there is room.
  };
  // Sends what comes after event `sent` to the reader, until it goes, or its key may not follow any
  // more.
  void Add(Reader reader);

  const EventStreamStats& stats() const { return stats_; }

 private:
  void Run();
  // Until there is something to do. False at the end.
  bool Wait(std::list<Reader>& readers, Seq& served);
  // False when the reader has gone or was dropped.
  bool Serve(Reader& reader);

  const EventLog& log_;
  const std::chrono::milliseconds patience_;
  EventStreamStats stats_;
  std::mutex mutex_;  // Guards what follows; no feed is called with it held.
  std::condition_variable wake_;
  Seq last_;
  std::list<Reader> arrived_;
  bool room_ = false;  // A reader has taken something.
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace updraft
