// One epoll loop with timers: all connections of a fleet live on its thread.
//
// Thread-safety: none but Stop(), which a signal handler may call. Lifetime: a watcher may be
// retired from within any callback; it is destroyed when nothing of it is on the stack.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "events/base/owned_fd.h"

namespace updraft {

class Loop {
 public:
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void OnReady(uint32_t epoll_events) = 0;
  };

  Loop();

  // Calls `watcher` when `fd` is ready for `epoll_events`. Returns what to call the two others
  // with.
  uint64_t Watch(int fd, uint32_t epoll_events, Watcher* watcher);
  void Change(uint64_t id, int fd, uint32_t epoll_events);
  // Before the descriptor is closed.
  void Forget(uint64_t id, int fd);

  // Calls `what` once, `ms` milliseconds from now at the earliest.
  void After(int64_t ms, std::function<void()> what);
  // Destroys `watcher` between two callbacks.
  void Retire(std::unique_ptr<Watcher> watcher);

  // Until `done` says so; it is asked before every turn.
  void RunUntil(const std::function<bool()>& done);
  void Stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

  static int64_t NowMs();  // Of a clock that never goes back.

 private:
  void FireTimers();

  OwnedFd epoll_;
  uint64_t next_id_ = 1;
  absl::flat_hash_map<uint64_t, Watcher*> watchers_;
  std::multimap<int64_t, std::function<void()>> timers_;
  std::vector<std::unique_ptr<Watcher>> retired_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace updraft
