// The pushes that the broker may not have yet: at most a window of them, and what can be said of
// all before. The engine numbers pushes in rising order; the broker acknowledges in any.
//
// Times are milliseconds of a clock that does not go back. Thread-safety: none; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

#include "events/base/ids.h"

namespace updraft {

class PushWindow {
 public:
  // The watermark is told after so many acknowledgements or so long, whichever comes first: each
  // telling is an event in the log.
  static constexpr uint32_t kTellAfterPushes = 64;
  static constexpr int64_t kTellAfterMs = 50;

  // At least 1.
  explicit PushWindow(uint32_t size) : size_(size) {}

  // How many more may be taken now.
  uint32_t room() const { return size_ - static_cast<uint32_t>(open_.size()); }
  uint32_t open() const { return static_cast<uint32_t>(open_.size()); }

  // The push is on its way. REQUIRED: there is room.
  void Sent(PushNumber number);
  // The broker has it, or it can never be sent. A number that is not open changes nothing.
  void Done(PushNumber number, int64_t now_ms);

  // The highest number up to which all that were taken are done, when it is time to tell of it;
  // each is given once.
  std::optional<PushNumber> TakeWatermark(int64_t now_ms);
  // It could not be told: it is given again at the next time.
  void NotTold(int64_t now_ms);
  // When to ask again although nothing happened; nothing: never.
  std::optional<int64_t> NextTellMs() const { return tell_at_ms_; }

 private:
  uint64_t Watermark() const { return open_.empty() ? highest_ : *open_.begin() - 1; }

  uint32_t size_;
  std::set<uint64_t> open_;
  uint64_t highest_ = 0;  // Of all taken.
  uint64_t told_ = 0;
  uint64_t told_before_ = 0;
  uint32_t done_since_ = 0;
  std::optional<int64_t> tell_at_ms_;
};

}  // namespace updraft
