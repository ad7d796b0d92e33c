#include "adapters/cli/serve_options.h"

#include <charconv>

#include <fmt/format.h>

namespace updraft {

std::optional<HostPort> ReadHostPort(std::string_view text) {
  for (std::string_view scheme : {"mqtt://", "http://"}) {
    if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
  }
  size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return std::nullopt;
  HostPort result{std::string(text.substr(0, colon)), 0};
  std::string_view port = text.substr(colon + 1);
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return result;
}

Status ReadAddresses(ServeOptions& options) {
  auto read = [](const std::string& text, const char* flag) -> Result<HostPort> {
    if (std::optional<HostPort> address = ReadHostPort(text)) return *address;
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{} wants ADDR:PORT, not '{}'", flag, text));
  };
  ASSIGN_OR_RETURN(options.host.http, read(options.http, "--http"));
  if (!options.mqtt.empty()) {
    ASSIGN_OR_RETURN(options.host.mqtt, read(options.mqtt, "--mqtt"));
  }
  if (!options.with_broker.empty()) {
    ASSIGN_OR_RETURN(options.host.with_broker, read(options.with_broker, "--with-broker"));
  }
  std::string& url = options.host.public_url;
  while (url.ends_with('/')) url.pop_back();
  const std::string& host = options.host.http.host;
  if (url.empty() && (host == "0.0.0.0" || host == "*" || host == "[::]" || host == "::")) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("--http {} tells devices no address to download from: add "
                              "--public-url http://HOST:{} with a host by which they reach this "
                              "machine",
                              options.http, options.host.http.port));
  }
  if (!options.host.mqtt && !options.host.with_broker) {
    return Status(StatusCode::kInvalidArgument,
                  "devices need a broker: --with-broker ADDR:PORT starts a private one, --mqtt "
                  "mqtt://HOST:PORT names one that runs");
  }
  return OkStatus();
}

void AddServeOptions(CLI::App& serve, ServeOptions& options) {
  HostOptions& host = options.host;
  serve.add_option("--data", host.data_dir, "Data directory; made when missing")->required();
  serve
      .add_option("--http", options.http,
                  "ADDR:PORT for the console's API and downloads; port 0 takes a free one")
      ->capture_default_str();
  auto* mqtt = serve.add_option("--mqtt", options.mqtt,
                                "mqtt://HOST:PORT of a broker that runs (see broker-config)");
  auto* with = serve.add_option("--with-broker", options.with_broker,
                                "ADDR:PORT: start a private mosquitto here, with the gate");
  with->excludes(mqtt);
  serve
      .add_flag("--no-gate", options.no_gate,
                "The broker of --mqtt has not our plugin: no credentials, presence by reports")
      ->needs(mqtt);
  serve.add_option("--public-url", host.public_url,
                   "What devices download from, as http://ota.example.com; the HTTP address "
                   "when not given. Keep it on port 80 or 443 for old devices");
  serve
      .add_option("--connections-max", host.connections_max,
                  "HTTP connections at once, downloads among them")
      ->check(CLI::Range(16u, 1'000'000u))
      ->capture_default_str();
  serve
      .add_option("--connections-per-address-max", host.connections_per_address_max,
                  "Of one address. Raise it to --connections-max behind a proxy: all clients then "
                  "have the proxy's")
      ->check(CLI::Range(1u, 1'000'000u))
      ->capture_default_str();
  serve
      .add_option("--engine-number", host.engine_number,
                  "Told apart from other engines in all ids; set once, never changed")
      ->check(CLI::Range(1, 9'999))
      ->capture_default_str();
  serve.add_option("--language", options.language, "zh or en, of task descriptions")
      ->check(CLI::IsMember({"zh", "en"}))
      ->capture_default_str();
  serve
      .add_option("--rate-factor", host.rate_factor,
                  "Calls a second and key, as a multiple of the vendor's; 0 is no limit")
      ->capture_default_str();
  serve
      .add_option("--repeats-per-second", host.repeats_per_second,
                  "Notices to devices that came back, of all batches")
      ->check(CLI::Range(1u, 100'000u))
      ->capture_default_str();
  serve
      .add_option("--verification-timeout", host.verification_timeout_minutes,
                  "Minutes, of verification batches that name none")
      ->check(CLI::Range(1u, 1'440u))
      ->capture_default_str();
  serve.add_option("--packages-max", host.packages_max, "Packages at most; 0 is no limit")
      ->capture_default_str();
  serve
      .add_option("--devices-per-batch-max", host.devices_per_batch_max,
                  "Devices of a batch at most; 0 is no limit")
      ->capture_default_str();
  serve
      .add_option("--checkpoint-events", host.checkpoint_events,
                  "A checkpoint so many events after the last at the earliest; 0: none is made")
      ->capture_default_str();
  serve.footer(
      "When it serves it prints one line, 'ready http=ADDR:PORT mqtt=HOST:PORT'. The first access\n"
      "key is in DIR/access-key.json. SIGTERM ends it in order. All of these can stand in the\n"
      "[serve] section of a --config file.\n\n"
      "  updraft serve --data data --http 127.0.0.1:8080 --with-broker 127.0.0.1:1883");
}

}  // namespace updraft
