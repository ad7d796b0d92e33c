#include "adapters/mqtt/mailbox.h"

#include <utility>

#include <sys/eventfd.h>

#include "events/base/assert.h"

namespace updraft {

Mailbox::Mailbox() : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  Assert(wake_.ok(), "the system has an eventfd left");
}

void Mailbox::Post(std::function<void()> work) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  if (work_.empty()) eventfd_write(wake_.get(), 1);
  work_.push_back(std::move(work));
}

void Mailbox::Run() {
  std::vector<std::function<void()>> work;
  {
    std::lock_guard lock(mutex_);
    if (work_.empty()) return;
    work.swap(work_);
    eventfd_t ignored;
    eventfd_read(wake_.get(), &ignored);
  }
  for (std::function<void()>& one : work) one();
}

void Mailbox::Close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  work_.clear();
}

}  // namespace updraft
