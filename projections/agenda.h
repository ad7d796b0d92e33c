// What is to be done, and when: worked out from the records, never saved.
//
// Timers come up in the order of (due, kind, id). A timer is not taken out when its record changes
// its mind; it is looked at again when it comes up (World::IsLive). Those of the next seconds lie
// in a heap; the others, of which there is one for each device that upgrades, in six bytes by the
// span of time in which they are due.
//
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <vector>

#include <absl/container/btree_map.h>
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
    if (near_.empty() || SpanOf(timer) <= SpanOf(near_.front())) return ArmNear(timer);
    std::vector<Far>& span = far_[SpanOf(timer)];
    // There may be millions: room is made by a quarter, not by as much again.
    if (span.size() == span.capacity()) span.reserve(span.size() + span.size() / 4 + 8);
    span.push_back(PackFar(timer));
  }
  bool empty() const { return near_.empty(); }
  const Timer& top() const { return near_.front(); }
  void Pop() {
    std::pop_heap(near_.begin(), near_.end(), std::greater<>());
    near_.pop_back();
    while (!far_.empty() && (near_.empty() || far_.begin()->first <= SpanOf(near_.front()))) {
      for (const Far& far : far_.begin()->second) ArmNear(Unpack(far_.begin()->first, far));
      far_.erase(far_.begin());
    }
  }

 private:
  static constexpr int kSpanBits = 12;  // About four seconds.

  // Of its span: the id, and the time within the span and the kind.
  struct Far {
    std::array<uint16_t, 3> parts;
  };

  static int64_t SpanOf(const Timer& timer) { return timer.due_ms >> kSpanBits; }
  static Far PackFar(const Timer& timer) {
    const auto within = static_cast<uint32_t>(timer.due_ms & ((1 << kSpanBits) - 1));
    return {{static_cast<uint16_t>(timer.id), static_cast<uint16_t>(timer.id >> 16),
             static_cast<uint16_t>(within | static_cast<uint32_t>(timer.kind) << kSpanBits)}};
  }
  static Timer Unpack(int64_t span, const Far& far) {
    const uint16_t last = far.parts[2];
    return {span << kSpanBits | (last & ((1 << kSpanBits) - 1)),
            static_cast<TimerKind>(last >> kSpanBits),
            far.parts[0] | static_cast<uint32_t>(far.parts[1]) << 16};
  }
  void ArmNear(const Timer& timer) {
    near_.push_back(timer);
    std::push_heap(near_.begin(), near_.end(), std::greater<>());
  }

  std::vector<Timer> near_;                         // A heap.
  absl::btree_map<int64_t, std::vector<Far>> far_;  // All of later spans than the heap's first.
};

struct Agenda {
  Timers timers;
  absl::btree_set<BatchId> with_ready;  // Batches that have tasks ready to be pushed.
  absl::btree_set<BatchId> at_work;     // Batches that walk or sweep.
};

}  // namespace updraft
