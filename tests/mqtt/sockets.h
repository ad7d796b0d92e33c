// Loopback sockets for tests: whole MQTT packets in and out, every wait with an end.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "adapters/wire/credentials.h"
#include "events/base/owned_fd.h"
#include "tests/fleet/mqtt_packets.h"

namespace updraft {

inline sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline uint16_t PortOf(int fd) {
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

// Listens on a port that was free.
inline OwnedFd ListenOnLoopback() {
  OwnedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(listen(fd.get(), 4) == 0);
  return fd;
}
inline uint16_t FreePort() { return PortOf(ListenOnLoopback().get()); }

// One connection.
class PacketSocket {
 public:
  static constexpr int kPatienceMs = 60'000;

  struct Packet {
    MqttKind kind;
    uint8_t flags;
    std::string body;
  };

  explicit PacketSocket(OwnedFd fd) : fd_(std::move(fd)) {}

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      REQUIRE(sent > 0);
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  // The next packet; nothing when the other side has closed.
  std::optional<Packet> Receive() {
    while (true) {
      if (auto packet = reader_.Next()) {
        return Packet{packet->kind, packet->flags, std::string(packet->body)};
      }
      REQUIRE(IsReadable(kPatienceMs));
      char buffer[65'536];
      ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), 0);
      if (got <= 0) return std::nullopt;
      reader_.Feed(std::string_view(buffer, static_cast<size_t>(got)));
    }
  }
  // Skips packets of other kinds; fails the test when the other side closes instead.
  Packet Await(MqttKind kind) {
    while (true) {
      std::optional<Packet> packet = Receive();
      REQUIRE(packet);
      if (packet->kind == kind) return *std::move(packet);
    }
  }
  bool IsReadable(int patience_ms) {
    pollfd fd = {fd_.get(), POLLIN, 0};
    return poll(&fd, 1, patience_ms) > 0;
  }

 private:
  OwnedFd fd_;
  MqttReader reader_;
};

inline std::string PublishAtQos1(std::string_view topic, std::string_view payload, uint16_t id) {
  std::string packet = PublishPacket(topic, payload);
  // The id stands behind the topic, and the packet is two bytes longer.
  size_t body = 1;
  size_t size = 0;
  for (int shift = 0;; shift += 7) {
    auto digit = static_cast<uint8_t>(packet[body++]);
    size |= size_t{digit & 0x7Fu} << shift;
    if ((digit & 0x80) == 0) break;
  }
  std::string head(1, static_cast<char>(packet[0] | 2));
  for (size_t left = size + 2;;) {
    uint8_t digit = left % 128;
    left /= 128;
    head += static_cast<char>(digit | (left > 0 ? 0x80 : 0));
    if (left == 0) break;
  }
  std::string id_bytes = {static_cast<char>(id >> 8), static_cast<char>(id)};
  return head + packet.substr(body).insert(2 + topic.size(), id_bytes);
}

// A device that never subscribes.
class TestDevice {
 public:
  // Refused where there is no such device.
  TestDevice(uint16_t port, const std::string& product_key, const std::string& name)
      : socket_(Connect(port)), product_key_(product_key), name_(name) {
    MqttLogin login;
    login.user_name = name + "&" + product_key;
    login.client_id = name + "|securemode=3,signmethod=hmacsha256|";
    auto identity = ParseConnectIdentity(login.user_name, login.client_id);
    REQUIRE(identity.ok());
    login.password = SignPassword("secret-" + name, *identity);
    socket_.Send(ConnectPacket(login));
    std::optional<PacketSocket::Packet> answer = socket_.Receive();
    accepted_ = answer && answer->kind == MqttKind::kConnack && answer->body[1] == 0;
  }

  bool accepted() const { return accepted_; }
  std::string Topic(std::string_view head) const {
    return std::string(head) + product_key_ + "/" + name_;
  }
  void Publish(std::string_view topic, std::string_view payload) {
    socket_.Send(PublishAtQos1(topic, payload, ++last_id_));
    socket_.Await(MqttKind::kPuback);
  }
  void Inform(const std::string& version) {
    Publish(Topic("/ota/device/inform/"), R"({"id":1,"params":{"version":")" + version + R"("}})");
  }
  // The next message: topic, a blank, payload.
  std::string Receive() {
    PacketSocket::Packet packet = socket_.Await(MqttKind::kPublish);
    auto message = ParsePublish({packet.kind, packet.flags, packet.body});
    REQUIRE(message);
    if (message->packet_id != 0) socket_.Send(PubackPacket(message->packet_id));
    return std::string(message->topic) + " " + std::string(message->payload);
  }
  // Whether the broker has nothing more for the device: it answers a ping first of all.
  bool NothingCame() {
    socket_.Send(PingPacket());
    return socket_.Receive()->kind == MqttKind::kPingresp;
  }

 private:
  static OwnedFd Connect(uint16_t port) {
    OwnedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = Loopback(port);
    REQUIRE(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    return fd;
  }

  PacketSocket socket_;
  std::string product_key_;
  std::string name_;
  uint16_t last_id_ = 0;
  bool accepted_ = false;
};

}  // namespace updraft
