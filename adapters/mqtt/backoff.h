// How long to wait before the next try: twice as long after each failure, up to a bound, and spread
// at random over the upper half, so that clients that failed together do not come back together.
//
// Units: milliseconds. Thread-safety: none; pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace updraft {

class Backoff {
 public:
  static constexpr int64_t kFirstMs = 250;
  static constexpr int64_t kMaxMs = 30'000;

  explicit Backoff(uint64_t seed) : random_(seed) {}

  // The wait after one more failure.
  int64_t NextMs() {
    int64_t wait = std::min(kMaxMs, kFirstMs << std::min(failures_++, 16u));
    return wait / 2 + static_cast<int64_t>(Random() % static_cast<uint64_t>(wait / 2 + 1));
  }
  void Succeeded() { failures_ = 0; }

 private:
  // SplitMix64: any seed will do, 0 too.
  uint64_t Random() {
    uint64_t z = random_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }

  uint64_t random_;
  uint32_t failures_ = 0;
};

}  // namespace updraft
