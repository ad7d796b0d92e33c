// A real mosquitto for benches, with the gate or without, and clients of it that cost little: MQTT
// 3.1.1 as far as it is needed, whole packets on loopback sockets.
//
// What cannot be had ends the program. Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/servers.h"
#include "events/base/owned_fd.h"

namespace updraft {

inline constexpr std::string_view kBenchProductKey = "a1benchpk";
inline constexpr std::string_view kBenchDeviceSecret = "0123456789abcdef0123456789abcdef";
inline constexpr std::string_view kBenchEnginePassword = "engine-password";

// "device-00017".
std::string BenchDeviceName(size_t i);

// Packets.
std::string MqttText(std::string_view text);
std::string MqttPacketOf(uint8_t first, std::string_view body);

// A client's connection. Writes are small and go out at once; reads never wait.
class BrokerConnection {
 public:
  explicit BrokerConnection(uint16_t port);

  bool connected() const { return connected_; }
  int fd() const { return fd_.get(); }

  void Send(std::string_view bytes);
  // Waits for one packet of the handshake.
  std::string ReceivePacket(size_t bytes);

  // Calls `visit` with the first byte and the body of each packet that is there.
  template <class Visit>
  void ReceiveWhatIsThere(const Visit& visit) {
    if (!Fill()) return;
    size_t at = 0;
    while (true) {
      size_t length = 0;
      size_t head = at + 1;
      bool whole = false;
      for (int shift = 0; head < received_.size() && !whole; shift += 7) {
        const auto digit = static_cast<uint8_t>(received_[head++]);
        length |= static_cast<size_t>(digit & 127) << shift;
        whole = digit < 128;
      }
      if (!whole || head + length > received_.size()) break;
      visit(static_cast<uint8_t>(received_[at]), std::string_view(received_).substr(head, length));
      at = head + length;
    }
    received_.erase(0, at);
  }

 private:
  bool Fill();

  OwnedFd fd_;
  bool connected_ = false;
  std::string received_;
};

// A mosquitto of its own with accounts for so many devices of kBenchProductKey and the engine.
class BenchBroker {
 public:
  struct Options {
    std::string mosquitto = "/usr/sbin/mosquitto";
    std::string plugin;  // The gate.
    bool gate = true;    // Else everybody is let in.
    size_t devices = 0;
    // False: somebody else writes the devices' accounts, to credentials().
    bool write_credentials = true;
  };
  explicit BenchBroker(const Options& options);
  ~BenchBroker();
  BenchBroker(const BenchBroker&) = delete;
  BenchBroker& operator=(const BenchBroker&) = delete;

  uint16_t port() const { return port_; }
  std::string credentials() const { return dir_ + "/credentials"; }

  // Subscribed to what devices say.
  std::unique_ptr<BrokerConnection> JoinEngine() const;
  std::unique_ptr<BrokerConnection> JoinDevice(size_t i) const;

  double CpuSeconds() const;
  size_t ResidentBytes() const;

 private:
  void WriteCredentials(size_t devices) const;
  void WriteConfig(const std::string& plugin) const;

  const bool gate_;
  std::string dir_;
  uint16_t port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

// A device that reports progress at QoS 1: 1, 2, … 99 % and from 1 again.
class ReportingDevice {
 public:
  ReportingDevice(const BenchBroker& broker, size_t i);

  BrokerConnection& connection() { return *connection_; }
  void SendProgress();
  void SendVersion(std::string_view version);

 private:
  std::string name_;
  std::unique_ptr<BrokerConnection> connection_;
  std::string progress_;  // The packet; the id and the step are filled in.
  size_t id_at_ = 0;
  size_t step_at_ = 0;
  uint16_t sent_ = 0;
};

}  // namespace updraft
