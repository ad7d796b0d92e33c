// `updraft replay`: folds the log anew, to its end or to any moment, and looks at the world there.
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "adapters/cli/api_client.h"
#include "adapters/cli/commands.h"
#include "adapters/cli/local_log.h"
#include "adapters/cli/sights.h"
#include "engine/clock.h"

namespace updraft {
namespace {

struct ReplayOptions {
  std::string data_dir;
  uint64_t to = 0;
  std::string at;
  std::vector<uint64_t> diff;
  std::vector<std::string> query;
  bool json = false;
};

Result<FoldEnd> EndOf(const ReplayOptions& options) {
  FoldEnd end;
  if (options.to != 0) end.seq = Seq(options.to);
  if (!options.at.empty()) {
    end.time_ms = ReadTime(options.at);
    if (!end.time_ms) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("'{}' is no time; write 2026-11-23T07:10:00Z", options.at));
    }
  }
  return end;
}

// Folds, and says how far it came; the last event.
Result<Seq> PrintFold(const EventLog& log, const ReplayOptions& options, World& world) {
  ASSIGN_OR_RETURN(FoldEnd end, EndOf(options));
  int64_t began_us = SystemClock().MonotonicUs();
  Result<FoldProgress> folded = FoldLog(log, end, world, [&](const FoldProgress& p) {
    DrawProgress("replay", p.at.value(), p.last.value());
  });
  EndProgress();
  if (!folded.ok()) return folded.status();
  double seconds = static_cast<double>(SystemClock().MonotonicUs() - began_us) / 1e6;
  double speed = seconds > 0 ? static_cast<double>(folded->at.value()) / seconds : 0;
  if (options.json) {
    Json json = {{"events", folded->at.value()},
                 {"last", folded->last.value()},
                 {"time", ShowTime(folded->time_ms)},
                 {"digest", world.digest().ToString()},
                 {"seconds", seconds},
                 {"eventsPerSecond", speed}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("replayed {} of {} events, to {}, in {:.2f} s ({:.0f} events/s)\ndigest {}\n",
               folded->at.value(), folded->last.value(), ShowTime(folded->time_ms), seconds, speed,
               world.digest().ToString());
  }
  return folded->at;
}

// What became different between two moments, a line each.
Status PrintDiff(const EventLog& log, const ReplayOptions& options) {
  World before;
  World after;
  RETURN_IF_ERROR(FoldLog(log, {Seq(options.diff[0]), {}}, before, nullptr).status());
  RETURN_IF_ERROR(FoldLog(log, {Seq(options.diff[1]), {}}, after, nullptr).status());
  for (const std::string& line : Differences(before, after)) fmt::print("{}\n", line);
  return OkStatus();
}

int RunReplay(const ReplayOptions& options) {
  Result<std::unique_ptr<EventLog>> log = OpenLocalLog(options.data_dir);
  if (!log.ok()) return Fail(log.status());
  if (!options.diff.empty()) {
    Status status = PrintDiff(**log, options);
    return status.ok() ? kExitOk : Fail(status);
  }
  World world;
  Result<Seq> at = PrintFold(**log, options, world);
  if (!at.ok()) return Fail(at.status());
  if (options.query.empty()) return kExitOk;
  Result<ObjectIds> ids = LocalObjectIds(options.data_dir, **log);
  if (!ids.ok()) return Fail(ids.status());
  Status status = PrintSight(**log, world, *at, *ids, options.query);
  return status.ok() ? kExitOk : Fail(status);
}

}  // namespace

void AddReplay(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* replay = app.add_subcommand(
      "replay", "Fold the log anew, to its end or any moment, and look at the world there");
  replay->add_option("query", options->query,
                     "batch JOBID | tasks JOBID | device KEY/NAME | explain KEY/NAME");
  replay->add_option("--data", options->data_dir, "The data directory")->required();
  auto* to = replay->add_option("--to", options->to, "Up to this event, inclusive");
  auto* at = replay->add_option("--at", options->at, "Up to this time: 2026-11-23T07:10:00Z");
  to->excludes(at);
  replay->add_option("--diff", options->diff, "SEQ1 SEQ2: what changed from one to the other")
      ->expected(2)
      ->excludes(to)
      ->excludes(at);
  replay->add_flag("--json", options->json, "The result as JSON");
  replay->footer(
      "Reads the log in place, beside a running service or without one, and changes nothing.\n"
      "The digest is a fingerprint of the whole state: two replays of one log to one event give\n"
      "the same, on any build, or the log says where they part.");
  replay->callback([options, &exit_code] { exit_code = RunReplay(*options); });
}

}  // namespace updraft
