// Makes checkpoints while the engine works: a thread of low priority that recovers from the log on
// disk, as a start would, and writes down what it comes to (recovery.h). It costs a second world in
// memory while it works, and no turn waits for it.
//
// Thread-safety: Reached and Stop may be called from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "events/log/event_log.h"

namespace updraft {

class World;

class Checkpointer {
 public:
  struct Options {
    std::string dir;
    // A new one is made so many events behind the last at the earliest; at least 1.
    uint64_t every_events = 0;
    // As in EngineOptions.
    std::function<void(Seq last, const Status& made, int64_t us)> on_checkpoint;
  };

  // `log` outlives it.
  Checkpointer(const EventLog& log, Options options) : log_(log), options_(std::move(options)) {}
  ~Checkpointer() { Stop(); }

  // `newest` is the checkpoint that is there, 0 for none; `world` is looked at during the call
  // only.
  void Start(Seq newest, const World& world);
  // The log on disk has a digest as its event `at`, the last of a commit.
  void Reached(Seq at);
  // Gives up what is being made. Idempotent.
  void Stop();

 private:
  void Run();
  // The time for the next has come: after so many more events.
  void SetNext(Seq newest, uint64_t worth);

  const EventLog& log_;
  const Options options_;

  std::mutex mutex_;  // Over all below.
  std::condition_variable wake_;
  Seq reached_;
  Seq next_;  // The next is made of this event or a later one.
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace updraft
