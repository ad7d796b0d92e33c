// The two clocks of the machine, and the log's time that is made of them. Only clock.cc reads a
// clock; simulations bring their own.
#pragma once

#include <cstdint>

namespace updraft {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t WallUs() const = 0;       // Microseconds since 1970 UTC; may jump.
  virtual int64_t MonotonicUs() const = 0;  // From any origin; never stops or goes back.
};

// The machine's. Thread-safe.
const Clock& SystemClock();

// The log's time: goes on with the monotonic clock, and is drawn towards the wall clock by at most
// one part in kSlew, so that within a run it never stops, jumps or goes back, whatever the wall
// clock does. At the start it is the later of the wall clock and the log's last commit.
//
// Thread-safety: none.
class LogTime {
 public:
  static constexpr int64_t kSlew = 20;

  LogTime(int64_t last_commit_ms, int64_t wall_us, int64_t monotonic_us);

  // REQUIRED: monotonic_us is not below that of the call before. Milliseconds since 1970.
  int64_t Advance(int64_t wall_us, int64_t monotonic_us);
  // How long, by the monotonic clock, until the log's time is `due_ms` at the latest.
  int64_t UntilUs(int64_t due_ms) const;

 private:
  int64_t now_us_;
  int64_t monotonic_us_;
};

}  // namespace updraft
