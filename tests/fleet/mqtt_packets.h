// The packets of MQTT 3.1.1 that a device sends and gets. QoS 2 is not spoken.
// Thread-safety: none; each connection has a reader of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace updraft {

enum class MqttKind : uint8_t {
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kPingreq = 12,
  kPingresp = 13,
  kDisconnect = 14,
};

struct MqttLogin {
  std::string client_id;
  std::string user_name;
  std::string password;
  uint16_t keepalive_s = 1'200;
};
std::string ConnectPacket(const MqttLogin& login);                            // Clean session.
std::string PublishPacket(std::string_view topic, std::string_view payload);  // QoS 0.
std::string PubackPacket(uint16_t packet_id);
std::string PingPacket();
std::string DisconnectPacket();

struct MqttPacket {
  MqttKind kind;
  uint8_t flags = 0;
  std::string_view body;  // Valid until the next Feed().
};

struct MqttMessage {
  std::string_view topic;
  std::string_view payload;
  uint16_t packet_id = 0;  // 0 at QoS 0.
};
// Nothing when the body is cut short.
std::optional<MqttMessage> ParsePublish(const MqttPacket& packet);

// Cuts what comes in into packets.
class MqttReader {
 public:
  void Feed(std::string_view bytes);
  // The next whole packet, if there is one.
  std::optional<MqttPacket> Next();
  // The length field was not one; nothing more can be read.
  bool broken() const { return broken_; }

 private:
  std::string buffer_;
  size_t read_ = 0;
  bool broken_ = false;
};

}  // namespace updraft
