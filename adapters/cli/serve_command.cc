// `updraft serve`: the service, in the foreground, until it is told to end.
#include <csignal>
#include <ctime>
#include <memory>

#include <fmt/format.h>

#include "adapters/cli/commands.h"
#include "adapters/cli/host.h"
#include "events/base/log_line.h"

namespace updraft {
namespace {

struct ServeOptions {
  HostOptions host;
  std::string http = "127.0.0.1:8080";
  std::string mqtt;
  std::string with_broker;
  std::string language = "en";
  bool no_gate = false;
};

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
  if (!options.host.mqtt && !options.host.with_broker) {
    return Status(StatusCode::kInvalidArgument,
                  "devices need a broker: --with-broker ADDR:PORT starts a private one, --mqtt "
                  "mqtt://HOST:PORT names one that runs");
  }
  return OkStatus();
}

int RunServe(ServeOptions& options) {
  if (Status status = ReadAddresses(options); !status.ok()) return Fail(status);
  options.host.gate = !options.no_gate;
  options.host.language = options.language == "zh" ? Language::kChinese : Language::kEnglish;

  // Before any thread is there, so that all have them blocked and this one waits for them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);

  Result<std::unique_ptr<Host>> host = Host::Start(options.host);
  if (!host.ok()) return Fail(host.status());
  fmt::print("ready http={} mqtt={}\n", (*host)->addresses().http, (*host)->addresses().mqtt);
  std::fflush(stdout);
  timespec second = {1, 0};
  while (sigtimedwait(&ends, nullptr, &second) < 0) (*host)->Tick();
  LogInfo("ending: what was asked is answered first");
  host->reset();
  LogInfo("ended");
  return kExitOk;
}

}  // namespace

void AddServe(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ServeOptions>();
  HostOptions& host = options->host;
  CLI::App* serve = app.add_subcommand("serve", "Run the service");
  serve->add_option("--data", host.data_dir, "Data directory; made when missing")->required();
  serve
      ->add_option("--http", options->http,
                   "ADDR:PORT for the console's API and downloads; port 0 takes a free one")
      ->capture_default_str();
  auto* mqtt = serve->add_option("--mqtt", options->mqtt,
                                 "mqtt://HOST:PORT of a broker that runs (see broker-config)");
  auto* with = serve->add_option("--with-broker", options->with_broker,
                                 "ADDR:PORT: start a private mosquitto here, with the gate");
  with->excludes(mqtt);
  serve
      ->add_flag("--no-gate", options->no_gate,
                 "The broker of --mqtt has not our plugin: no credentials, presence by reports")
      ->needs(mqtt);
  serve->add_option("--public-url", host.public_url,
                    "What devices download from, as http://ota.example.com; the HTTP address "
                    "when not given. Keep it on port 80 or 443 for old devices");
  serve
      ->add_option("--engine-number", host.engine_number,
                   "Told apart from other engines in all ids; set once, never changed")
      ->check(CLI::Range(1, 9'999))
      ->capture_default_str();
  serve->add_option("--language", options->language, "zh or en, of task descriptions")
      ->check(CLI::IsMember({"zh", "en"}))
      ->capture_default_str();
  serve
      ->add_option("--rate-factor", host.rate_factor,
                   "Calls a second and key, as a multiple of the vendor's; 0 is no limit")
      ->capture_default_str();
  serve
      ->add_option("--repeats-per-second", host.repeats_per_second,
                   "Notices to devices that came back, of all batches")
      ->check(CLI::Range(1u, 100'000u))
      ->capture_default_str();
  serve
      ->add_option("--verification-timeout", host.verification_timeout_minutes,
                   "Minutes, of verification batches that name none")
      ->check(CLI::Range(1u, 1'440u))
      ->capture_default_str();
  serve->add_option("--packages-max", host.packages_max, "Packages at most; 0 is no limit")
      ->capture_default_str();
  serve
      ->add_option("--devices-per-batch-max", host.devices_per_batch_max,
                   "Devices of a batch at most; 0 is no limit")
      ->capture_default_str();
  serve
      ->add_option("--checkpoint-events", host.checkpoint_events,
                   "A checkpoint so many events after the last at the earliest; 0: none is made")
      ->capture_default_str();
  serve->footer(
      "When it serves it prints one line, 'ready http=ADDR:PORT mqtt=HOST:PORT'. The first access\n"
      "key is in DIR/access-key.json. SIGTERM ends it in order. All of these can stand in the\n"
      "[serve] section of a --config file.\n\n"
      "  updraft serve --data data --http 127.0.0.1:8080 --with-broker 127.0.0.1:1883");
  serve->callback([options, &exit_code] { exit_code = RunServe(*options); });
}

}  // namespace updraft
