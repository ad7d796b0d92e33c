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
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <poll.h>

#include "bench/broker.h"

namespace updraft {
namespace {

constexpr size_t kInFlight = 8;  // Of one device.

struct Figures {
  double messages_per_second = 0;
  double broker_cpu_us = 0;  // A message.
};

// A device that keeps kInFlight messages on their way until it has sent its share.
struct Device {
  ReportingDevice reports;
  size_t left = 0;

  void Send() {
    if (left == 0) return;
    --left;
    reports.SendProgress();
  }
};

Figures Measure(const BenchBroker& broker, size_t device_count, size_t messages) {
  std::unique_ptr<BrokerConnection> engine = broker.JoinEngine();
  std::vector<Device> devices;
  for (size_t i = 0; i < device_count; ++i) {
    devices.push_back({ReportingDevice(broker, i), messages / device_count});
  }
  std::vector<pollfd> polled = {{engine->fd(), POLLIN, 0}};
  for (Device& device : devices) {
    polled.push_back({device.reports.connection().fd(), POLLIN, 0});
  }

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
      devices[i].reports.connection().ReceiveWhatIsThere(
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

size_t BytesPerConnection(const BenchBroker& broker, size_t connections) {
  std::vector<std::unique_ptr<BrokerConnection>> held;
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
      BenchBroker broker(
          {.mosquitto = mosquitto, .plugin = plugin, .gate = gate == 1, .devices = devices});
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
    bytes[gate] = BytesPerConnection(
        BenchBroker(
            {.mosquitto = mosquitto, .plugin = plugin, .gate = gate == 1, .devices = held + 1}),
        held);
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
