// updraft_fleet: plays the devices of a list against a broker and a file server.
//
// Prints a line of JSON when all devices have reported their first version, and one with the counts
// at the end. Exit code 0 when every device is where its behaviour must lead it, 1 when not, 2 for
// wrong arguments.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "tests/fleet/fleet.h"

namespace updraft {
namespace {

using Json = nlohmann::ordered_json;

Fleet* running = nullptr;

void OnSignal(int) { running->Stop(); }

// One device a line: product key, name, secret, with commas between.
Result<std::vector<DeviceAccount>> ReadAccounts(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Status(StatusCode::kNotFound, fmt::format("{} cannot be read", path));
  std::vector<DeviceAccount> accounts;
  for (std::string line; std::getline(file, line);) {
    size_t first = line.find(','), second = line.find(',', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("{}:{}: not key,name,secret", path, accounts.size() + 1));
    }
    accounts.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1),
                        line.substr(second + 1)});
  }
  return accounts;
}

void Print(const Json& json) {
  std::cout << json.dump() << std::endl;  // Flushed: someone waits for it.
}

Json ResultOf(const Fleet& fleet) {
  constexpr size_t kNamesMax = 10;
  std::map<std::string, uint64_t> ends, by_notices;
  uint64_t notices = 0, unreadable = 0;
  for (size_t i = 0; i < fleet.size(); ++i) {
    const Device& device = fleet.device(i);
    ++ends[std::string(EndName(device.end()))];
    ++by_notices[fmt::format("{}", device.notices())];
    notices += device.notices();
    unreadable += device.notices_unreadable();
  }
  std::vector<const Device*> unfinished = fleet.Unfinished();
  Json names = Json::array();
  for (const Device* device : unfinished) {
    if (names.size() == kNamesMax) break;
    names.push_back(
        fmt::format("{}:{}", device->account().name, BehaviourName(device->behaviour())));
  }
  const FleetCounts& counts = fleet.counts();
  return {{"devices", fleet.size()},
          {"ends", ends},
          {"unfinished", unfinished.size()},
          {"unfinished_first", names},
          {"notices", notices},
          {"notices_unreadable", unreadable},
          {"devices_by_notices", by_notices},
          {"logins", counts.logins},
          {"logins_refused", counts.logins_refused},
          {"connections_lost", counts.connections_lost},
          {"published", counts.published},
          {"unsent", counts.unsent},
          {"downloads", counts.downloads},
          {"download_requests", counts.download_requests},
          {"downloads_refused", counts.downloads_refused},
          {"bytes", counts.bytes}};
}

void WriteEnds(const Fleet& fleet, const std::string& path) {
  std::ofstream file(path);
  for (size_t i = 0; i < fleet.size(); ++i) {
    const Device& device = fleet.device(i);
    file << fmt::format("{},{},{},{},{}\n", device.account().name,
                        BehaviourName(device.behaviour()), EndName(device.end()), device.version(),
                        device.notices());
  }
}

int Main(int argc, char** argv) {
  FleetOptions options;
  std::string devices, broker, mix = "honest=1", ends;
  int64_t timeout_s = 0;
  CLI::App app("Plays simulated devices that speak as Link SDK C 4.x does.");
  app.add_option("--devices", devices, "File of lines productKey,deviceName,deviceSecret")
      ->required();
  app.add_option("--broker", broker, "IP:PORT of the MQTT broker")->required();
  app.add_option("--mix", mix, "Behaviours by weight, as honest=90,failing=6,never=4");
  app.add_option("--seed", options.seed, "Which device behaves how");
  app.add_option("--version", options.habits.version, "The version that all run at first");
  app.add_option("--step-ms", options.habits.step_ms, "Time a twentieth of a download takes");
  app.add_option("--away-ms", options.habits.away_ms, "How long a returning device is away");
  app.add_option("--downloads", options.downloads_max, "Most downloads at once");
  app.add_option("--timeout-s", timeout_s, "Gives up after so long; 0 never does");
  app.add_option("--ends", ends, "Writes name,behaviour,end,version,notices of each device here");
  app.add_flag("--stay", options.stay, "Runs until SIGTERM or SIGINT");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  Result<std::vector<DeviceAccount>> accounts = ReadAccounts(devices);
  Result<Mix> parsed = ParseMix(mix);
  size_t colon = broker.find(':');
  for (const Status& status : {accounts.status(), parsed.status()}) {
    if (!status.ok()) return std::cerr << status.message() << "\n", 2;
  }
  if (colon == std::string::npos) return std::cerr << "--broker is IP:PORT\n", 2;
  options.mix = *parsed;
  options.broker.ip = broker.substr(0, colon);
  std::from_chars(broker.data() + colon + 1, broker.data() + broker.size(), options.broker.port);
  options.timeout_ms = timeout_s * 1'000;

  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  const int64_t start_ms = Loop::NowMs();
  const size_t count = accounts->size();
  options.on_ready = [start_ms, count] {
    Print({{"ready", count}, {"milliseconds", Loop::NowMs() - start_ms}});
  };
  Fleet fleet(std::move(options), *std::move(accounts));
  running = &fleet;
  std::signal(SIGTERM, OnSignal);
  std::signal(SIGINT, OnSignal);
  fleet.Run();
  Print(ResultOf(fleet));
  if (!ends.empty()) WriteEnds(fleet, ends);
  return fleet.Unfinished().empty() ? 0 : 1;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
