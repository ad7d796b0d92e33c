// Threads for what may block: disks and long digests. The event loop hands work over and goes on
// with its other connections.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "adapters/http/loop_mailbox.h"

namespace updraft {

class WorkerPool {
 public:
  explicit WorkerPool(size_t threads);
  ~WorkerPool();  // After what was queued has run.

  // Any thread. Work is begun in order; two pieces may run at once.
  void Run(kj::Function<void()> work);

 private:
  void WorkUntilStopped();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<kj::Function<void()>> queue_;  // Guarded by mutex_.
  bool stopping_ = false;                   // Guarded by mutex_.
  std::vector<std::thread> threads_;
};

// What handlers use of the loop they run on.
struct Loop {
  kj::Timer& timer;
  std::shared_ptr<LoopMailbox> mailbox;
  WorkerPool& workers;
};

// Runs `work` on a worker and brings its result back to the loop. Dropping the promise does not
// stop the work, so `work` owns all that it uses.
template <class Work>
auto RunBlocking(Loop& loop, Work work) -> kj::Promise<std::invoke_result_t<Work>> {
  auto result = NewRemotePromise<std::invoke_result_t<Work>>(loop.mailbox);
  loop.workers.Run([work = std::move(work), fulfiller = std::move(result.fulfiller)]() mutable {
    fulfiller->Fulfill(work());
  });
  return kj::mv(result.promise);
}

}  // namespace updraft
