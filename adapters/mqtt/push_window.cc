#include "adapters/mqtt/push_window.h"

#include <algorithm>

#include "events/base/assert.h"

namespace updraft {

void PushWindow::Sent(PushNumber number) {
  Assert(room() > 0, "push {} is over the window of {}", number.value(), size_);
  open_.insert(number.value());
  highest_ = std::max(highest_, number.value());
}

void PushWindow::Done(PushNumber number, int64_t now_ms) {
  if (open_.erase(number.value()) == 0) return;
  ++done_since_;
  if (!tell_at_ms_) tell_at_ms_ = now_ms + kTellAfterMs;
}

std::optional<PushNumber> PushWindow::TakeWatermark(int64_t now_ms) {
  if (!tell_at_ms_) return std::nullopt;
  if (now_ms < *tell_at_ms_ && done_since_ < kTellAfterPushes) return std::nullopt;
  tell_at_ms_.reset();
  done_since_ = 0;
  // While the oldest push is open there is nothing to tell; its own end asks again.
  if (Watermark() <= told_) return std::nullopt;
  told_before_ = told_;
  told_ = Watermark();
  return PushNumber(told_);
}

void PushWindow::NotTold(int64_t now_ms) {
  told_ = told_before_;
  tell_at_ms_ = now_ms + kTellAfterMs;
}

}  // namespace updraft
