#include "tests/simulation/broker.h"

#include <fmt/format.h>

#include "adapters/wire/gate_topics.h"

namespace updraft::simulation {

void Broker::Stop(bool lose_queue) {
  running_ = false;
  deliver_ = nullptr;
  if (lose_queue) waiting_.clear();
  auto connections = std::move(connections_);
  connections_.clear();
  for (auto& [who, connection] : connections) connection.closed();
}

void Broker::Start() {
  running_ = true;
  epoch_ += 1'000;
  generation_ = 0;
  Queue(std::string(kGateBrokerTopic), fmt::format(R"({{"epoch":{},"version":1}})", epoch_));
}

void Broker::ConnectEngine(std::function<void(const Uplink&)> deliver) {
  deliver_ = std::move(deliver);
  // Before anything new comes what was under way, marked as sent before.
  for (Uplink& message : waiting_) {
    deliver_(message);
    message.duplicate = true;
  }
  // Retained: it comes to whoever subscribes.
  Queue(std::string(kGateBrokerTopic), fmt::format(R"({{"epoch":{},"version":1}})", epoch_));
}

void Broker::Queue(std::string topic, std::string payload) {
  waiting_.push_back({next_id_++, std::move(topic), std::move(payload)});
  if (!deliver_) return;
  deliver_(waiting_.back());
  waiting_.back().duplicate = true;
}

void Broker::PubackFromEngine(uint64_t id) {
  std::erase_if(waiting_, [&](const Uplink& message) { return message.id == id; });
}

void Broker::PublishFromEngine(const std::string& topic, const std::string& payload) {
  if (topic == kGateRosterGetTopic) {
    for (const auto& [who, connection] : connections_) AnnouncePresence(connection, true);
    Queue(std::string(kGateRosterTopic), fmt::format(R"({{"request":"{}","epoch":{},"count":{}}})",
                                                     payload, epoch_, connections_.size()));
    return;
  }
  std::optional<GateDownTopic> down = ParseGateDownTopic(topic);
  if (!down) return;
  auto found = connections_.find({std::string(down->product_key), std::string(down->device_name)});
  if (found == connections_.end()) {
    ++notices_dropped_;
    return;
  }
  ++notices_delivered_;
  found->second.deliver(std::string(down->device_topic), payload);
}

uint32_t Broker::Connect(DeviceConnection connection) {
  if (!running_ || (admits && !admits(connection.product, connection.name))) return 0;
  connection.generation = ++generation_;
  std::pair who(connection.product, connection.name);
  std::function<void()> closed;
  if (auto old = connections_.find(who); old != connections_.end()) {
    closed = std::move(old->second.closed);
    connections_.erase(old);
  }
  AnnouncePresence(connection, true);
  connections_.emplace(who, std::move(connection));
  if (closed) closed();
  return generation_;
}

void Broker::Disconnect(const std::string& product, const std::string& name, uint32_t generation) {
  auto found = connections_.find({product, name});
  if (found == connections_.end() || found->second.generation != generation) return;
  DeviceConnection connection = std::move(found->second);
  connections_.erase(found);
  AnnouncePresence(connection, false);
}

void Broker::Kick(const std::string& product, const std::string& name) {
  auto found = connections_.find({product, name});
  if (found == connections_.end()) return;
  std::function<void()> closed = found->second.closed;
  Disconnect(product, name, found->second.generation);
  closed();
}

void Broker::AnnouncePresence(const DeviceConnection& connection, bool online) {
  Queue(MakeGatePresenceTopic({connection.product, connection.name}),
        fmt::format(R"({{"state":"{}","epoch":{},"generation":{}}})", online ? "online" : "offline",
                    epoch_, connection.generation));
}

void Broker::PublishFromDevice(const std::string& product, const std::string& name,
                               uint32_t generation, std::string_view kind,
                               const std::string& payload) {
  auto found = connections_.find({product, name});
  if (found == connections_.end() || found->second.generation != generation) return;
  Queue(fmt::format("updraft/up/{}/{}/{}", kind, product, name), payload);
}

}  // namespace updraft::simulation
