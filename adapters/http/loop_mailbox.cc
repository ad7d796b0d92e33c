#include "adapters/http/loop_mailbox.h"

#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "events/base/assert.h"

namespace updraft {

LoopMailbox::LoopMailbox() : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  Assert(wake_.get() >= 0, "the system gives an eventfd");
}

bool LoopMailbox::Post(kj::Function<void()> task) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  tasks_.push_back(kj::mv(task));
  if (tasks_.size() == 1) eventfd_write(wake_, 1);
  return true;
}

kj::Promise<void> LoopMailbox::RunTasks(kj::UnixEventPort& port) {
  observer_ = kj::heap<kj::UnixEventPort::FdObserver>(port, wake_,
                                                      kj::UnixEventPort::FdObserver::OBSERVE_READ);
  return RunNext();
}

kj::Promise<void> LoopMailbox::RunNext() {
  return observer_->whenBecomesReadable().then([this]() {
    eventfd_t count;
    eventfd_read(wake_, &count);
    std::vector<kj::Function<void()>> tasks;
    {
      std::lock_guard lock(mutex_);
      tasks.swap(tasks_);
    }
    for (auto& task : tasks) task();
    return RunNext();
  });
}

void LoopMailbox::Close() {
  std::vector<kj::Function<void()>> dropped;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(tasks_);
  }
  observer_ = nullptr;
}

}  // namespace updraft
