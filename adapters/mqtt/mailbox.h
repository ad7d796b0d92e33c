// Work for a thread that waits in poll(), posted by others.
//
// Thread-safety: Post from any thread, the rest from the owner's. What is posted after Close, or
// not run before it, is destroyed unrun.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "events/base/owned_fd.h"

namespace updraft {

class Mailbox {
 public:
  Mailbox();

  void Post(std::function<void()> work);
  // Readable while there is work.
  int fd() const { return wake_.get(); }
  // Runs what is there, in order.
  void Run();
  void Close();

 private:
  const OwnedFd wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> work_;  // Guarded by mutex_.
  bool closed_ = false;                      // Guarded by mutex_.
};

}  // namespace updraft
