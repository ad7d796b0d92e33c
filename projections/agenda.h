// What is to be done, and when: worked out from the records, never saved.
//
// Timers are kept in a heap ordered by (due, kind, id). A timer is not taken out when its record
// changes its mind; it is looked at again when it comes up (World::IsLive).
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <functional>
#include <vector>

#include <absl/container/btree_set.h>

#include "events/base/ids.h"

namespace updraft {

enum class TimerKind : uint32_t {
  kBatchStart,
  kBatchEnd,
  kTaskTimeout,
  kRetryDue,
  kDeviceSettles,
};

struct Timer {
  int64_t due_ms = 0;
  TimerKind kind = TimerKind::kBatchStart;
  uint32_t id = 0;

  friend auto operator<=>(const Timer&, const Timer&) = default;
};

class Timers {
 public:
  void Arm(Timer timer) {
    heap_.push_back(timer);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }
  bool empty() const { return heap_.empty(); }
  const Timer& top() const { return heap_.front(); }
  void Pop() {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
  }

 private:
  std::vector<Timer> heap_;
};

struct Agenda {
  Timers timers;
  absl::btree_set<BatchId> with_ready;  // Batches that have tasks ready to be pushed.
  absl::btree_set<BatchId> at_work;     // Batches that walk or sweep.
};

}  // namespace updraft
