// Simulated time and chance. All that happens in a simulation is a callback at a point of its time,
// and all that is left to chance comes from numbers that depend on the seed alone.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "engine/clock.h"

namespace updraft::simulation {

inline constexpr int64_t kMsUs = 1'000;
inline constexpr int64_t kSecondUs = 1'000 * kMsUs;
inline constexpr int64_t kMinuteUs = 60 * kSecondUs;
inline constexpr int64_t kHourUs = 60 * kMinuteUs;

// splitmix64: small, good enough, and the same on every machine.
class Random {
 public:
  // Seeds that are neighbours give sequences that have nothing in common.
  explicit Random(uint64_t seed) : state_(seed) { state_ = Next(); }

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // From 0 to below `below`.
  uint64_t Draw(uint64_t below) { return below == 0 ? 0 : Next() % below; }
  int Int(int from, int to) {
    return from + static_cast<int>(Draw(static_cast<uint64_t>(to - from + 1)));
  }
  bool Percent(uint32_t percent) { return Draw(100) < percent; }
  bool OneIn(uint32_t n) { return Draw(n) == 0; }
  int64_t Between(int64_t from, int64_t to) {
    return from + static_cast<int64_t>(Draw(static_cast<uint64_t>(to - from + 1)));
  }
  // Mostly near `from`, seldom near `to`.
  int64_t Skewed(int64_t from, int64_t to) {
    return Between(from, from + Between(0, Between(0, to - from)));
  }
  template <class T, size_t N>
  const T& Of(const T (&list)[N]) {
    return list[Draw(N)];
  }

 private:
  uint64_t state_;
};

// The machine's clocks. The monotonic one is the simulation's time; the wall clock may be stepped.
class SimulatedClock final : public Clock {
 public:
  // 2026-01-01T00:00:00Z, a time like any other.
  static constexpr int64_t kStartUs = 1'767'225'600'000'000;

  int64_t WallUs() const override { return kStartUs + now_us_ + offset_us_; }
  int64_t MonotonicUs() const override { return now_us_; }

  void Set(int64_t now_us) { now_us_ = now_us; }
  void Step(int64_t by_us) { offset_us_ += by_us; }

 private:
  int64_t now_us_ = 0;
  int64_t offset_us_ = 0;
};

class Schedule {
 public:
  int64_t now_us() const { return clock_.MonotonicUs(); }
  SimulatedClock& clock() { return clock_; }

  // Calls `what` after so long. What falls on the same time happens in the order it was asked for.
  void After(int64_t us, std::function<void()> what) { At(now_us() + us, std::move(what)); }
  void At(int64_t at_us, std::function<void()> what) {
    queue_.emplace(std::pair(std::max(at_us, now_us()), next_++), std::move(what));
  }

  // Lets time pass up to then, or until `stop` says so.
  template <class Stop>
  void RunUntil(int64_t until_us, Stop stop) {
    while (!stop() && !queue_.empty() && queue_.begin()->first.first <= until_us) {
      auto first = queue_.extract(queue_.begin());
      clock_.Set(first.key().first);
      ++steps_;
      first.mapped()();
    }
    if (!stop()) clock_.Set(std::max(until_us, now_us()));
  }

  uint64_t steps() const { return steps_; }

 private:
  SimulatedClock clock_;
  std::map<std::pair<int64_t, uint64_t>, std::function<void()>> queue_;
  uint64_t next_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace updraft::simulation
