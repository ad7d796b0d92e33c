#include "adapters/broker_plugin/rate_limits.h"

#include <catch2/catch.hpp>

namespace updraft {
namespace {

constexpr int64_t kNow = 1'000'000;

}  // namespace

TEST_CASE("a key is blocked by the last event it may have, and not before", "[limits]") {
  KeyLimiter limiter({.events_max = 3, .window_ms = 60'000, .block_ms = 10'000});
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(limiter.Blocked(7, kNow));
    limiter.Record(7, kNow);
  }
  CHECK(limiter.Blocked(7, kNow));
  CHECK_FALSE(limiter.Blocked(8, kNow));
}

TEST_CASE("a block lasts to the end of the window", "[limits]") {
  KeyLimiter limiter({.events_max = 1, .window_ms = 60'000, .block_ms = 0});
  limiter.Record(7, kNow);
  CHECK(limiter.Blocked(7, kNow + 59'999));
  CHECK_FALSE(limiter.Blocked(7, kNow + 60'000));
}

TEST_CASE("a block lasts its own time from the last event, if that is longer", "[limits]") {
  KeyLimiter limiter({.events_max = 2, .window_ms = 60'000, .block_ms = 60'000});
  limiter.Record(7, kNow);
  limiter.Record(7, kNow + 50'000);
  CHECK(limiter.Blocked(7, kNow + 109'999));
  CHECK_FALSE(limiter.Blocked(7, kNow + 110'000));
}

TEST_CASE("events of two windows do not add up", "[limits]") {
  KeyLimiter limiter({.events_max = 2, .window_ms = 60'000, .block_ms = 0});
  limiter.Record(7, kNow);
  limiter.Record(7, kNow + 60'000);
  CHECK_FALSE(limiter.Blocked(7, kNow + 60'000));
}

TEST_CASE("a limiter of 0 events blocks nothing", "[limits]") {
  KeyLimiter limiter({.events_max = 0});
  for (int i = 0; i < 1000; ++i) limiter.Record(7, kNow);
  CHECK_FALSE(limiter.Blocked(7, kNow));
}

TEST_CASE("a flood of keys does not take the place of a key that is blocked for longer",
          "[limits]") {
  KeyLimiter limiter({.events_max = 2, .window_ms = 60'000, .block_ms = 120'000});
  limiter.Record(7, kNow);
  limiter.Record(7, kNow);
  for (uint64_t key = 1000; key < 1000 + 4 * KeyLimiter::kKeys; ++key) limiter.Record(key, kNow);
  CHECK(limiter.Blocked(7, kNow));
}

TEST_CASE("a connection has its messages a second, by QoS", "[limits]") {
  MessageRate::Rule rule = {.qos0_per_second = 30, .qos1_per_second = 10};
  MessageRate rate;
  for (int i = 0; i < 30; ++i) CHECK(rate.Admit(rule, 0, kNow));
  CHECK_FALSE(rate.Admit(rule, 0, kNow));
  for (int i = 0; i < 5; ++i) CHECK(rate.Admit(rule, 1, kNow));
  for (int i = 0; i < 5; ++i) CHECK(rate.Admit(rule, 2, kNow));
  CHECK_FALSE(rate.Admit(rule, 1, kNow + 999));
  CHECK(rate.Admit(rule, 0, kNow + 1000));
  CHECK(rate.Admit(rule, 1, kNow + 1000));
}

TEST_CASE("a rate of 0 is no limit", "[limits]") {
  MessageRate rate;
  for (int i = 0; i < 1000; ++i) CHECK(rate.Admit({}, i % 2, kNow));
}

TEST_CASE("lines over the bound of their second are counted", "[limits]") {
  LineLimiter lines;
  for (uint32_t i = 0; i < LineLimiter::kLinesPerSecond; ++i) CHECK(lines.Admit(kNow));
  CHECK_FALSE(lines.Admit(kNow));
  CHECK_FALSE(lines.Admit(kNow + 999));
  CHECK(lines.Admit(kNow + 1000));
  CHECK(lines.TakeSuppressed() == 2);
  CHECK(lines.TakeSuppressed() == 0);
}

}  // namespace updraft
