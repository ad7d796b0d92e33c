#include "events/log/side_keys.h"

#include <catch2/catch.hpp>

namespace updraft {

TEST_CASE("the sidecar's keys are these bytes for ever", "[log]") {
  using namespace std::string_literals;
  CHECK(SideKeyOfDevice(DeviceId(0x01020304)) == "d\x01\x02\x03\x04"s);
  CHECK(SideKeyOfProduct(ProductId(5)) == "p\0\0\0\x05"s);
  CHECK(SideKeyOfKey(KeyId(0xFFFFFFFF)) == "k\xFF\xFF\xFF\xFF"s);
  CHECK(SideKeyOfText(DeviceId(1), Seq(0x0102030405060708)) ==
        "t\0\0\0\x01\x01\x02\x03\x04\x05\x06\x07\x08"s);
}

TEST_CASE("a device's key names the device, other keys name none", "[log]") {
  const std::string device = SideKeyOfDevice(DeviceId(0xA1B2C3D4));
  CHECK(DeviceOfSideKey(device) == DeviceId(0xA1B2C3D4));
  for (const std::string& key :
       {std::string(), std::string("d"), device.substr(0, 4), device + "x", "x" + device.substr(1),
        SideKeyOfProduct(ProductId(7)), SideKeyOfKey(KeyId(7)), SideKeyOfText(DeviceId(7), {}),
        SideKeyOfText(DeviceId(7), Seq(7))}) {
    CHECK(DeviceOfSideKey(key) == DeviceId());
  }
}

TEST_CASE("the texts of one device have one prefix and are in the order of events", "[log]") {
  const std::string prefix = SideKeyOfText(DeviceId(1), {});
  CHECK(SideKeyOfText(DeviceId(1), Seq(255)).starts_with(prefix));
  CHECK(SideKeyOfText(DeviceId(1), Seq(255)) < SideKeyOfText(DeviceId(1), Seq(256)));
  CHECK_FALSE(SideKeyOfText(DeviceId(0x0100), Seq(1)).starts_with(prefix));
}

}  // namespace updraft
