// `updraft follow`: the committed events as they come, a JSON object a line.
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "adapters/cli/api_client.h"
#include "adapters/cli/commands.h"
#include "adapters/cli/event_follower.h"

namespace updraft {
namespace {

struct FollowOptions {
  ApiClientOptions client;
  uint64_t from = 1;
  uint64_t until = 0;
};

int RunFollow(const FollowOptions& options) {
  Result<ApiClient> client = ApiClient::Of(options.client);
  if (!client.ok()) return Fail(client.status());
  EventFollower follower(*client, Seq(options.from));
  while (options.until == 0 || follower.last().value() < options.until) {
    Result<std::vector<FollowedEvent>> events = follower.Next(1'000);
    if (!events.ok()) {
      if (follower.last().value() >= options.from) {
        fmt::print(stderr, "updraft: go on with --from {}\n", follower.last().value() + 1);
      }
      return Fail(events.status());
    }
    for (const FollowedEvent& event : *events) {
      if (options.until != 0 && event.seq.value() > options.until) return kExitOk;
      fmt::print("{}\n", event.json);
    }
    if (std::fflush(stdout) != 0) return kExitOk;  // Nobody reads any more.
  }
  return kExitOk;
}

}  // namespace

void AddFollow(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<FollowOptions>();
  CLI::App* follow = app.add_subcommand("follow", "Print the committed events as they come");
  AddClientOptions(*follow, options->client);
  follow->add_option("--from", options->from, "The first event's number")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  follow->add_option("--until", options->until, "End behind this event; 0 is never")
      ->capture_default_str();
  follow->footer(
      "Each event once, in order, a JSON object a line, the same as 'updraft log show' prints. A\n"
      "service that restarts is waited for, up to a minute, and nothing is missed.");
  follow->callback([options, &exit_code] { exit_code = RunFollow(*options); });
}

}  // namespace updraft
