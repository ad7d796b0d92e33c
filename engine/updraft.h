// libupdraft: an over-the-air upgrade engine to embed in a service of one's own.
//
//   Result<std::unique_ptr<Engine>> engine = Engine::Open({.data_dir = "/var/lib/updraft"});
//   (*engine)->Submit(CreateProduct{.name = "thermostat"}, [](const Outcome& outcome) { … });
//   (*engine)->Submit(TakePushes{.max = 100}, [](const Outcome& outcome) { /* tell devices */ });
//
// An engine owns its data directory and its threads. What it answers is on disk: a callback runs
// only when all that its outcome tells of is durable, refusals and look-ups too.
//
// Thread-safety: every method may be called from any thread. Callbacks and the closures that Read
// returns run one at a time, in order, on the engine's completion thread; they may submit again,
// must not block for long, and must not destroy the engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/commands.h"
#include "events/base/ids.h"
#include "events/base/status.h"

namespace updraft {

class Clock;
class EventLog;
class World;

struct EngineOptions {
  // Made when missing. One engine at a time may have it open.
  std::string data_dir;
  // Told apart engines whose ids must not meet; part of every id that leaves the API.
  uint16_t engine_number = 1;
  // Commands that may wait; more are refused with INBOX_FULL. At least 1.
  size_t inbox_max = 65'536;
  // How far the clock may be ahead of the log's last commit at a start, before timers and pushes
  // wait for ConfirmClock. In milliseconds; the default is 30 days.
  int64_t clock_ahead_max_ms = int64_t{30} * 86'400'000;

  // What the configuration bounds beyond the manual; 0 is no limit.
  uint32_t verification_timeout_minutes = 1'440;
  uint32_t packages_max = 0;
  uint32_t devices_per_batch_max = 0;
  // Notices a second to devices that came back, of all batches. At least 1.
  uint32_t repeats_per_second = 200;

  // A checkpoint is made in the background so many events behind the last one at the earliest, in
  // the directory `checkpoints` of data_dir; 0: none is. Starting needs the log only, and takes
  // longer without.
  uint64_t checkpoint_events = 1'000'000;

  // Called on the log's thread after each commit is durable: the last event's number, how many
  // events and bytes it has, and the microseconds that writing it took. Must be quick.
  std::function<void(Seq last, uint32_t events, size_t bytes, int64_t us)> on_commit;
  // Called on the log's thread with the microseconds that the fsync of each write to the log took.
  // Must be quick.
  std::function<void(int64_t us)> on_sync;
  // Called during Open while the log is read, with the last event's number so far.
  std::function<void(Seq)> on_recovery;
  // Called on the checkpointer's thread with a checkpoint's last event, what became of it, and the
  // microseconds that making it took, which end with the call.
  std::function<void(Seq last, const Status& made, int64_t us)> on_checkpoint;
};

class Engine {
 public:
  using Callback = std::function<void(const Outcome&)>;
  // Runs on the completion thread once what the closure saw is durable; not OK when that can no
  // longer be.
  using Finish = std::function<void(const Status&)>;

  // Reads the log and starts the threads. FAILED_PRECONDITION when another engine has the directory
  // open or a newer build wrote it; DATA_LOSS when the log is damaged; the message names the file.
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options);
  // The same over a log and a clock of one's own; `clock` outlives the engine.
  static Result<std::unique_ptr<Engine>> OpenWith(EngineOptions options,
                                                  std::unique_ptr<EventLog> log,
                                                  const Clock& clock);

  // Stops.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Asks for something. Never blocks. When OK is returned, `callback` (which may be null) is called
  // exactly once. UNAVAILABLE, and no callback: INBOX_FULL, ENGINE_STOPPED or LOG_FAILED.
  // With a ClientToken `origin` makes a creating command safe to send again; other commands come
  // without one.
  Status Submit(Command command, Callback callback, Origin origin = {});

  struct Request {
    Command command;
    Callback callback;
    Origin origin = {};
  };
  // The same for many at once, which costs less and lets them share a commit: takes requests from
  // the front as long as there is room, and leaves the others in `requests`. OK when it took all.
  Status Submit(std::vector<Request>& requests);

  // Looks at the world between two turns, after all commands submitted before by this thread. The
  // look is on the engine's thread, must be short (no more than a page of anything) and must keep
  // no reference; it returns what is to be done with what was seen. view.h has ready-made looks.
  Status Read(std::function<Finish(const World&)> look);

  // Answers all that was submitted, writes the digest and closes the log. Waiting TakePushes are
  // answered with no pushes. Idempotent.
  void Stop();

  // Why the engine takes no more commands although it was not stopped; OK while it does.
  Status health() const;
  // Whether timers and pushes wait for ConfirmClock.
  bool clock_held() const;
  size_t inbox_size() const;

  // The log, for readers of history. Reading is thread-safe. Valid until the engine is destroyed.
  const EventLog& log() const;

 private:
  class Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace updraft
