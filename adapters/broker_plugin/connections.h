// The devices' live connections. A device is its credential key, whatever client id it came with;
// its newest connection is the live one, and an older one that the broker has not closed yet is
// superseded: it may finish what it is doing and its end means nothing.
//
// Thread-safety: none. A Connection stays where it is until it is closed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "adapters/broker_plugin/rate_limits.h"
#include "adapters/wire/credential_table.h"

namespace updraft {

struct Connection {
  CredentialKey key;
  std::string product_key;
  std::string device_name;
  std::string ip;
  uint64_t generation = 0;  // From 1, over all devices.
  bool live = true;         // False once superseded.
  MessageRate rate;
};

class Connections {
 public:
  using Client = const void*;  // The broker's name for a connection.

  // `client` must not be open.
  Connection& Open(Client client, const CredentialKey& key, std::string_view product_key,
                   std::string_view device_name, std::string_view ip);
  // Forgets it; nothing if `client` is not open.
  std::optional<Connection> Close(Client client);

  Connection* Find(Client client);
  // The device's live connection.
  Connection* FindLive(const CredentialKey& key);

  size_t live() const { return live_.size(); }
  uint64_t newest_generation() const { return newest_generation_; }

  // Calls `visit` for at most `count` live connections with a generation above `after`, the oldest
  // first. Returns the generation to go on after; nothing when all up to `last` are visited.
  std::optional<uint64_t> VisitLive(uint64_t after, uint64_t last, size_t count,
                                    const std::function<void(const Connection&)>& visit) const;

 private:
  uint64_t newest_generation_ = 0;
  std::map<uint64_t, Connection> by_generation_;
  std::unordered_map<Client, Connection*> by_client_;
  std::unordered_map<CredentialKey, Connection*, CredentialKeyHash> live_;
};

}  // namespace updraft
