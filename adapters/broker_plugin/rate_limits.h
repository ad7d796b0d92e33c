// How often who may do what. Times are milliseconds of any clock that does not go back.
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace updraft {

// Blocks a key once `events_max` events of it fall in one window, until the window is over and
// `block_ms` have passed since. Windows begin with a key's first event. With `events_max` 0 nothing
// is ever blocked.
//
// Remembers a bounded number of keys: when room is short, the one that would be let through soonest
// is forgotten, so that a flood of keys can free a key early but cannot take memory.
class KeyLimiter {
 public:
  struct Rule {
    uint32_t events_max = 0;
    int64_t window_ms = 60'000;
    int64_t block_ms = 0;
  };
  static constexpr size_t kKeys = 1 << 16;

  explicit KeyLimiter(const Rule& rule);

  bool Blocked(uint64_t key, int64_t now_ms) const;
  void Record(uint64_t key, int64_t now_ms);

 private:
  struct Entry {
    uint64_t key = 0;
    int64_t until_ms = 0;  // The end of its window or block; the entry is free from then on.
    uint32_t events = 0;
  };
  static constexpr size_t kWays = 8;  // A key lies in one of so many neighbours.

  static size_t FirstWay(uint64_t key) { return key % (kKeys / kWays) * kWays; }

  Rule rule_;
  std::vector<Entry> entries_;
};

// Counts a connection's messages by the second of the clock.
class MessageRate {
 public:
  struct Rule {
    uint32_t qos0_per_second = 0;  // 0 is no limit.
    uint32_t qos1_per_second = 0;  // QoS 2 too.
  };

  // Counts the message and tells whether it is within the rule.
  bool Admit(const Rule& rule, int qos, int64_t now_ms);

 private:
  int64_t second_ = -1;
  uint32_t qos0_ = 0;
  uint32_t qos1_ = 0;
};

// Lets a bounded number of lines a second through.
class LineLimiter {
 public:
  static constexpr uint32_t kLinesPerSecond = 20;

  bool Admit(int64_t now_ms);
  // The lines refused since the last call.
  uint64_t TakeSuppressed();

 private:
  int64_t second_ = -1;
  uint32_t lines_ = 0;
  uint64_t suppressed_ = 0;
};

}  // namespace updraft
