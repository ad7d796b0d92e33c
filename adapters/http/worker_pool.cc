#include "adapters/http/worker_pool.h"

#include <utility>

namespace updraft {

WorkerPool::WorkerPool(size_t threads) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { WorkUntilStopped(); });
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::Run(kj::Function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(kj::mv(work));
  }
  changed_.notify_one();
}

void WorkerPool::WorkUntilStopped() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    {
      kj::Function<void()> work = kj::mv(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
    }
    lock.lock();
  }
}

}  // namespace updraft
