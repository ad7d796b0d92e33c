// The options of `updraft serve`, from the command line or the [serve] section of a --config file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "adapters/cli/host_options.h"
#include "events/base/status.h"

namespace updraft {

struct ServeOptions {
  HostOptions host;
  std::string http = "127.0.0.1:8080";
  std::string mqtt;
  std::string with_broker;
  std::string language = "en";
  bool no_gate = false;
};

// "HOST:PORT", with or without "mqtt://" or "http://" before it.
std::optional<HostPort> ReadHostPort(std::string_view text);

// Parsing fills `options`, which outlives `serve`.
void AddServeOptions(CLI::App& serve, ServeOptions& options);

// Reads the addresses that parsing left as text. INVALID_ARGUMENT names the option.
Status ReadAddresses(ServeOptions& options);

}  // namespace updraft
