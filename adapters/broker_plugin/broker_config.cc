#include "adapters/broker_plugin/broker_config.h"

#include <fmt/format.h>

namespace updraft {
namespace {

constexpr std::string_view kFixedLines = R"(
# The plugin decides for all listeners.
per_listener_settings false
allow_anonymous false

# What devices say waits here for the engine, however long it is away. Not 0, which means the same,
# but lets this version close the connection of a client whose message was denied.
max_queued_messages 2000000000
max_inflight_messages 1000
queue_qos0_messages false

# Above the plugin's own limit on a device's payload, which counts and tells what it refuses.
max_packet_size 1114112

# Sessions of devices that have gone for good. The engine's counts too: it may be away that long.
persistent_client_expiration 14d

set_tcp_nodelay true
sys_interval 0
connection_messages false
)";

std::string ListenerLines(const BrokerListener& listener) {
  std::string lines = fmt::format("\nlistener {}{}{}\n", listener.port,
                                  listener.address.empty() ? "" : " ", listener.address);
  if (!listener.certificate_file.empty()) {
    lines += fmt::format("certfile {}\nkeyfile {}\n", listener.certificate_file, listener.key_file);
  }
  return lines;
}

}  // namespace

std::string BrokerConfig(const BrokerConfigOptions& options) {
  std::string text = "# mosquitto 2.0 for Updraft.\n";
  if (!options.user.empty()) text += fmt::format("user {}\n", options.user);
  text += kFixedLines;
  if (options.persistence_directory.empty()) {
    text += "persistence false\n";
  } else {
    // Written at the end and on SIGUSR1 only: the broker serves nobody while it writes.
    text += fmt::format("persistence true\npersistence_location {}\nautosave_interval 0\n",
                        options.persistence_directory);
  }
  text +=
      fmt::format("\nplugin {}\nplugin_opt_credentials {}\nplugin_opt_engine_password_file {}\n",
                  options.plugin, options.credentials, options.engine_password_file);
  for (const BrokerListener& listener : options.listeners) text += ListenerLines(listener);
  return text;
}

}  // namespace updraft
