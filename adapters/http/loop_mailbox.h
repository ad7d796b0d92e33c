// The way onto the event loop's thread for every other thread. kj's objects belong to their loop
// and have no locks; what another thread wants done to them it posts here.
//
// Not bounded by itself: each poster is (one answer a request, one wake-up a feed, one result a
// worker's job), and so is their sum by the number of connections.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <kj/async-unix.h>
#include <kj/function.h>

namespace updraft {

class LoopMailbox {
 public:
  LoopMailbox();

  // Runs `task` on the loop's thread, after those posted before it. Any thread. False when the
  // mailbox is closed: the task is dropped without having run, by the caller's thread.
  bool Post(kj::Function<void()> task);

  // Runs what is posted, for ever. On the loop's thread; once.
  kj::Promise<void> RunTasks(kj::UnixEventPort& port);

  // Nothing runs from now on. On the loop's thread, when all that tasks could touch is gone.
  void Close();

 private:
  kj::Promise<void> RunNext();

  kj::AutoCloseFd wake_;  // An eventfd: readable while there may be tasks.
  kj::Own<kj::UnixEventPort::FdObserver> observer_;

  std::mutex mutex_;
  std::vector<kj::Function<void()>> tasks_;  // Guarded by mutex_.
  bool closed_ = false;                      // Guarded by mutex_.
};

// The half of a kj promise that other threads may hold. The first Fulfill() counts; when the object
// goes without one, the promise is rejected.
template <class T>
class RemoteFulfiller {
 public:
  RemoteFulfiller(std::shared_ptr<LoopMailbox> mailbox, kj::Own<kj::PromiseFulfiller<T>> fulfiller)
      : mailbox_(std::move(mailbox)), fulfiller_(kj::mv(fulfiller)) {}

  ~RemoteFulfiller() {
    // A fulfiller shares memory with its promise, so it is destroyed on the promise's thread.
    if (auto fulfiller = Take(); fulfiller.get() != nullptr) {
      mailbox_->Post([f = kj::mv(fulfiller)]() {});
    }
  }

  void Fulfill(T value) {
    if (auto fulfiller = Take(); fulfiller.get() != nullptr) {
      mailbox_->Post(
          [f = kj::mv(fulfiller), v = std::move(value)]() mutable { f->fulfill(kj::mv(v)); });
    }
  }

 private:
  kj::Own<kj::PromiseFulfiller<T>> Take() {
    std::lock_guard lock(mutex_);
    return kj::mv(fulfiller_);
  }

  std::shared_ptr<LoopMailbox> mailbox_;
  std::mutex mutex_;
  kj::Own<kj::PromiseFulfiller<T>> fulfiller_;  // Guarded by mutex_.
};

template <class T>
struct RemotePromise {
  kj::Promise<T> promise;
  std::shared_ptr<RemoteFulfiller<T>> fulfiller;
};

// On the loop's thread.
template <class T>
RemotePromise<T> NewRemotePromise(const std::shared_ptr<LoopMailbox>& mailbox) {
  auto pair = kj::newPromiseAndFulfiller<T>();
  return {kj::mv(pair.promise),
          std::make_shared<RemoteFulfiller<T>>(mailbox, kj::mv(pair.fulfiller))};
}

}  // namespace updraft
