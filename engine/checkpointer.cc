#include "engine/checkpointer.h"

#include <algorithm>
#include <chrono>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/clock.h"
#include "engine/recovery.h"

namespace updraft {
namespace {

// Whoever has something to do goes first.
void LowerPriority() {
  constexpr int kLowest = 19;
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kLowest);
}

}  // namespace

void Checkpointer::Start(Seq newest, const World& world) {
  SetNext(newest, CheckpointWorth(world));
  thread_ = std::thread([this] { Run(); });
}

void Checkpointer::SetNext(Seq newest, uint64_t worth) {
  std::lock_guard lock(mutex_);
  next_ = Seq(newest.value() + std::max(options_.every_events, worth));
}

void Checkpointer::Reached(Seq at) {
  std::lock_guard lock(mutex_);
  reached_ = at;
  if (reached_ >= next_) wake_.notify_one();
}

void Checkpointer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Checkpointer::Run() {
  LowerPriority();
  auto go_on = [this](Seq) {
    std::lock_guard lock(mutex_);
    return stopping_ ? Status(StatusCode::kAborted, "the engine stops") : OkStatus();
  };
  // Between two pieces, so that the log's fsyncs have the disk for most of the time.
  auto rest = [this] {
    constexpr auto kRest = std::chrono::milliseconds(10);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kRest, [this] { return stopping_; });
  };
  while (true) {
    Seq at;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || reached_ >= next_; });
      if (stopping_) return;
      at = reached_;
    }
    const int64_t begin_us = SystemClock().MonotonicUs();
    Result<uint64_t> made =
        MakeCheckpoint(log_, {.checkpoint_dir = options_.dir, .to = at, .progress = go_on}, rest);
    const int64_t took_us = SystemClock().MonotonicUs() - begin_us;
    if (!go_on(at).ok()) return;
    // What failed is tried again when another is due: trying at once would only fill a full disk.
    SetNext(at, made.ok() ? *made : 0);
    if (options_.on_checkpoint) options_.on_checkpoint(at, made.status(), took_us);
  }
}

}  // namespace updraft
