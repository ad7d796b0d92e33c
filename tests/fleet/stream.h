// A TCP connection to an IPv4 address that never blocks the loop.
// Thread-safety: the loop's thread. Lifetime: `user` outlives it; retire it with Loop::Retire.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "events/base/owned_fd.h"
#include "tests/fleet/loop.h"

namespace updraft {

class Stream : public Loop::Watcher {
 public:
  class User {
   public:
    virtual ~User() = default;
    virtual void OnBytes(std::string_view bytes) = 0;
    // It could not be made, or the other side ended it. Not called after Close().
    virtual void OnClosed() = 0;
  };

  Stream(Loop& loop, const std::string& ip, uint16_t port, User& user);
  ~Stream() override;

  // Waits for the connection where that is not made yet.
  void Send(std::string_view bytes);
  void PauseReading(bool pause);
  void Close();

  void OnReady(uint32_t epoll_events) override;

 private:
  void Flush();
  void Fail();
  void UpdateWatch();

  Loop& loop_;
  User& user_;
  OwnedFd fd_;
  uint64_t watch_ = 0;
  bool connecting_ = true;
  bool closed_ = false;  // Nobody wants to hear of it any more.
  bool paused_ = false;
  std::string unsent_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // Gone with this.
};

}  // namespace updraft
