// The plugin's options, `plugin_opt_…` in mosquitto's configuration.
// Thread-safety: pure, but for ReadEnginePassword, which reads a file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "events/base/status.h"

namespace updraft {

// 0 is no limit.
struct GateOptions {
  std::string credentials;           // A directory.
  std::string engine_password_file;  // The first line counts.
  uint32_t connects_per_minute = 5;  // Of one device, accepted ones.
  uint32_t keepalive_min = 30;       // Seconds; the service that devices come from refuses others.
  uint32_t keepalive_max = 1200;
  uint32_t payload_bytes_max = 262'144;
  // Of what waits in the broker's memory for the engine. Real reports have a few hundred bytes.
  uint32_t report_bytes_max = 16'384;
  uint32_t qos0_per_second = 30;
  uint32_t qos1_per_second = 10;
  uint32_t subscriptions_max = 100;  // Of one connection; the Node SDK makes 16.
  // Failed connects of one user name from one address. Not of an address alone: a site's devices
  // stand behind one address, and one with a bad secret must not lock out the others.
  uint32_t failures_per_minute = 10;
  // Of one address, all user names together: more than an honest site has.
  uint32_t address_failures_per_minute = 1000;
  uint32_t block_seconds = 60;
  uint32_t stats_seconds = 5;
};

// INVALID_ARGUMENT names the option that is unknown, missing or no number.
Result<GateOptions> ParseGateOptions(
    std::span<const std::pair<std::string_view, std::string_view>> options);

// The first line of the file. UNAVAILABLE where it cannot be read, INVALID_ARGUMENT where it is
// empty.
Result<std::string> ReadEnginePassword(const std::string& path);

}  // namespace updraft
