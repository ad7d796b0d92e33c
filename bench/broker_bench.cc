// What the gate costs the broker. Devices publish progress at QoS 1, each with a few messages in
// flight, and one engine takes and acknowledges them all; once through a stock mosquitto that lets
// everybody in, once through one with the plugin, in turn, several times. One thread drives all
// clients, so the broker is what is slow, and its CPU time is told beside the rate.
//
//   broker_bench MOSQUITTO PLUGIN [DEVICES MESSAGES ROUNDS]
//
// The second line is the memory that a connected device costs the broker.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/broker_plugin/broker_config.h"
#include "adapters/wire/credential_writer.h"
#include "adapters/wire/credentials.h"
#include "adapters/wire/gate_topics.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;

constexpr size_t kInFlight = 8;  // Of one device.
constexpr std::string_view kPayload =
    R"({"id":"12", "params":{"step":"45","desc":"","module":"default"}})";
constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kEnginePassword = "engine-password";

std::string DeviceName(size_t i) { return fmt::format("device-{:05}", i); }

// MQTT 3.1.1, as much of it as is needed here.

std::string Text(std::string_view text) {
  std::string bytes = {static_cast<char>(text.size() >> 8), static_cast<char>(text.size())};
  return bytes.append(text);
}

std::string Packet(uint8_t first, std::string_view body) {
  std::string packet(1, static_cast<char>(first));
  for (size_t left = body.size();;) {
    packet += static_cast<char>((left & 127) | (left > 127 ? 128 : 0));
    left >>= 7;
    if (left == 0) return packet.append(body);
  }
}

std::string ConnectPacket(std::string_view client_id, std::string_view user,
                          std::string_view password) {
  return Packet(0x10, Text("MQTT") + std::string("\x04\xC2\x02\x58", 4) + Text(client_id) +
                          Text(user) + Text(password));
}

// A client's connection. Writes are small and go out at once; reads never wait.
class Connection {
 public:
  explicit Connection(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(fd_); }

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      Assert(sent > 0, "a client of the benchmark lost its connection");
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  // Waits for one packet of the handshake.
  std::string ReceivePacket(size_t bytes) {
    std::string packet(bytes, '\0');
    ssize_t got = recv(fd_, packet.data(), bytes, MSG_WAITALL);
    Assert(got == static_cast<ssize_t>(bytes), "the broker closed in the handshake");
    return packet;
  }

  // Calls `visit` with the first byte and the body of each packet that is there.
  template <class Visit>
  void ReceiveWhatIsThere(const Visit& visit) {
    char buffer[65536];
    ssize_t got = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got <= 0) return;
    received_.append(buffer, static_cast<size_t>(got));
    size_t at = 0;
    while (true) {
      size_t length = 0;
      size_t head = at + 1;
      for (int shift = 0; head < received_.size(); shift += 7) {
        const auto digit = static_cast<uint8_t>(received_[head++]);
        length |= static_cast<size_t>(digit & 127) << shift;
        if (digit < 128) break;
      }
      if (head == at + 1 || head + length > received_.size()) break;
      visit(static_cast<uint8_t>(received_[at]), std::string_view(received_).substr(head, length));
      at = head + length;
    }
    received_.erase(0, at);
  }

 private:
  int fd_;
  bool connected_ = false;
  std::string received_;
};

std::unique_ptr<Connection> Join(uint16_t port, std::string_view client_id, std::string_view user,
                                 std::string_view password) {
  auto connection = std::make_unique<Connection>(port);
  connection->Send(ConnectPacket(client_id, user, password));
  Assert(connection->ReceivePacket(4)[3] == 0, "{} was refused", user);
  return connection;
}

// A mosquitto of its own, with the gate or without.
class Broker {
 public:
  Broker(const std::string& mosquitto, const std::string& plugin, bool gate, size_t devices)
      : gate_(gate), dir_(fs::temp_directory_path() / "updraft-bench-XXXXXX") {
    Assert(mkdtemp(dir_.data()) != nullptr, "no directory");
    WriteCredentials(devices);
    port_ = FreePort();
    WriteConfig(plugin);
    pid_ = fork();
    if (pid_ == 0) {
      int null = open("/dev/null", O_WRONLY);
      dup2(null, STDERR_FILENO);
      execl(mosquitto.c_str(), "mosquitto", "-c", (dir_ + "/conf").c_str(), nullptr);
      _exit(1);
    }
    while (!Connection(port_).connected()) {
      Assert(waitpid(pid_, nullptr, WNOHANG) == 0, "mosquitto does not start");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  ~Broker() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    fs::remove_all(dir_);
  }

  std::unique_ptr<Connection> JoinEngine() const {
    auto engine = Join(port_, "engine", kEngineUserName, kEnginePassword);
    std::string filter = gate_ ? "updraft/up/#" : "/ota/#";
    engine->Send(Packet(0x82, std::string("\0\1", 2) + Text(filter) + '\1'));
    engine->ReceivePacket(5);
    return engine;
  }

  std::unique_ptr<Connection> JoinDevice(size_t i) const {
    std::string user = DeviceName(i) + "&pk";
    std::string client_id = fmt::format("pk.{}|securemode=3,signmethod=hmacsha256|", DeviceName(i));
    Result<ConnectIdentity> identity = ParseConnectIdentity(user, client_id);
    return Join(port_, client_id, user, SignPassword(kSecret, *identity));
  }

  double CpuSeconds() const {
    std::ifstream file(fmt::format("/proc/{}/stat", pid_));
    std::string field;
    double ticks = 0;
    for (int i = 1; i <= 15; ++i) {
      file >> field;
      if (i >= 14) ticks += std::stod(field);  // utime and stime.
    }
    return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

  size_t ResidentBytes() const {
    std::ifstream file(fmt::format("/proc/{}/statm", pid_));
    size_t total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  }

 private:
  static uint16_t FreePort() {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    close(fd);
    return ntohs(address.sin_port);
  }

  void WriteCredentials(size_t devices) const {
    fs::create_directory(dir_ + "/credentials");
    std::ofstream(dir_ + "/password") << kEnginePassword << '\n';
    auto base = CredentialBase::Create(dir_ + "/credentials", 1, 1, devices + 1);
    Assert(base.ok(), "{}", base.status().ToString());
    Status status = base->Add(ProductCredential("pk", CredentialState::kEnabled, 1));
    for (size_t i = 0; i < devices && status.ok(); ++i) {
      status =
          base->Add(DeviceCredential("pk", DeviceName(i), CredentialState::kEnabled, kSecret, 1));
    }
    auto writer = (*std::move(base)).Finish();
    Assert(status.ok() && writer.ok(), "the credentials cannot be written");
  }

  void WriteConfig(const std::string& plugin) const {
    BrokerConfigOptions options = {.plugin = plugin,
                                   .credentials = dir_ + "/credentials",
                                   .engine_password_file = dir_ + "/password",
                                   .listeners = {{.port = port_, .address = "127.0.0.1"}},
                                   .user = "root"};
    std::string text = BrokerConfig(options);
    auto replace = [&](std::string_view line, std::string_view with) {
      size_t at = text.find(line);
      Assert(at != std::string::npos, "the configuration has no {}", line);
      text.replace(at, line.size(), with);
    };
    const std::string plugin_line = fmt::format("plugin {}\n", plugin);
    if (gate_) {
      replace(plugin_line, plugin_line + "plugin_opt_qos1_per_second 0\n");
    } else {
      replace("allow_anonymous false\n", "allow_anonymous true\n");
      replace(plugin_line, "");
      replace(fmt::format("plugin_opt_credentials {}\n", options.credentials), "");
      replace(fmt::format("plugin_opt_engine_password_file {}\n", options.engine_password_file),
              "");
    }
    std::ofstream(dir_ + "/conf") << text;
  }

  const bool gate_;
  std::string dir_;
  uint16_t port_ = 0;
  pid_t pid_ = -1;
};

struct Figures {
  double messages_per_second = 0;
  double broker_cpu_us = 0;  // A message.
};

// A device that keeps kInFlight messages on their way until it has sent its share.
struct Device {
  std::unique_ptr<Connection> connection;
  std::string publish;  // The packet, but for the id.
  size_t id_at = 0;
  size_t left = 0;

  void Send() {
    if (left == 0) return;
    const size_t id = left-- % 65535 + 1;
    publish[id_at] = static_cast<char>(id >> 8);
    publish[id_at + 1] = static_cast<char>(id);
    connection->Send(publish);
  }
};

std::vector<Device> JoinDevices(const Broker& broker, size_t count, size_t messages) {
  std::vector<Device> devices(count);
  for (size_t i = 0; i < count; ++i) {
    std::string topic = TopicName(UplinkKind::kProgress, "pk", DeviceName(i));
    std::string packet = Packet(0x32, Text(topic) + std::string(2, '\0') + std::string(kPayload));
    devices[i] = {.connection = broker.JoinDevice(i),
                  .publish = packet,
                  .id_at = packet.size() - kPayload.size() - 2,
                  .left = messages / count};
  }
  return devices;
}

Figures Measure(const Broker& broker, size_t device_count, size_t messages) {
  std::unique_ptr<Connection> engine = broker.JoinEngine();
  std::vector<Device> devices = JoinDevices(broker, device_count, messages);
  std::vector<pollfd> polled = {{engine->fd(), POLLIN, 0}};
  for (const Device& device : devices) polled.push_back({device.connection->fd(), POLLIN, 0});

  const double cpu_before = broker.CpuSeconds();
  const auto start = std::chrono::steady_clock::now();
  for (Device& device : devices) {
    for (size_t i = 0; i < kInFlight; ++i) device.Send();
  }
  const size_t all = messages / device_count * device_count;
  std::string acknowledgements;
  for (size_t received = 0; received < all;) {
    poll(polled.data(), polled.size(), -1);
    if (polled[0].revents != 0) {
      acknowledgements.clear();
      engine->ReceiveWhatIsThere([&](uint8_t first, std::string_view body) {
        if (first >> 4 != 3) return;
        const size_t topic_bytes =
            static_cast<uint8_t>(body[0]) * 256u + static_cast<uint8_t>(body[1]);
        acknowledgements.append("\x40\x02").append(body.substr(2 + topic_bytes, 2));
        ++received;
      });
      engine->Send(acknowledgements);
    }
    for (size_t i = 0; i < devices.size(); ++i) {
      if (polled[i + 1].revents == 0) continue;
      devices[i].connection->ReceiveWhatIsThere(
          [&](uint8_t, std::string_view) { devices[i].Send(); });
    }
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return {.messages_per_second = static_cast<double>(all) / seconds.count(),
          .broker_cpu_us = (broker.CpuSeconds() - cpu_before) * 1e6 / static_cast<double>(all)};
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

size_t BytesPerConnection(const Broker& broker, size_t connections) {
  std::vector<std::unique_ptr<Connection>> held;
  held.push_back(broker.JoinDevice(0));
  const size_t before = broker.ResidentBytes();
  for (size_t i = 1; i <= connections; ++i) held.push_back(broker.JoinDevice(i));
  return (broker.ResidentBytes() - before) / connections;
}

int Run(const std::string& mosquitto, const std::string& plugin, size_t devices, size_t messages,
        size_t rounds) {
  // [0] is without the gate, [1] with it.
  std::vector<double> rates[2], cpu[2];
  for (size_t round = 0; round < rounds; ++round) {
    for (int gate = 0; gate < 2; ++gate) {
      Broker broker(mosquitto, plugin, gate == 1, devices);
      Figures figures = Measure(broker, devices, messages);
      rates[gate].push_back(figures.messages_per_second);
      cpu[gate].push_back(figures.broker_cpu_us);
    }
  }
  fmt::print(
      "broker devices={} messages={} stock_messages/s={:.0f} gate_messages/s={:.0f} ratio={:.2f} "
      "stock_cpu_us={:.2f} gate_cpu_us={:.2f}\n",
      devices, messages, Median(rates[0]), Median(rates[1]), Median(rates[1]) / Median(rates[0]),
      Median(cpu[0]), Median(cpu[1]));

  const size_t held = devices * 50;
  size_t bytes[2];
  for (int gate = 0; gate < 2; ++gate) {
    bytes[gate] = BytesPerConnection(Broker(mosquitto, plugin, gate == 1, held + 1), held);
  }
  fmt::print("broker connections={} stock_bytes={} gate_bytes={}\n", held, bytes[0], bytes[1]);
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  if (argc != 3 && argc != 6) return 2;
  auto number = [&](int i, size_t otherwise) {
    return argc > i ? static_cast<size_t>(std::stoul(argv[i])) : otherwise;
  };
  return updraft::Run(argv[1], argv[2], number(3, 100), number(4, 300'000), number(5, 5));
}
