#include "adapters/broker_plugin/rate_limits.h"

#include <algorithm>
#include <utility>

namespace updraft {

KeyLimiter::KeyLimiter(const Rule& rule)
    : rule_(rule), entries_(rule.events_max == 0 ? 0 : kKeys) {}

bool KeyLimiter::Blocked(uint64_t key, int64_t now_ms) const {
  if (rule_.events_max == 0) return false;
  const Entry* first = &entries_[FirstWay(key)];
  return std::any_of(first, first + kWays, [&](const Entry& entry) {
    return entry.key == key && entry.until_ms > now_ms && entry.events >= rule_.events_max;
  });
}

void KeyLimiter::Record(uint64_t key, int64_t now_ms) {
  if (rule_.events_max == 0) return;
  Entry* first = &entries_[FirstWay(key)];
  Entry* entry = std::find_if(first, first + kWays, [&](const Entry& known) {
    return known.key == key && known.until_ms > now_ms;
  });
  if (entry == first + kWays) {
    entry = std::min_element(first, first + kWays, [](const Entry& a, const Entry& b) {
      return a.until_ms < b.until_ms;
    });
    *entry = {.key = key, .until_ms = now_ms + rule_.window_ms, .events = 0};
  }
  if (++entry->events == rule_.events_max) {
    entry->until_ms = std::max(entry->until_ms, now_ms + rule_.block_ms);
  }
}

bool MessageRate::Admit(const Rule& rule, int qos, int64_t now_ms) {
  if (int64_t second = now_ms / 1000; second != second_) {
    second_ = second;
    qos0_ = 0;
    qos1_ = 0;
  }
  const uint32_t max = qos == 0 ? rule.qos0_per_second : rule.qos1_per_second;
  const uint32_t count = qos == 0 ? ++qos0_ : ++qos1_;
  return max == 0 || count <= max;
}

bool LineLimiter::Admit(int64_t now_ms) {
  if (int64_t second = now_ms / 1000; second != second_) {
    second_ = second;
    lines_ = 0;
  }
  if (lines_ < kLinesPerSecond) {
    ++lines_;
    return true;
  }
  ++suppressed_;
  return false;
}

uint64_t LineLimiter::TakeSuppressed() { return std::exchange(suppressed_, 0); }

}  // namespace updraft
