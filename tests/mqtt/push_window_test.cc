#include "adapters/mqtt/push_window.h"

#include <catch2/catch.hpp>

namespace updraft {
namespace {

constexpr int64_t kLater = PushWindow::kTellAfterMs;

TEST_CASE("a window has room for its size and no more") {
  PushWindow window(2);
  CHECK(window.room() == 2);
  window.Sent(PushNumber(1));
  window.Sent(PushNumber(2));
  CHECK(window.room() == 0);
  window.Done(PushNumber(2), 0);
  CHECK(window.room() == 1);
}

TEST_CASE("the watermark is that of the oldest open push") {
  PushWindow window(10);
  for (uint64_t n : {5, 6, 7, 8}) window.Sent(PushNumber(n));
  window.Done(PushNumber(6), 0);
  window.Done(PushNumber(8), 0);
  CHECK(window.TakeWatermark(kLater) == PushNumber(4));
  window.Done(PushNumber(5), 100);
  CHECK(window.TakeWatermark(100 + kLater) == PushNumber(6));
  window.Done(PushNumber(7), 200);
  CHECK(window.TakeWatermark(200 + kLater) == PushNumber(8));
}

TEST_CASE("numbers that were never taken leave no hole") {
  PushWindow window(10);
  window.Sent(PushNumber(3));
  window.Sent(PushNumber(9));
  window.Done(PushNumber(3), 0);
  CHECK(window.TakeWatermark(kLater) == PushNumber(8));
}

TEST_CASE("the watermark is told after a time, or after so many") {
  PushWindow window(1'000);
  for (uint64_t n = 1; n <= 200; ++n) window.Sent(PushNumber(n));
  CHECK_FALSE(window.NextTellMs());
  window.Done(PushNumber(1), 1'000);
  CHECK(window.NextTellMs() == 1'000 + kLater);
  CHECK_FALSE(window.TakeWatermark(1'000 + kLater - 1));
  CHECK(window.TakeWatermark(1'000 + kLater) == PushNumber(1));
  CHECK_FALSE(window.NextTellMs());

  for (uint64_t n = 2; n <= PushWindow::kTellAfterPushes; ++n) window.Done(PushNumber(n), 2'000);
  CHECK_FALSE(window.TakeWatermark(2'000));
  window.Done(PushNumber(PushWindow::kTellAfterPushes + 1), 2'000);
  CHECK(window.TakeWatermark(2'000) == PushNumber(PushWindow::kTellAfterPushes + 1));
}

TEST_CASE("a watermark is told once, unless it could not be told") {
  PushWindow window(10);
  window.Sent(PushNumber(1));
  window.Done(PushNumber(1), 0);
  window.Done(PushNumber(1), 0);
  CHECK(window.TakeWatermark(kLater) == PushNumber(1));
  CHECK_FALSE(window.TakeWatermark(10 * kLater));
  window.NotTold(10 * kLater);
  CHECK_FALSE(window.TakeWatermark(10 * kLater));
  CHECK(window.TakeWatermark(11 * kLater) == PushNumber(1));
}

TEST_CASE("an acknowledgement of a push that is not open changes nothing") {
  PushWindow window(10);
  window.Done(PushNumber(7), 0);
  CHECK_FALSE(window.NextTellMs());
  CHECK_FALSE(window.TakeWatermark(kLater));
}

}  // namespace
}  // namespace updraft
