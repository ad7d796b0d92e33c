#include "adapters/mqtt/hold_back.h"

#include <string>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

std::string Drain(HoldBack& held) {
  std::string out;
  while (!held.Ready().empty()) {
    out += held.Ready();
    held.Consume(held.Ready().size());
  }
  return out;
}

TEST_CASE("bytes wait for what they are tagged with") {
  HoldBack held;
  held.Add("a", 1, 0);
  held.Add("b", 2, 0);
  held.Add("c", 2, 0);
  held.Add("d", 3, 0);
  CHECK(Drain(held).empty());
  held.Release(2);
  CHECK(Drain(held) == "abc");
  CHECK(held.bytes() == 1);
  held.Release(3);
  CHECK(Drain(held) == "d");
  CHECK(held.bytes() == 0);
}

TEST_CASE("what is released already leaves at once, but never before what is not") {
  HoldBack held;
  held.Release(5);
  held.Add("a", 5, 0);
  CHECK(Drain(held) == "a");
  held.Add("b", 6, 0);
  held.Add("c", 6, 0);
  CHECK(Drain(held).empty());
  held.Release(4);
  CHECK(Drain(held).empty());
  held.Release(6);
  CHECK(Drain(held) == "bc");
}

TEST_CASE("a connection may take some of the bytes only") {
  HoldBack held;
  held.Add("abcdef", 0, 0);
  held.Consume(2);
  CHECK(held.Ready() == "cdef");
  held.Add("g", 0, 0);
  CHECK(Drain(held) == "cdefg");
}

TEST_CASE("how long bytes have been held is counted from the oldest that must wait") {
  HoldBack held;
  CHECK(held.HeldMs(1'000) == 0);
  held.Add("a", 1, 100);
  held.Add("b", 2, 300);
  CHECK(held.HeldMs(1'000) == 900);
  held.Release(1);
  CHECK(held.HeldMs(1'000) == 700);
  held.Release(2);
  CHECK(held.HeldMs(1'000) == 0);
}

TEST_CASE("bytes of a connection that is gone are forgotten") {
  HoldBack held;
  held.Add("abc", 0, 0);
  held.Consume(1);
  held.Add("d", 9, 0);
  held.Clear();
  CHECK(held.bytes() == 0);
  CHECK(held.HeldMs(1'000) == 0);
  held.Add("x", 9, 0);
  held.Release(9);
  CHECK(Drain(held) == "x");
}

}  // namespace
}  // namespace updraft
