#include "tests/fleet/mqtt_packets.h"

namespace updraft {
namespace {

uint16_t ReadU16(std::string_view bytes) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[0]) << 8 |
                               static_cast<uint8_t>(bytes[1]));
}

void AppendU16(std::string& out, size_t value) {
  out += static_cast<char>(value >> 8 & 0xFF);
  out += static_cast<char>(value & 0xFF);
}

void AppendText(std::string& out, std::string_view text) {
  AppendU16(out, text.size());
  out += text;
}

std::string Packet(MqttKind kind, uint8_t flags, std::string_view body) {
  std::string packet(1, static_cast<char>(static_cast<uint8_t>(kind) << 4 | flags));
  size_t rest = body.size();
  do {
    uint8_t digit = rest & 0x7F;
    rest >>= 7;
    packet += static_cast<char>(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  packet += body;
  return packet;
}

}  // namespace

std::string ConnectPacket(const MqttLogin& login) {
  constexpr char kUserPasswordClean = static_cast<char>(0xC2);
  std::string body;
  AppendText(body, "MQTT");
  body += '\x04';
  body += kUserPasswordClean;
  AppendU16(body, login.keepalive_s);
  AppendText(body, login.client_id);
  AppendText(body, login.user_name);
  AppendText(body, login.password);
  return Packet(MqttKind::kConnect, 0, body);
}

std::string PublishPacket(std::string_view topic, std::string_view payload) {
  std::string body;
  AppendText(body, topic);
  body += payload;
  return Packet(MqttKind::kPublish, 0, body);
}

std::string PubackPacket(uint16_t packet_id) {
  std::string body;
  AppendU16(body, packet_id);
  return Packet(MqttKind::kPuback, 0, body);
}

std::string PingPacket() { return Packet(MqttKind::kPingreq, 0, {}); }

std::string DisconnectPacket() { return Packet(MqttKind::kDisconnect, 0, {}); }

std::optional<MqttMessage> ParsePublish(const MqttPacket& packet) {
  std::string_view body = packet.body;
  if (body.size() < 2) return std::nullopt;
  size_t topic_size = ReadU16(body);
  body.remove_prefix(2);
  bool acknowledged = (packet.flags & 0x06) != 0;
  if (body.size() < topic_size + (acknowledged ? 2 : 0)) return std::nullopt;
  MqttMessage message{.topic = body.substr(0, topic_size)};
  body.remove_prefix(topic_size);
  if (acknowledged) {
    message.packet_id = ReadU16(body);
    body.remove_prefix(2);
  }
  message.payload = body;
  return message;
}

void MqttReader::Feed(std::string_view bytes) {
  buffer_.erase(0, read_);
  read_ = 0;
  buffer_ += bytes;
}

std::optional<MqttPacket> MqttReader::Next() {
  constexpr int kLengthBytesMax = 4;
  std::string_view rest = std::string_view(buffer_).substr(read_);
  size_t length = 0;
  for (int i = 0; i < kLengthBytesMax; ++i) {
    if (rest.size() < static_cast<size_t>(i) + 2) return std::nullopt;
    uint8_t digit = static_cast<uint8_t>(rest[i + 1]);
    length |= static_cast<size_t>(digit & 0x7F) << (7 * i);
    if (digit & 0x80) continue;
    size_t head = static_cast<size_t>(i) + 2;
    if (rest.size() < head + length) return std::nullopt;
    read_ += head + length;
    uint8_t first = static_cast<uint8_t>(rest[0]);
    return MqttPacket{MqttKind(first >> 4), static_cast<uint8_t>(first & 0x0F),
                      rest.substr(head, length)};
  }
  broken_ = true;
  return std::nullopt;
}

}  // namespace updraft
