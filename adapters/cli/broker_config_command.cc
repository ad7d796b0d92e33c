// `updraft broker-config`: what a mosquitto that somebody else runs needs to be told.
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "adapters/broker_plugin/broker_config.h"
#include "adapters/cli/broker_files.h"
#include "adapters/cli/commands.h"
#include "adapters/cli/installation.h"

namespace updraft {
namespace {

struct Options {
  std::string data_dir;
  std::string listen = "0.0.0.0:1883";
  std::string certificate;
  std::string key;
};

int Run(const Options& options) {
  size_t colon = options.listen.rfind(':');
  BrokerConfigOptions config;
  BrokerListener listener;
  listener.address = options.listen.substr(0, colon);
  listener.port = static_cast<uint16_t>(std::stoul(options.listen.substr(colon + 1)));
  listener.certificate_file = options.certificate;
  listener.key_file = options.key;
  config.listeners = {listener};
  BrokerFiles files(std::filesystem::absolute(Installation(options.data_dir).broker_dir()));
  config.credentials = files.credentials_dir();
  config.engine_password_file = files.password_path();
  config.persistence_directory = "/var/lib/mosquitto";
  config.plugin = FindPlugin();
  fmt::print("{}", BrokerConfig(config));
  fmt::print(stderr,
             "# Put this in mosquitto.conf, let mosquitto's user read {}, and start\n"
             "#   updraft serve --data {} --mqtt mqtt://HOST:PORT\n",
             files.dir(), options.data_dir);
  return kExitOk;
}

}  // namespace

void AddBrokerConfig(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "broker-config", "Print the configuration for a mosquitto that is run by somebody else");
  command->add_option("--data", options->data_dir, "The data directory of the service")->required();
  command->add_option("--listen", options->listen, "ADDR:PORT for devices")
      ->check([](const std::string& text) {
        size_t colon = text.rfind(':');
        bool good = colon != std::string::npos && colon + 1 < text.size() &&
                    text.find_first_not_of("0123456789", colon + 1) == std::string::npos &&
                    text.size() - colon <= 6;
        return good ? std::string() : "write ADDR:PORT";
      })
      ->capture_default_str();
  command->add_option("--tls-certificate", options->certificate, "PEM file; with --tls-key");
  command->add_option("--tls-key", options->key, "PEM file; with --tls-certificate");
  command->callback([options, &exit_code] { exit_code = Run(*options); });
}

}  // namespace updraft
