#include "adapters/mqtt/outlet.h"

#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "adapters/wire/signed_url.h"

namespace updraft {
namespace {

using Json = nlohmann::json;

constexpr int64_t kNowMs = 1'795'417'800'000;
const std::string kKey(32, 'k');

Notice SampleNotice() {
  return {.product_key = "pk",
          .device_name = "dn",
          .module = "mcu",
          .version = "2.0.0",
          .size_bytes = 300'000,
          .md5 = std::string(16, '\xAB'),
          .sha256 = std::string(32, '\xCD'),
          .file = "0123456789abcdef0123456789abcdef",
          .suffix = ".bin",
          .udi = R"({"a":1})",
          .tags = {{"colour", "red"}},
          .time_ms = kNowMs};
}

OutletOptions Options(MqttPath path) {
  return {.path = path, .public_url = "http://127.0.0.1:8080", .link_key = kKey};
}

// Whether the link is good at `ms`.
LinkState StateAt(const std::string& url, int64_t ms) {
  std::string rest = url.substr(std::string("http://127.0.0.1:8080").size());
  size_t question = rest.find('?');
  return CheckDownload(kKey, rest.substr(0, question), rest.substr(question + 1), ms).state;
}

TEST_CASE("a push goes down through the gate, or to the device's own topic") {
  Result<OutMessage> gate = RenderPush(Options(MqttPath::kGate), SampleNotice());
  REQUIRE(gate.ok());
  CHECK(gate->topic == "updraft/down/pk/dn/ota/device/upgrade/pk/dn");
  Result<OutMessage> direct = RenderPush(Options(MqttPath::kDirect), SampleNotice());
  REQUIRE(direct.ok());
  CHECK(direct->topic == "/ota/device/upgrade/pk/dn");
  CHECK(direct->payload == gate->payload);
}

TEST_CASE("a push tells all that fielded clients need") {
  Json push = Json::parse(RenderPush(Options(MqttPath::kGate), SampleNotice())->payload);
  CHECK(push["code"] == "1000");
  CHECK(push["message"] == "success");
  CHECK(push["data"]["size"] == 300'000);
  CHECK(push["data"]["version"] == "2.0.0");
  CHECK(push["data"]["module"] == "mcu");
  CHECK(push["data"]["signMethod"] == "Md5");
  CHECK(push["data"]["md5"] == "abababababababababababababababab");
  CHECK(push["data"]["sign"] == push["data"]["md5"]);
  CHECK(push["data"]["extData"]["colour"] == "red");
}

TEST_CASE("a push signed with SHA-256 still carries the MD5") {
  Notice notice = SampleNotice();
  notice.sign_with_sha256 = true;
  Json push = Json::parse(RenderPush(Options(MqttPath::kGate), notice)->payload);
  CHECK(push["data"]["sign"].get<std::string>().size() == 64);
  CHECK(push["data"]["md5"].get<std::string>().size() == 32);
}

TEST_CASE("a link is good for a day from the notice's time") {
  Json push = Json::parse(RenderPush(Options(MqttPath::kGate), SampleNotice())->payload);
  std::string url = push["data"]["url"];
  CHECK(StateAt(url, kNowMs + kLinkLifeMs - 1) == LinkState::kOk);
  CHECK(StateAt(url, kNowMs + kLinkLifeMs + 1'000) == LinkState::kExpired);
}

TEST_CASE("a pull is answered on its reply topic with its own id") {
  PullReturn pull = {.product_key = "pk", .device_name = "dn", .legacy = false, .id_json = "\"7\""};
  auto answer = RenderPullAnswer(Options(MqttPath::kGate), pull,
                                 PulledNotice{std::make_shared<Notice>(SampleNotice())});
  REQUIRE(answer.ok());
  REQUIRE(*answer);
  CHECK((*answer)->topic == "updraft/down/pk/dn/sys/pk/dn/thing/ota/firmware/get_reply");
  Json reply = Json::parse((*answer)->payload);
  CHECK(reply["id"] == "7");
  CHECK(reply["data"]["version"] == "2.0.0");
}

TEST_CASE("a pull with nothing to upgrade to is told so") {
  PullReturn pull = {.product_key = "pk", .device_name = "dn", .legacy = false, .id_json = "7"};
  auto answer = RenderPullAnswer(Options(MqttPath::kDirect), pull, PulledNotice{});
  REQUIRE(answer.ok());
  REQUIRE(*answer);
  CHECK((*answer)->topic == "/sys/pk/dn/thing/ota/firmware/get_reply");
  CHECK(Json::parse((*answer)->payload)["data"] == Json::object());
}

TEST_CASE("a legacy request is answered on its own topic in the form of a push, or not at all") {
  PullReturn pull = {.product_key = "pk", .device_name = "dn", .legacy = true, .id_json = "\"0\""};
  auto answer = RenderPullAnswer(Options(MqttPath::kDirect), pull,
                                 PulledNotice{std::make_shared<Notice>(SampleNotice())});
  REQUIRE(answer.ok());
  REQUIRE(*answer);
  CHECK((*answer)->topic == "/ota/device/request/pk/dn");
  CHECK(Json::parse((*answer)->payload)["code"] == "1000");
  auto none = RenderPullAnswer(Options(MqttPath::kDirect), pull, PulledNotice{});
  REQUIRE(none.ok());
  CHECK_FALSE(*none);
}

TEST_CASE("a link that no client could hold is an error") {
  OutletOptions options = Options(MqttPath::kGate);
  options.public_url = "http://" + std::string(kDownloadUrlMaxBytes, 'h');
  CHECK(RenderPush(options, SampleNotice()).status().reason() == "url_too_long");
  PullReturn pull = {.product_key = "pk", .device_name = "dn"};
  CHECK(RenderPullAnswer(options, pull, PulledNotice{std::make_shared<Notice>(SampleNotice())})
            .status()
            .reason() == "url_too_long");
}

}  // namespace
}  // namespace updraft
