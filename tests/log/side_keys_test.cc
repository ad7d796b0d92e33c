#include "events/log/side_keys.h"

#include <vector>

#include <catch2/catch.hpp>

namespace updraft {

TEST_CASE("the sidecar's keys are these bytes for ever", "[log]") {
  using namespace std::string_literals;
  CHECK(DeviceSideKey(DeviceId(0x01020304)) == "d\x01\x02\x03\x04"s);
  CHECK(ProductSecretSideKey(ProductId(5)) == "p\0\0\0\x05"s);
  CHECK(AccessKeySideKey(KeyId(0xFFFFFFFF)) == "k\xFF\xFF\xFF\xFF"s);
  CHECK(DeviceTextSideKey(DeviceId(1), Seq(0x0102030405060708)) ==
        "t\0\0\0\x01\x01\x02\x03\x04\x05\x06\x07\x08"s);
}

TEST_CASE("a key is taken apart into what it was made of", "[log]") {
  CHECK(ParseSideKey(DeviceSideKey(DeviceId(7))) == SideKey{SideKind::kDevice, 7, Seq()});
  CHECK(ParseSideKey(ProductSecretSideKey(ProductId(7))) ==
        SideKey{SideKind::kProductSecret, 7, Seq()});
  CHECK(ParseSideKey(AccessKeySideKey(KeyId(7))) == SideKey{SideKind::kAccessKeySecret, 7, Seq()});
  CHECK(ParseSideKey(DeviceTextSideKey(DeviceId(7), Seq(1ull << 40))) ==
        SideKey{SideKind::kDeviceText, 7, Seq(1ull << 40)});
}

TEST_CASE("what is no key is none", "[log]") {
  const std::string device = DeviceSideKey(DeviceId(7));
  const std::string text = DeviceTextSideKey(DeviceId(7), Seq(1));
  for (const std::string& key : {std::string(), std::string("d"), device.substr(0, 4), device + "x",
                                 text.substr(0, 12), text + "x", "x" + device.substr(1)}) {
    CHECK_FALSE(ParseSideKey(key).has_value());
  }
}

TEST_CASE("the texts of one device have one prefix and are in the order of events", "[log]") {
  const std::string prefix = DeviceTextsPrefix(DeviceId(1));
  CHECK(DeviceTextSideKey(DeviceId(1), Seq(255)).starts_with(prefix));
  CHECK(DeviceTextSideKey(DeviceId(1), Seq(255)) < DeviceTextSideKey(DeviceId(1), Seq(256)));
  CHECK_FALSE(DeviceTextSideKey(DeviceId(0x0100), Seq(1)).starts_with(prefix));
}

}  // namespace updraft
