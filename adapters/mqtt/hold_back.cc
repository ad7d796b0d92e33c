#include "adapters/mqtt/hold_back.h"

#include <algorithm>

#include "events/base/assert.h"

namespace updraft {

void HoldBack::Add(std::string_view bytes, uint64_t tag, int64_t now_ms) {
  if (bytes.empty()) return;
  Assert(runs_.empty() || runs_.back().tag <= tag, "tags go up");
  bytes_ += bytes.size();
  // What is free to leave is joined whatever its tag was.
  if (!runs_.empty() && runs_.back().bytes.size() < kRunBytes &&
      (runs_.back().tag == tag || tag <= released_)) {
    runs_.back().bytes += bytes;
    runs_.back().tag = tag;
    return;
  }
  runs_.push_back({std::string(bytes), tag, now_ms});
}

void HoldBack::Release(uint64_t tag) { released_ = std::max(released_, tag); }

std::string_view HoldBack::Ready() const {
  if (runs_.empty() || runs_.front().tag > released_) return {};
  return std::string_view(runs_.front().bytes).substr(consumed_);
}

void HoldBack::Consume(size_t count) {
  Assert(count <= Ready().size(), "{} bytes cannot have left", count);
  bytes_ -= count;
  consumed_ += count;
  if (!runs_.empty() && consumed_ == runs_.front().bytes.size()) {
    runs_.pop_front();
    consumed_ = 0;
  }
}

int64_t HoldBack::HeldMs(int64_t now_ms) const {
  for (const Run& run : runs_) {
    if (run.tag > released_) return now_ms - run.since_ms;
  }
  return 0;
}

void HoldBack::Clear() {
  runs_.clear();
  consumed_ = 0;
  bytes_ = 0;
}

}  // namespace updraft
