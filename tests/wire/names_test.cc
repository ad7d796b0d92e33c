#include "adapters/wire/names.h"

#include <string>

#include <catch2/catch.hpp>

namespace updraft {

TEST_CASE("a name from the wire cannot reach beyond its topic level", "[names]") {
  for (std::string good : {"a", "PK", "dev-01", "a:b@c.d", "\xE8\xAE\xBE\xE5\xA4\x87"}) {
    CAPTURE(good);
    CHECK(IsWireName(good));
  }
  for (std::string bad : {"", "a/b", "+", "#", "a+", "a#", "a\nb", "a\x7F"}) {
    CAPTURE(bad);
    CHECK_FALSE(IsWireName(bad));
  }
  CHECK_FALSE(IsWireName(std::string_view("a\0b", 3)));
  CHECK(IsWireName(std::string(kWireNameMaxBytes, 'n')));
  CHECK_FALSE(IsWireName(std::string(kWireNameMaxBytes + 1, 'n')));
}

TEST_CASE("a new device's name has 4 to 32 letters, digits and a few signs", "[names]") {
  CHECK(IsValidDeviceName("dev1"));
  CHECK(IsValidDeviceName("aZ09-_@.:"));
  CHECK(IsValidDeviceName(std::string(32, 'd')));
  CHECK_FALSE(IsValidDeviceName("dev"));
  CHECK_FALSE(IsValidDeviceName(std::string(33, 'd')));
  for (std::string bad : {"de v1", "dev&1", "dev/1", "dev#1", "dev+1", "dev|1", "dev\xC3\xA9"}) {
    CAPTURE(bad);
    CHECK_FALSE(IsValidDeviceName(bad));
  }
}

TEST_CASE("a new product's key has 1 to 32 letters and digits", "[names]") {
  CHECK(IsValidProductKey("a1TESTpk001"));
  CHECK(IsValidProductKey(std::string(32, 'k')));
  CHECK_FALSE(IsValidProductKey(""));
  CHECK_FALSE(IsValidProductKey(std::string(33, 'k')));
  CHECK_FALSE(IsValidProductKey("a-b"));
  CHECK_FALSE(IsValidProductKey("a&b"));
}

}  // namespace updraft
