// What the service can be told. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adapters/openapi/openapi.h"

namespace updraft {

struct HostPort {
  std::string host;
  uint16_t port = 0;

  std::string ToString() const { return host + ":" + std::to_string(port); }
};

struct HostOptions {
  std::string data_dir;
  HostPort http;                        // Port 0: a free one.
  std::optional<HostPort> mqtt;         // A broker that somebody else runs.
  std::optional<HostPort> with_broker;  // A private one; port 0: a free one.
  bool gate = true;                     // The broker of `mqtt` has the plugin.
  std::string public_url;               // What devices download from; the HTTP address when empty.
  uint32_t connections_max = 4'096;     // Of HTTP.
  uint32_t connections_per_address_max = 1'024;
  uint16_t engine_number = 1;
  Language language = Language::kEnglish;
  uint32_t rate_factor = 10;
  uint32_t repeats_per_second = 200;
  uint32_t verification_timeout_minutes = 1'440;
  uint32_t packages_max = 0;
  uint32_t devices_per_batch_max = 0;
  uint64_t checkpoint_events = 1'000'000;
};

}  // namespace updraft
