#include "adapters/broker_plugin/connections.h"

#include <utility>

#include "events/base/assert.h"

namespace updraft {

Connection& Connections::Open(Client client, const CredentialKey& key, std::string_view product_key,
                              std::string_view device_name, std::string_view ip) {
  const uint64_t generation = ++newest_generation_;
  Connection& connection = by_generation_[generation];
  connection.key = key;
  connection.product_key = product_key;
  connection.device_name = device_name;
  connection.ip = ip;
  connection.generation = generation;
  bool fresh = by_client_.emplace(client, &connection).second;
  Assert(fresh, "a client opens one connection");
  Connection*& live = live_[key];
  if (live != nullptr) live->live = false;
  live = &connection;
  return connection;
}

std::optional<Connection> Connections::Close(Client client) {
  auto found = by_client_.find(client);
  if (found == by_client_.end()) return std::nullopt;
  auto node = by_generation_.extract(found->second->generation);
  by_client_.erase(found);
  if (node.mapped().live) live_.erase(node.mapped().key);
  return std::move(node.mapped());
}

Connection* Connections::Find(Client client) {
  auto found = by_client_.find(client);
  return found == by_client_.end() ? nullptr : found->second;
}

Connection* Connections::FindLive(const CredentialKey& key) {
  auto found = live_.find(key);
  return found == live_.end() ? nullptr : found->second;
}

std::optional<uint64_t> Connections::VisitLive(
    uint64_t after, uint64_t last, size_t count,
    const std::function<void(const Connection&)>& visit) const {
  auto at = by_generation_.upper_bound(after);
  for (; count > 0 && at != by_generation_.end() && at->first <= last; ++at) {
    after = at->first;
    if (!at->second.live) continue;
    visit(at->second);
    --count;
  }
  if (at == by_generation_.end() || at->first > last) return std::nullopt;
  return after;
}

}  // namespace updraft
