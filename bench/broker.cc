#include "bench/broker.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/broker_plugin/broker_config.h"
#include "adapters/wire/credential_writer.h"
#include "adapters/wire/credentials.h"
#include "adapters/wire/gate_topics.h"
#include "adapters/wire/topics.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;

std::string ConnectPacket(std::string_view client_id, std::string_view user,
                          std::string_view password) {
  return MqttPacketOf(0x10, MqttText("MQTT") + std::string("\x04\xC2\x02\x58", 4) +
                                MqttText(client_id) + MqttText(user) + MqttText(password));
}

std::unique_ptr<BrokerConnection> Join(uint16_t port, std::string_view client_id,
                                       std::string_view user, std::string_view password) {
  auto connection = std::make_unique<BrokerConnection>(port);
  connection->Send(ConnectPacket(client_id, user, password));
  Assert(connection->ReceivePacket(4)[3] == 0, "{} was refused", user);
  return connection;
}

}  // namespace

std::string BenchDeviceName(size_t i) { return fmt::format("device-{:05}", i); }

std::string MqttText(std::string_view text) {
  std::string bytes = {static_cast<char>(text.size() >> 8), static_cast<char>(text.size())};
  return bytes.append(text);
}

std::string MqttPacketOf(uint8_t first, std::string_view body) {
  std::string packet(1, static_cast<char>(first));
  for (size_t left = body.size();;) {
    packet += static_cast<char>((left & 127) | (left > 127 ? 128 : 0));
    left >>= 7;
    if (left == 0) return packet.append(body);
  }
}

BrokerConnection::BrokerConnection(uint16_t port)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1;
  setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  connected_ = connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

void BrokerConnection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    Assert(sent > 0, "a client of the benchmark lost its connection");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

std::string BrokerConnection::ReceivePacket(size_t bytes) {
  std::string packet(bytes, '\0');
  ssize_t got = recv(fd_.get(), packet.data(), bytes, MSG_WAITALL);
  Assert(got == static_cast<ssize_t>(bytes), "the broker closed in the handshake");
  return packet;
}

bool BrokerConnection::Fill() {
  char buffer[65'536];
  ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
  if (got <= 0) return false;
  received_.append(buffer, static_cast<size_t>(got));
  return true;
}

BenchBroker::BenchBroker(const Options& options)
    : gate_(options.gate), dir_(fs::temp_directory_path() / "updraft-bench-XXXXXX") {
  Assert(mkdtemp(dir_.data()) != nullptr, "no directory");
  fs::create_directory(credentials());
  std::ofstream(dir_ + "/password") << kBenchEnginePassword << '\n';
  if (options.write_credentials) WriteCredentials(options.devices);
  port_ = FreePort();
  WriteConfig(options.plugin);
  process_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{options.mosquitto, "-c", dir_ + "/conf"}, "", "/dev/null", SIGKILL);
  while (!BrokerConnection(port_).connected()) {
    Assert(process_->running(), "mosquitto does not start");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

BenchBroker::~BenchBroker() {
  process_.reset();
  fs::remove_all(dir_);
}

std::unique_ptr<BrokerConnection> BenchBroker::JoinEngine() const {
  auto engine = Join(port_, "engine", kEngineUserName, kBenchEnginePassword);
  std::string filter = gate_ ? "updraft/up/#" : "/ota/#";
  engine->Send(MqttPacketOf(0x82, std::string("\0\1", 2) + MqttText(filter) + '\1'));
  engine->ReceivePacket(5);
  return engine;
}

std::unique_ptr<BrokerConnection> BenchBroker::JoinDevice(size_t i) const {
  std::string user = fmt::format("{}&{}", BenchDeviceName(i), kBenchProductKey);
  std::string client_id = fmt::format("{}.{}|securemode=3,signmethod=hmacsha256|", kBenchProductKey,
                                      BenchDeviceName(i));
  Result<ConnectIdentity> identity = ParseConnectIdentity(user, client_id);
  return Join(port_, client_id, user, SignPassword(kBenchDeviceSecret, *identity));
}

double BenchBroker::CpuSeconds() const {
  std::ifstream file(fmt::format("/proc/{}/stat", process_->pid()));
  std::string field;
  double ticks = 0;
  for (int i = 1; i <= 15; ++i) {
    file >> field;
    if (i >= 14) ticks += std::stod(field);  // utime and stime.
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

size_t BenchBroker::ResidentBytes() const {
  std::ifstream file(fmt::format("/proc/{}/statm", process_->pid()));
  size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

void BenchBroker::WriteCredentials(size_t devices) const {
  auto base = CredentialBase::Create(credentials(), 1, 1, devices + 1);
  Assert(base.ok(), "{}", base.status().ToString());
  Status status = base->Add(ProductCredential(kBenchProductKey, CredentialState::kEnabled, 1));
  for (size_t i = 0; i < devices && status.ok(); ++i) {
    status = base->Add(DeviceCredential(kBenchProductKey, BenchDeviceName(i),
                                        CredentialState::kEnabled, kBenchDeviceSecret, 1));
  }
  auto writer = (*std::move(base)).Finish();
  Assert(status.ok() && writer.ok(), "the credentials cannot be written");
}

void BenchBroker::WriteConfig(const std::string& plugin) const {
  BrokerConfigOptions options = {.plugin = plugin,
                                 .credentials = credentials(),
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
    replace(fmt::format("plugin_opt_engine_password_file {}\n", options.engine_password_file), "");
  }
  std::ofstream(dir_ + "/conf") << text;
}

ReportingDevice::ReportingDevice(const BenchBroker& broker, size_t i)
    : name_(BenchDeviceName(i)), connection_(broker.JoinDevice(i)) {
  constexpr std::string_view kPayload =
      R"({"id":"12", "params":{"step":"00","desc":"","module":"default"}})";
  std::string topic = MqttText(TopicName(UplinkKind::kProgress, kBenchProductKey, name_));
  progress_ = MqttPacketOf(0x32, topic + std::string(2, '\0') + std::string(kPayload));
  id_at_ = progress_.size() - kPayload.size() - 2;
  step_at_ = progress_.size() - kPayload.size() + kPayload.find("00");
}

void ReportingDevice::SendProgress() {
  const int step = sent_ % 99 + 1;
  sent_ = static_cast<uint16_t>(sent_ % (99 * 600) + 1);  // Below 65,536, and the steps go on.
  progress_[id_at_] = static_cast<char>(sent_ >> 8);
  progress_[id_at_ + 1] = static_cast<char>(sent_);
  progress_[step_at_] = static_cast<char>('0' + step / 10);
  progress_[step_at_ + 1] = static_cast<char>('0' + step % 10);
  connection_->Send(progress_);
}

void ReportingDevice::SendVersion(std::string_view version) {
  std::string topic = MqttText(TopicName(UplinkKind::kInform, kBenchProductKey, name_));
  std::string payload = fmt::format(R"({{"id":"1","params":{{"version":"{}"}}}})", version);
  connection_->Send(MqttPacketOf(0x32, topic + std::string("\xFF\xFF") + payload));
}

}  // namespace updraft
