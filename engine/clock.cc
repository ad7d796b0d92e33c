#include "engine/clock.h"

#include <algorithm>
#include <limits>

#include <time.h>

namespace updraft {
namespace {

int64_t Read(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

class System : public Clock {
 public:
  int64_t WallUs() const override { return Read(CLOCK_REALTIME); }
  int64_t MonotonicUs() const override { return Read(CLOCK_MONOTONIC); }
};

}  // namespace

const Clock& SystemClock() {
  static const System clock;
  return clock;
}

LogTime::LogTime(int64_t last_commit_ms, int64_t wall_us, int64_t monotonic_us)
    : now_us_(std::max(last_commit_ms * 1'000, wall_us)), monotonic_us_(monotonic_us) {}

int64_t LogTime::Advance(int64_t wall_us, int64_t monotonic_us) {
  int64_t elapsed = monotonic_us - monotonic_us_;
  int64_t slew = elapsed / kSlew;
  int64_t error = wall_us - (now_us_ + elapsed);
  now_us_ += elapsed + std::clamp(error, -slew, slew);
  monotonic_us_ = monotonic_us;
  return now_us_ / 1'000;
}

int64_t LogTime::UntilUs(int64_t due_ms) const {
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  // The far future, which a caller takes for never, is beyond what microseconds can count.
  if (due_ms > kNever / 1'000) return kNever;
  return std::max<int64_t>(0, due_ms * 1'000 - now_us_);
}

}  // namespace updraft
