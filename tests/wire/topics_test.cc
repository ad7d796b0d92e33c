#include "adapters/wire/topics.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

struct Uplink {
  std::string topic;
  UplinkKind kind;
};

const std::vector<Uplink> kUplinks = {
    {"/ota/device/inform/PK/DN", UplinkKind::kInform},
    {"/ota/device/progress/PK/DN", UplinkKind::kProgress},
    {"/sys/PK/DN/thing/ota/firmware/get", UplinkKind::kFirmwareGet},
    {"/ota/device/request/PK/DN", UplinkKind::kLegacyRequest},
    {"/sys/PK/DN/thing/file/download", UplinkKind::kFileDownload},
    {"/sys/PK/DN/thing/config/get", UplinkKind::kConfigGet},
};

std::vector<std::string> Levels(const std::string& text) {
  std::vector<std::string> levels = {""};
  for (char c : text) {
    if (c == '/') {
      levels.emplace_back();
    } else {
      levels.back() += c;
    }
  }
  return levels;
}

// MQTT's rule for a filter and a topic, written for this test.
bool Matches(const std::vector<std::string>& filter, const std::vector<std::string>& topic) {
  for (size_t i = 0; i < filter.size(); ++i) {
    if (filter[i] == "#") return true;
    if (i >= topic.size()) return false;
    if (filter[i] != "+" && filter[i] != topic[i]) return false;
  }
  return filter.size() == topic.size() ||
         (filter.size() == topic.size() + 1 && filter.back() == "#");
}

// Calls `visit` with every filter of a leading slash and one to `levels_max` levels of `alphabet`.
template <class Visit>
void ForEachFilter(const std::vector<std::string>& alphabet, size_t levels_max, std::string prefix,
                   const Visit& visit) {
  for (const std::string& level : alphabet) {
    std::string filter = prefix + "/" + level;
    visit(filter);
    if (levels_max > 1 && level != "#") ForEachFilter(alphabet, levels_max - 1, filter, visit);
  }
}

}  // namespace

TEST_CASE("what a device says is told by its topic", "[topics]") {
  for (const Uplink& uplink : kUplinks) {
    CAPTURE(uplink.topic);
    std::optional<UplinkTopic> parsed = ParseUplinkTopic(uplink.topic);
    REQUIRE(parsed.has_value());
    CHECK(parsed->kind == uplink.kind);
    CHECK(parsed->product_key == "PK");
    CHECK(parsed->device_name == "DN");
    CHECK(TopicName(uplink.kind, "PK", "DN") == uplink.topic);
  }
}

TEST_CASE("device names may hold every sign that the console allows", "[topics]") {
  std::optional<UplinkTopic> parsed = ParseUplinkTopic("/ota/device/inform/a1B2/a-b_c@d.e:f");
  REQUIRE(parsed.has_value());
  CHECK(parsed->product_key == "a1B2");
  CHECK(parsed->device_name == "a-b_c@d.e:f");
}

TEST_CASE("other topics say nothing to us", "[topics]") {
  const std::string long_name(65, 'n');
  for (std::string topic : {std::string(),
                            std::string("/"),
                            std::string("//////"),
                            std::string("ota/device/inform/PK/DN"),
                            std::string("/ota/device/inform"),
                            std::string("/ota/device/inform/"),
                            std::string("/ota/device/inform/PK"),
                            std::string("/ota/device/inform/PK/"),
                            std::string("/ota/device/inform//DN"),
                            std::string("/ota/device/inform/PK/DN/"),
                            std::string("/ota/device/inform/PK/DN/x"),
                            std::string("/ota/device/inform/+/DN"),
                            std::string("/ota/device/inform/PK/#"),
                            std::string("/ota/device/Inform/PK/DN"),
                            std::string("/ota/device/upgrade/PK/DN"),
                            std::string("/sys/PK/DN/thing/ota/firmware/get_reply"),
                            std::string("/sys/PK/DN/thing/ota/firmware"),
                            std::string("/sys/PK/thing/ota/firmware/get"),
                            std::string("/sys//DN/thing/ota/firmware/get"),
                            std::string("/sys/PK//thing/ota/firmware/get"),
                            std::string("/sys/PK/DN/x/thing/ota/firmware/get"),
                            std::string("/sys/thing/ota/firmware/get"),
                            std::string("/sys/thing/config/get"),
                            std::string("/PK/DN/user/update"),
                            std::string("$SYS/broker/uptime"),
                            "/ota/device/inform/PK/" + long_name,
                            "/ota/device/inform/" + long_name + "/DN"}) {
    CAPTURE(topic);
    CHECK_FALSE(ParseUplinkTopic(topic).has_value());
  }
  CHECK(ParseUplinkTopic("/ota/device/inform/PK/" + long_name.substr(1)).has_value());
}

TEST_CASE("what we say to a device goes to its own topics", "[topics]") {
  CHECK(TopicName(DownlinkKind::kUpgrade, "PK", "DN") == "/ota/device/upgrade/PK/DN");
  CHECK(TopicName(DownlinkKind::kFirmwareGetReply, "PK", "DN") ==
        "/sys/PK/DN/thing/ota/firmware/get_reply");
  CHECK(TopicName(DownlinkKind::kLegacyRequest, "PK", "DN") == "/ota/device/request/PK/DN");
  CHECK(TopicName(DownlinkKind::kFileDownloadReply, "PK", "DN") ==
        "/sys/PK/DN/thing/file/download_reply");
  CHECK(TopicName(DownlinkKind::kConfigPush, "PK", "DN") == "/sys/PK/DN/thing/config/push");
  CHECK(TopicName(DownlinkKind::kConfigGetReply, "PK", "DN") ==
        "/sys/PK/DN/thing/config/get_reply");
}

TEST_CASE("a device publishes to its own upward topics", "[topics][acl]") {
  for (std::string topic :
       {"/ota/device/inform/PK/DN", "/ota/device/progress/PK/DN", "/ota/device/request/PK/DN",
        "/sys/PK/DN/thing/ota/firmware/get", "/sys/PK/DN/thing/file/download",
        "/sys/PK/DN/thing/config/get", "/sys/PK/DN/thing/config/push_reply",
        "/sys/PK/DN/thing/deviceinfo/update", "/sys/PK/DN/thing/deviceinfo/delete",
        "/sys/PK/DN/thing/event/property/post", "/PK/DN/user/update", "/PK/DN/user/a/b/c"}) {
    CAPTURE(topic);
    CHECK(MayPublish("PK", "DN", topic));
    CHECK_FALSE(MayPublish("PK", "DN2", topic));
    CHECK_FALSE(MayPublish("PK2", "DN", topic));
    CHECK_FALSE(MayPublish("P", "DN", topic));
    CHECK_FALSE(MayPublish("PK", "D", topic));
  }
}

TEST_CASE("a device publishes nowhere else", "[topics][acl]") {
  for (std::string topic : {"",
                            "/",
                            "x",
                            "/ota/device/upgrade/PK/DN",
                            "/ota/device/other/PK/DN",
                            "/ota/device/inform/PK/DN/",
                            "/ota/device/inform/PK/DNx",
                            "/ota/device/inform/PKDN",
                            "/sys/PK/DN/thing/ota/firmware/get_reply",
                            "/sys/PK/DN/thing/file/download_reply",
                            "/sys/PK/DN/thing/config/push",
                            "/sys/PK/DN/thing/config/get_reply",
                            "/sys/PK/DN/thing/event/property/post_reply",
                            "/sys/PK/DN/thing/service/property/set",
                            "/sys/PK/DN/rrpc/request/1",
                            "/sys/PK/DN",
                            "/sys/PK/DN/",
                            "/sys/PKDN/thing/config/get",
                            "/shadow/get/PK/DN",
                            "/ext/session/PK/DN/combine/login_reply",
                            "/ext/register",
                            "/PK/DN/ota/upgrade",
                            "/PK/DN",
                            "/PK/DN/",
                            "/PK/DN/user",
                            "PK/DN/user/x",
                            "/other/device/user/PK/DN",
                            "$SYS/broker/uptime",
                            "updraft/anything"}) {
    CAPTURE(topic);
    CHECK_FALSE(MayPublish("PK", "DN", topic));
  }
}

TEST_CASE("every subscription that fielded SDKs make is granted", "[topics][acl]") {
  for (std::string filter :
       {// The Node SDK's sixteen.
        "/sys/PK/DN/thing/event/property/post_reply", "/sys/PK/DN/thing/service/property/set",
        "/sys/PK/DN/thing/event/+/post_reply", "/sys/PK/DN/thing/deviceinfo/update_reply",
        "/sys/PK/DN/thing/deviceinfo/delete_reply", "/sys/PK/DN/thing/config/get_reply",
        "/shadow/get/PK/DN", "/sys/PK/DN/thing/config/push", "/sys/PK/DN/thing/config/push_reply",
        "/sys/PK/DN/thing/topo/add_reply", "/sys/PK/DN/thing/topo/delete_reply",
        "/sys/PK/DN/thing/topo/get_reply", "/ext/session/PK/DN/combine/login_reply",
        "/ext/session/PK/DN/combine/logout_reply", "/sys/PK/DN/thing/sub/register_reply",
        "/sys/PK/DN/rrpc/request/+",
        // C-SDK 3.2, Link SDK C 4.2, and the pull's answer.
        "/ota/device/request/PK/DN", "/ota/device/upgrade/PK/DN",
        "/sys/PK/DN/thing/file/download_reply", "/sys/PK/DN/thing/ota/firmware/get_reply",
        // Wildcards that reach the device's own topics alone.
        "/sys/PK/DN/#", "/sys/PK/DN/+/+", "/ota/device/+/PK/DN", "/ext/+/PK/DN/#", "/PK/DN/#",
        "/PK/DN/user/#", "/PK/DN/user/get", "/PK/DN/+/get"}) {
    CAPTURE(filter);
    CHECK(MaySubscribe("PK", "DN", filter));
    CHECK_FALSE(MaySubscribe("PK", "DN2", filter));
    CHECK_FALSE(MaySubscribe("PK2", "DN", filter));
    CHECK_FALSE(MaySubscribe("P", "DN", filter));
    CHECK_FALSE(MaySubscribe("PK", "D", filter));
  }
}

TEST_CASE("a subscription that reaches further, or upwards, is refused", "[topics][acl]") {
  for (std::string filter :
       {"", "/", "#", "+", "/#", "/+/#", "+/#", "/+/DN/#", "/PK/+/#", "/PK/#", "/+/+/user/#",
        "/sys/#", "/sys/+/DN/#", "/sys/PK/+/thing/config/push", "/sys/PK/#", "/sys/PK/DN",
        "/+/PK/DN/#", "/ota/#", "/ota/device/#", "/ota/device/upgrade/#",
        "/ota/device/upgrade/PK/+", "/ota/device/upgrade/+/DN", "/ota/device/upgrade/PK/DN/#",
        "/ota/+/upgrade/PK/DN", "/+/device/upgrade/PK/DN", "/shadow/get/+/DN", "/shadow/#",
        "/ext/#", "/ext/register", "/ext/session/+/DN/#", "$SYS/#", "$SYS/broker/uptime",
        "$share/g//sys/PK/DN/#", "$share/g/sys/PK/DN/#", "$queue//sys/PK/DN/#",
        "sys/PK/DN/thing/config/push",
        // The device's own, but they lead upwards only.
        "/ota/device/inform/PK/DN", "/ota/device/progress/PK/DN",
        "/sys/PK/DN/thing/ota/firmware/get", "/sys/PK/DN/thing/file/download",
        "/sys/PK/DN/thing/config/get", "/sys/PK/DN/thing/event/property/post",
        "/sys/PK/DN/thing/event/+/post"}) {
    CAPTURE(filter);
    CHECK_FALSE(MaySubscribe("PK", "DN", filter));
  }
}

TEST_CASE("no filter that a device is granted matches a topic of another device", "[topics][acl]") {
  // Another device of the product, one of the same name elsewhere, and a stranger whose own topics
  // spell out our device.
  std::vector<std::vector<std::string>> foreign;
  for (std::string other : {"P/e", "Q/d", "Q/e"}) {
    for (std::string topic :
         {"/ota/device/upgrade/" + other, "/sys/" + other + "/thing", "/shadow/get/" + other,
          "/ext/session/" + other + "/x", "/" + other + "/user", "/" + other + "/user/P/d",
          "/" + other + "/P/d"}) {
      foreign.push_back(Levels(topic));
    }
  }
  size_t granted = 0;
  size_t reached = 0;
  ForEachFilter({"sys", "ota", "device", "shadow", "ext", "P", "d", "user", "+", "#"}, 5, "",
                [&](const std::string& filter) {
                  if (!MaySubscribe("P", "d", filter)) return;
                  ++granted;
                  std::vector<std::string> levels = Levels(filter);
                  for (const std::vector<std::string>& topic : foreign) {
                    if (Matches(levels, topic)) ++reached;
                  }
                });
  CHECK(granted > 1000);
  CHECK(reached == 0);
}

TEST_CASE("a product that is named like a root of the service gains nothing by it",
          "[topics][acl]") {
  CHECK_FALSE(MayPublish("sys", "PK", "/sys/PK/user/thing/config/get"));
  CHECK_FALSE(MaySubscribe("sys", "PK", "/sys/PK/#"));
  CHECK_FALSE(MayPublish("ota", "device", "/ota/device/inform/PK/DN"));
  CHECK_FALSE(MaySubscribe("ota", "device", "/ota/device/#"));
  CHECK_FALSE(MaySubscribe("shadow", "get", "/shadow/get/#"));
  CHECK_FALSE(MaySubscribe("ext", "session", "/ext/session/#"));
}

}  // namespace updraft
