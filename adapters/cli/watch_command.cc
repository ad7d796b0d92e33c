// `updraft watch`: a batch's progress, live on a terminal, as plain lines in a pipe.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "adapters/cli/api_client.h"
#include "adapters/cli/commands.h"
#include "adapters/cli/event_follower.h"
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
  uint64_t sequence = 0;  // The last event that is surely in it.
  std::array<uint64_t, kStateCount> counts = {};

  uint64_t total() const {
    uint64_t sum = 0;
    for (uint64_t n : counts) sum += n;
    return sum;
  }
  bool over() const { return status == "COMPLETED" || status == "CANCELED"; }
  uint64_t open() const { return counts[0] + counts[1] + counts[2] + counts[3]; }
  friend bool operator==(const Sight& a, const Sight& b) {
    return a.status == b.status && a.counts == b.counts;
  }
};

Result<Sight> Look(const ApiClient& client, const std::string& job) {
  ASSIGN_OR_RETURN(Json answer, client.Must("QueryOTATaskCounts", {{"JobId", job}}));
  Sight sight;
  const Json& data = answer["Data"];
  sight.status = data.value("JobStatus", "");
  sight.sequence = data.value("Sequence", uint64_t{0});
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

// Shows what was seen, when it is worth a line.
class Show {
 public:
  Show(bool terminal, bool json) : terminal_(terminal), json_(json) {}

  void Take(const Sight& sight) {
    if (terminal_) {
      Draw(sight, first_, (SystemClock().MonotonicUs() - began_us_) / 1'000'000);
    } else if (first_ || !(sight == last_)) {
      Print(sight);
    }
    first_ = false;
    last_ = sight;
  }

 private:
  void Print(const Sight& sight) const {
    if (json_) {
      Json json = {{"sequence", sight.sequence}, {"status", sight.status}};
      for (size_t i = 0; i < kStateCount; ++i) json[kStates[i].key] = sight.counts[i];
      fmt::print("{}\n", json.dump());
    } else {
      fmt::print("{}\n", Line(sight));
    }
    std::fflush(stdout);
  }

  const bool terminal_;
  const bool json_;
  const int64_t began_us_ = SystemClock().MonotonicUs();
  bool first_ = true;
  Sight last_;
};

// The counts are looked at when an event has come that may have changed them, and no more often
// than every `interval_ms`. The events are followed without a gap from the first look on, so that
// no change is missed, whatever breaks between us and the service.
int RunWatch(const WatchOptions& options) {
  Result<ApiClient> client = ApiClient::Of(options.client);
  if (!client.ok()) return Fail(client.status());
  Result<Sight> sight = Look(*client, options.job);
  if (!sight.ok()) return Fail(sight.status());
  Show show(isatty(STDOUT_FILENO) == 1 && !options.json, options.json);
  show.Take(*sight);
  EventFollower follower(*client, Seq(sight->sequence + 1));
  bool stale = false;
  int64_t looked_us = SystemClock().MonotonicUs();
  while (!sight->over() || sight->open() != 0) {
    Result<std::vector<FollowedEvent>> events = follower.Next(options.interval_ms);
    if (!events.ok()) return Fail(events.status());
    stale |= !events->empty();
    int64_t now_us = SystemClock().MonotonicUs();
    if (!stale || now_us - looked_us < int64_t{options.interval_ms} * 1'000) continue;
    Result<Sight> next = Look(*client, options.job);
    bool away = next.status().code() == StatusCode::kUnavailable;
    if (away && now_us - looked_us < EventFollower::kPatienceMs * 1'000) continue;
    if (!next.ok()) return Fail(next.status());
    sight = next;
    looked_us = now_us;
    stale = false;
    show.Take(*sight);
  }
  return kExitOk;
}

}  // namespace

void AddWatch(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<WatchOptions>();
  CLI::App* watch = app.add_subcommand("watch", "Follow a batch until it is over");
  watch->add_option("job", options->job, "The JobId that creating the batch answered")->required();
  AddClientOptions(*watch, options->client);
  watch->add_option("--interval", options->interval_ms, "Milliseconds between two looks at least")
      ->check(CLI::Range(50, 60'000))
      ->capture_default_str();
  watch->add_flag("--json", options->json, "A JSON object a line");
  watch->footer(
      "On a terminal it draws bars; in a pipe it prints a line for each change. A service that\n"
      "restarts is waited for, up to a minute, and no change is missed. The events themselves are\n"
      "printed by 'updraft follow'.");
  watch->callback([options, &exit_code] { exit_code = RunWatch(*options); });
}

}  // namespace updraft
