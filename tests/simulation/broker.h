// The broker with its gate, simulated: who is connected, what devices say on its way to the
// engine, what is said to them on its way back. As adapters/broker_plugin/README.md tells it: one
// `online` for each connection, `offline` for the last one only, everything at QoS 1 in a
// session of the engine that outlives the engine, notices to devices that are there and to none
// that are not.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tests/simulation/schedule.h"

namespace updraft::simulation {

// A message on its way to the engine.
struct Uplink {
  uint64_t id = 0;  // Of the broker's run; what a PUBACK names.
  std::string topic;
  std::string payload;
  bool duplicate = false;  // Sent before.
};

// Who a connection of a device belongs to, and where its messages go.
struct DeviceConnection {
  std::string product;
  std::string name;
  uint32_t generation = 0;
  std::function<void(const std::string& topic, const std::string& payload)> deliver;
  std::function<void()> closed;  // By the broker.
};

class Broker {
 public:
  explicit Broker(Schedule& schedule) : schedule_(schedule) { Start(); }

  bool running() const { return running_; }
  uint64_t epoch() const { return epoch_; }

  // Crashes: every connection is gone, and with `lose_queue` what waited for the engine too.
  void Stop(bool lose_queue);
  void Start();

  // --- The engine's connection ---

  // `deliver` is called, in order, for what waits and for all that comes later; `puback` for the
  // engine's messages. What was delivered and not acknowledged is delivered again.
  void ConnectEngine(std::function<void(const Uplink&)> deliver);
  void DisconnectEngine() { deliver_ = nullptr; }
  bool engine_connected() const { return deliver_ != nullptr; }
  void PubackFromEngine(uint64_t id);
  void PublishFromEngine(const std::string& topic, const std::string& payload);

  // --- Devices ---

  // The generation of the new connection; 0 when the broker is not there or will not have it.
  uint32_t Connect(DeviceConnection connection);
  // The connection ended, as the broker sees it. Of an older generation: nothing happens.
  void Disconnect(const std::string& product, const std::string& name, uint32_t generation);
  // The gate ends the connection of a device that may not connect any more.
  void Kick(const std::string& product, const std::string& name);
  bool IsConnected(const std::string& product, const std::string& name) const {
    return connections_.contains({product, name});
  }
  // A message of a device on one of its own topics; nothing if that connection is gone.
  void PublishFromDevice(const std::string& product, const std::string& name, uint32_t generation,
                         std::string_view kind, const std::string& payload);

  // Devices that may not connect (disabled, deleted) are told by this.
  std::function<bool(const std::string& product, const std::string& name)> admits;

  uint64_t notices_delivered() const { return notices_delivered_; }
  uint64_t notices_dropped() const { return notices_dropped_; }
  const std::deque<Uplink>& waiting() const { return waiting_; }

 private:
  void Queue(std::string topic, std::string payload);
  void AnnouncePresence(const DeviceConnection& connection, bool online);

  Schedule& schedule_;
  bool running_ = false;
  uint64_t epoch_ = 1'700'000'000'000;
  uint32_t generation_ = 0;
  uint64_t next_id_ = 1;
  std::map<std::pair<std::string, std::string>, DeviceConnection> connections_;
  std::deque<Uplink> waiting_;  // Not acknowledged by the engine.
  std::function<void(const Uplink&)> deliver_;
  uint64_t notices_delivered_ = 0;
  uint64_t notices_dropped_ = 0;
};

}  // namespace updraft::simulation
