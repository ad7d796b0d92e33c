#include "tests/fleet/loop.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <sys/epoll.h>

#include "events/base/assert.h"

namespace updraft {

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) { Assert(epoll_.ok(), "epoll_create1 failed"); }

uint64_t Loop::Watch(int fd, uint32_t epoll_events, Watcher* watcher) {
  uint64_t id = next_id_++;
  epoll_event event = {.events = epoll_events, .data = {.u64 = id}};
  Assert(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0, "a descriptor cannot be watched");
  watchers_[id] = watcher;
  return id;
}

void Loop::Change(uint64_t id, int fd, uint32_t epoll_events) {
  epoll_event event = {.events = epoll_events, .data = {.u64 = id}};
  Assert(epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0, "a descriptor is not watched");
}

void Loop::Forget(uint64_t id, int fd) {
  if (watchers_.erase(id) > 0) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Loop::After(int64_t ms, std::function<void()> what) {
  timers_.emplace(NowMs() + ms, std::move(what));
}

void Loop::Retire(std::unique_ptr<Watcher> watcher) { retired_.push_back(std::move(watcher)); }

void Loop::RunUntil(const std::function<bool()>& done) {
  constexpr int64_t kWaitMsMax = 500;  // A signal between two looks is seen this late.
  std::array<epoll_event, 256> events;
  while (!done()) {
    int64_t wait_ms = kWaitMsMax;
    if (!timers_.empty()) {
      wait_ms = std::clamp<int64_t>(timers_.begin()->first - NowMs(), 0, kWaitMsMax);
    }
    int count = epoll_wait(epoll_.get(), events.data(), events.size(), static_cast<int>(wait_ms));
    for (int i = 0; i < count; ++i) {
      // Forgotten meanwhile by the one before: then the event is of nobody.
      auto it = watchers_.find(events[i].data.u64);
      if (it != watchers_.end()) it->second->OnReady(events[i].events);
    }
    FireTimers();
    retired_.clear();
  }
}

void Loop::FireTimers() {
  int64_t now_ms = NowMs();
  while (!timers_.empty() && timers_.begin()->first <= now_ms) {
    auto what = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    what();
  }
}

int64_t Loop::NowMs() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace updraft
