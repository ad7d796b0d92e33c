#include "adapters/broker_plugin/options.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>

#include <fmt/format.h>

namespace updraft {
namespace {

Status Bad(std::string message) { return Status(StatusCode::kInvalidArgument, std::move(message)); }

uint32_t* FindNumber(GateOptions& options, std::string_view key) {
  const std::pair<std::string_view, uint32_t*> numbers[] = {
      {"connects_per_minute", &options.connects_per_minute},
      {"keepalive_min", &options.keepalive_min},
      {"keepalive_max", &options.keepalive_max},
      {"payload_bytes_max", &options.payload_bytes_max},
      {"report_bytes_max", &options.report_bytes_max},
      {"qos0_per_second", &options.qos0_per_second},
      {"qos1_per_second", &options.qos1_per_second},
      {"subscriptions_max", &options.subscriptions_max},
      {"failures_per_minute", &options.failures_per_minute},
      {"address_failures_per_minute", &options.address_failures_per_minute},
      {"block_seconds", &options.block_seconds},
      {"stats_seconds", &options.stats_seconds},
  };
  for (const auto& [name, number] : numbers) {
    if (name == key) return number;
  }
  return nullptr;
}

std::optional<uint32_t> ParseNumber(std::string_view text) {
  uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Result<GateOptions> ParseGateOptions(
    std::span<const std::pair<std::string_view, std::string_view>> options) {
  GateOptions parsed;
  for (const auto& [key, value] : options) {
    if (key == "credentials") {
      parsed.credentials = value;
    } else if (key == "engine_password_file") {
      parsed.engine_password_file = value;
    } else if (uint32_t* number = FindNumber(parsed, key)) {
      std::optional<uint32_t> given = ParseNumber(value);
      if (!given) return Bad(fmt::format("plugin_opt_{} is a whole number, not {}", key, value));
      *number = *given;
    } else {
      return Bad(fmt::format("plugin_opt_{} is unknown", key));
    }
  }
  if (parsed.credentials.empty()) return Bad("plugin_opt_credentials is missing");
  if (parsed.engine_password_file.empty()) return Bad("plugin_opt_engine_password_file is missing");
  return parsed;
}

Result<std::string> ReadEnginePassword(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return Status(StatusCode::kUnavailable,
                  fmt::format("cannot open {}: {}", path, strerror(errno)));
  }
  std::string password;
  std::getline(file, password);
  if (password.empty()) return Bad(fmt::format("{} holds no password", path));
  return password;
}

}  // namespace updraft
