#include "tests/fleet/mqtt_packets.h"

#include <catch2/catch.hpp>

namespace updraft {
namespace {

using namespace std::string_literals;

TEST_CASE("a login is spelled as MQTT 3.1.1 has it") {
  CHECK(ConnectPacket({.client_id = "c", .user_name = "u", .password = "p", .keepalive_s = 60}) ==
        "\x10\x13\x00\x04MQTT\x04\xC2\x00\x3C\x00\x01"s + "c\x00\x01u\x00\x01p"s);
}

TEST_CASE("packets are the same however the bytes arrive") {
  std::string bytes =
      PublishPacket("t", std::string(200, 'x')) + PingPacket() + "\x32\x06\x00\x01t\x12\x34!"s;
  size_t piece = GENERATE(1u, 2u, 3u, 100u, 1'000u);
  MqttReader reader;
  std::vector<std::string> seen;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.Feed(std::string_view(bytes).substr(at, piece));
    while (auto packet = reader.Next()) {
      auto message = ParsePublish(*packet);
      if (packet->kind == MqttKind::kPublish) {
        REQUIRE(message);
        seen.push_back(std::string(message->topic) + ":" + std::to_string(message->packet_id) +
                       ":" + std::to_string(message->payload.size()));
      } else {
        CHECK(packet->kind == MqttKind::kPingreq);
        seen.push_back("ping");
      }
    }
  }
  CHECK(seen == std::vector<std::string>{"t:0:200", "ping", "t:4660:1"});
  CHECK_FALSE(reader.broken());
}

TEST_CASE("a length of more than four bytes ends the reading") {
  MqttReader reader;
  reader.Feed("\x30\xFF\xFF\xFF\xFF");
  CHECK_FALSE(reader.Next());
  CHECK(reader.broken());
}

TEST_CASE("a message that is cut short is none") {
  auto body = GENERATE(""s, "\x00"s, "\x00\x02t"s);
  CHECK_FALSE(ParsePublish({MqttKind::kPublish, 0, body}));
  CHECK_FALSE(ParsePublish({MqttKind::kPublish, 2, "\x00\x01t\x01"s}));
}

}  // namespace
}  // namespace updraft
