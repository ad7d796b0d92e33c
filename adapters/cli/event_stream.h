// The stream of committed events for those who follow: each event once, in order, from any number
// on, across reconnects and restarts. Readers are served from the log, so one that is slow costs a
// read of its own and never the engine anything.
//
// Thread-safety: any thread.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "adapters/http/event_feed.h"
#include "engine/updraft.h"

namespace updraft {

class EventStream {
 public:
  // `log` outlives it.
  explicit EventStream(const EventLog& log);
  ~EventStream();

  // There is more up to this event. From EngineOptions::on_commit.
  void OnCommit(Seq last);
  // Sends what comes after event `after` to the reader, until it goes.
  void Add(Seq after, std::shared_ptr<EventFeed> feed);

 private:
  struct Reader {
    Seq sent;
    std::shared_ptr<EventFeed> feed;
  };

  void Run();
  // False when the reader has gone.
  bool Serve(Reader& reader) const;

  const EventLog& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Seq last_;
  std::list<Reader> arrived_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace updraft
