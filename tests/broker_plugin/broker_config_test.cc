#include "adapters/broker_plugin/broker_config.h"

#include <catch2/catch.hpp>

namespace updraft {
namespace {

using Catch::Contains;

BrokerConfigOptions Options() {
  return {.plugin = "/lib/gate.so",
          .credentials = "/data/credentials",
          .engine_password_file = "/data/password",
          .listeners = {{.port = 1883, .address = "127.0.0.1"}}};
}

}  // namespace

TEST_CASE("the configuration loads the plugin for every listener and lets nobody else in",
          "[config]") {
  CHECK_THAT(BrokerConfig(Options()),
             Contains("\nper_listener_settings false\n") && Contains("\nallow_anonymous false\n") &&
                 Contains("\nplugin /lib/gate.so\n") &&
                 Contains("\nplugin_opt_credentials /data/credentials\n") &&
                 Contains("\nplugin_opt_engine_password_file /data/password\n"));
}

TEST_CASE("each listener has its lines, TLS where it has a certificate", "[config]") {
  BrokerConfigOptions options = Options();
  options.listeners.push_back(
      {.port = 8883, .address = "", .certificate_file = "/tls/c", .key_file = "/tls/k"});
  std::string text = BrokerConfig(options);
  CHECK_THAT(text, Contains("\nlistener 1883 127.0.0.1\n"));
  CHECK_THAT(text, Contains("\nlistener 8883\ncertfile /tls/c\nkeyfile /tls/k\n"));
}

TEST_CASE("sessions are kept where they are told to be, or not at all", "[config]") {
  BrokerConfigOptions options = Options();
  CHECK_THAT(BrokerConfig(options), Contains("\npersistence false\n"));
  options.persistence_directory = "/data/broker";
  CHECK_THAT(BrokerConfig(options),
             Contains("\npersistence true\npersistence_location /data/broker\n"));
}

TEST_CASE("mosquitto becomes whom it is told to be", "[config]") {
  BrokerConfigOptions options = Options();
  CHECK_THAT(BrokerConfig(options), !Contains("\nuser "));
  options.user = "updraft";
  CHECK_THAT(BrokerConfig(options), Contains("\nuser updraft\n"));
}

}  // namespace updraft
