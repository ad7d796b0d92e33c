// The configuration of a mosquitto that runs the gate: for the broker that `updraft serve` starts,
// and to be printed for one that is run by somebody else.
// Thread-safety: pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace updraft {

struct BrokerListener {
  uint16_t port = 1883;
  std::string address = {};  // Empty is every address.
  // Both or none; with them the listener speaks TLS.
  std::string certificate_file = {};
  std::string key_file = {};
};

struct BrokerConfigOptions {
  std::string plugin;                // The shared object.
  std::string credentials;           // The directory that the engine writes.
  std::string engine_password_file;  // Readable by the broker's user.
  std::vector<BrokerListener> listeners;
  // Where mosquitto keeps sessions and queued messages when it is stopped; empty for not at all.
  std::string persistence_directory = {};
  // Whom mosquitto becomes when root starts it; empty for its default, `mosquitto`.
  std::string user = {};
};

// The whole text of a mosquitto.conf. Paths must hold no line break.
std::string BrokerConfig(const BrokerConfigOptions& options);

}  // namespace updraft
