// `updraft watch`: a batch's progress, live on a terminal, as plain lines in a pipe.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "adapters/cli/api_client.h"
#include "adapters/cli/commands.h"
#include "engine/clock.h"

namespace updraft {
namespace {

struct WatchOptions {
  ApiClientOptions client;
  std::string job;
  int interval_ms = 500;
  bool json = false;
};

struct State {
  const char* key;
  const char* label;
  const char* color;
};
// In the order in which a device goes through them.
constexpr State kStates[] = {
    {"CONFIRM", "to confirm", "37"}, {"QUEUED", "pending push", "90"},
    {"NOTIFIED", "pushed", "36"},    {"IN_PROGRESS", "upgrading", "34"},
    {"SUCCEEDED", "success", "32"},  {"FAILED", "failed", "31"},
    {"CANCELED", "cancelled", "33"},
};
constexpr size_t kStateCount = std::size(kStates);

struct Sight {
  std::string status;
  std::array<uint64_t, kStateCount> counts = {};

  uint64_t total() const {
    uint64_t sum = 0;
    for (uint64_t n : counts) sum += n;
    return sum;
  }
  bool over() const { return status == "COMPLETED" || status == "CANCELED"; }
  uint64_t open() const { return counts[0] + counts[1] + counts[2] + counts[3]; }
  friend bool operator==(const Sight&, const Sight&) = default;
};

Result<Sight> Look(const ApiClient& client, const std::string& job) {
  ASSIGN_OR_RETURN(Json answer, client.Must("QueryOTATaskCounts", {{"JobId", job}}));
  Sight sight;
  const Json& data = answer["Data"];
  sight.status = data.value("JobStatus", "");
  for (size_t i = 0; i < kStateCount; ++i) {
    sight.counts[i] = data["Counts"].value(kStates[i].key, uint64_t{0});
  }
  return sight;
}

std::string Line(const Sight& sight) {
  std::string line = fmt::format("{} of {} done", sight.total() - sight.open(), sight.total());
  for (size_t i = 0; i < kStateCount; ++i) {
    if (sight.counts[i] != 0) line += fmt::format(", {} {}", sight.counts[i], kStates[i].label);
  }
  return line + fmt::format(" [{}]", sight.status);
}

// Draws over what was drawn before.
void Draw(const Sight& sight, bool first, int64_t elapsed_s) {
  constexpr uint64_t kWidth = 40;
  if (!first) fmt::print("\x1b[{}A", kStateCount + 1);
  uint64_t total = std::max<uint64_t>(sight.total(), 1);
  fmt::print("\x1b[2K{}  {} of {} done  {}s\n", sight.status, sight.total() - sight.open(),
             sight.total(), elapsed_s);
  for (size_t i = 0; i < kStateCount; ++i) {
    uint64_t bars = (sight.counts[i] * kWidth + total - 1) / total;
    fmt::print("\x1b[2K  {:<13}{:>9}  \x1b[{}m{}\x1b[0m\n", kStates[i].label, sight.counts[i],
               kStates[i].color, std::string(bars, '#'));
  }
  std::fflush(stdout);
}

int RunWatch(const WatchOptions& options) {
  Result<ApiClient> client = ApiClient::Of(options.client);
  if (!client.ok()) return Fail(client.status());
  bool terminal = isatty(STDOUT_FILENO) == 1 && !options.json;
  int64_t began_us = SystemClock().MonotonicUs();
  Sight last;
  bool first = true;
  int silences = 0;
  while (true) {
    Result<Sight> sight = Look(*client, options.job);
    if (!sight.ok()) {
      // A service that restarts is waited for; one that was never there is not.
      constexpr int kSilencesMax = 60;
      bool away = sight.status().code() == StatusCode::kUnavailable;
      if (!away || first || ++silences > kSilencesMax) return Fail(sight.status());
      std::this_thread::sleep_for(std::chrono::milliseconds(options.interval_ms));
      continue;
    }
    silences = 0;
    int64_t elapsed_s = (SystemClock().MonotonicUs() - began_us) / 1'000'000;
    if (terminal) {
      Draw(*sight, first, elapsed_s);
    } else if (first || !(*sight == last)) {
      if (options.json) {
        Json json = {{"status", sight->status}};
        for (size_t i = 0; i < kStateCount; ++i) json[kStates[i].key] = sight->counts[i];
        fmt::print("{}\n", json.dump());
      } else {
        fmt::print("{}\n", Line(*sight));
      }
      std::fflush(stdout);
    }
    first = false;
    last = *sight;
    if (sight->over() && sight->open() == 0) return kExitOk;
    std::this_thread::sleep_for(std::chrono::milliseconds(options.interval_ms));
  }
}

}  // namespace

void AddWatch(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<WatchOptions>();
  CLI::App* watch = app.add_subcommand("watch", "Follow a batch until it is over");
  watch->add_option("job", options->job, "The JobId that creating the batch answered")->required();
  watch->add_option("--data", options->client.data_dir, "Data directory of the running service");
  watch->add_option("--endpoint", options->client.endpoint, "ADDR:PORT of the service");
  watch->add_option("--access-key-id", options->client.access_key_id, "Who asks");
  watch->add_option("--access-key-secret", options->client.access_key_secret, "And the proof");
  watch->add_option("--interval", options->interval_ms, "Milliseconds between two looks")
      ->check(CLI::Range(50, 60'000))
      ->capture_default_str();
  watch->add_flag("--json", options->json, "A JSON object a line");
  watch->footer("On a terminal it draws bars; in a pipe it prints a line for each change.");
  watch->callback([options, &exit_code] { exit_code = RunWatch(*options); });
}

}  // namespace updraft
