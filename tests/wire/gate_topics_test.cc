#include "adapters/wire/gate_topics.h"

#include <catch2/catch.hpp>

namespace updraft {

TEST_CASE("what a device says goes up under its kind and name", "[gate]") {
  auto [kind, topic] = GENERATE(table<UplinkKind, std::string>({
      {UplinkKind::kInform, "updraft/up/inform/pk/dn"},
      {UplinkKind::kProgress, "updraft/up/progress/pk/dn"},
      {UplinkKind::kFirmwareGet, "updraft/up/get/pk/dn"},
      {UplinkKind::kLegacyRequest, "updraft/up/request/pk/dn"},
      {UplinkKind::kFileDownload, "updraft/up/download/pk/dn"},
      {UplinkKind::kConfigGet, "updraft/up/config/pk/dn"},
  }));
  CHECK(GateUpTopic({kind, "pk", "dn"}) == topic);
  std::optional<UplinkTopic> parsed = ParseGateUpTopic(topic);
  REQUIRE(parsed);
  CHECK(parsed->kind == kind);
  CHECK(parsed->product_key == "pk");
  CHECK(parsed->device_name == "dn");
}

TEST_CASE("other topics are no way up", "[gate]") {
  for (const char* topic :
       {"", "updraft/up", "updraft/up/", "updraft/up/inform", "updraft/up/inform/pk",
        "updraft/up/inform/pk/", "updraft/up/inform//dn", "updraft/up/inform/pk/dn/more",
        "updraft/up/else/pk/dn", "updraft/up//pk/dn", "/updraft/up/inform/pk/dn"}) {
    CAPTURE(topic);
    CHECK_FALSE(ParseGateUpTopic(topic));
  }
}

TEST_CASE("the way down names the device and the topic it hears", "[gate]") {
  std::string topic = MakeGateDownTopic({"pk", "dn", "/ota/device/upgrade/pk/dn"});
  CHECK(topic == "updraft/down/pk/dn/ota/device/upgrade/pk/dn");
  std::optional<GateDownTopic> parsed = ParseGateDownTopic(topic);
  REQUIRE(parsed);
  CHECK(parsed->product_key == "pk");
  CHECK(parsed->device_name == "dn");
  CHECK(parsed->device_topic == "/ota/device/upgrade/pk/dn");
}

TEST_CASE("other topics are no way down", "[gate]") {
  for (const char* topic : {"", "updraft/down", "updraft/down/pk", "updraft/down/pk/dn",
                            "updraft/down//dn/x", "updraft/down/pk//x", "updraft/up/pk/dn/x"}) {
    CAPTURE(topic);
    CHECK_FALSE(ParseGateDownTopic(topic));
  }
}

TEST_CASE("presence is told under the device's name", "[gate]") {
  CHECK(MakeGatePresenceTopic({"pk", "dn"}) == "updraft/presence/pk/dn");
  std::optional<GatePresenceTopic> parsed = ParseGatePresenceTopic("updraft/presence/pk/dn");
  REQUIRE(parsed);
  CHECK(parsed->product_key == "pk");
  CHECK(parsed->device_name == "dn");
  for (const char* topic : {"updraft/presence/pk", "updraft/presence//dn", "updraft/presence/pk/",
                            "updraft/presence/pk/dn/more", "updraft/broker"}) {
    CAPTURE(topic);
    CHECK_FALSE(ParseGatePresenceTopic(topic));
  }
}

}  // namespace updraft
