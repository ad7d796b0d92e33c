// `updraft log`: the event log of a data directory, read in place.
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "adapters/cli/api_client.h"
#include "adapters/cli/commands.h"
#include "adapters/cli/local_log.h"
#include "engine/core.h"
#include "events/base/bytes.h"
#include "events/event_json.h"

namespace updraft {
namespace {

struct LogOptions {
  std::string data_dir;
  uint64_t from = 1;
  uint64_t to = 0;
  bool json = false;
};

Status Verify(const LogOptions& options) {
  ASSIGN_OR_RETURN(auto log, OpenLocalLog(options.data_dir));
  World world;
  ASSIGN_OR_RETURN(FoldProgress folded, FoldLog(*log, {}, world, [](const FoldProgress& p) {
                     DrawProgress("verify", p.at.value(), p.last.value());
                   }));
  EndProgress();
  LogHead head = log->head();
  if (folded.at != head.last) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("the log's head is event {}, but only {} events can be read",
                              head.last.value(), folded.at.value()));
  }
  if (options.json) {
    Json json = {{"ok", true},
                 {"events", head.last.value()},
                 {"hash", HexLower(head.hash)},
                 {"digest", world.digest().ToString()}};
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print(
        "all is well: {} events to {}, every link of the chain and every digest holds\n"
        "head {}\ndigest {}\n",
        head.last.value(), ShowTime(head.time_ms), HexLower(head.hash), world.digest().ToString());
  }
  return OkStatus();
}

Status Show(const LogOptions& options) {
  ASSIGN_OR_RETURN(auto log, OpenLocalLog(options.data_dir));
  const Status stop(StatusCode::kAborted, "far enough");
  bool ended = false;
  Status status = log->Read(Seq(options.from), [&](const CommitReader& commit) -> Status {
    uint64_t seq = commit.header().first.value();
    for (events::Event::Reader event : commit.events()) {
      if (options.to != 0 && seq > options.to) {
        ended = true;
        return stop;
      }
      if (seq >= options.from) {
        fmt::print("{}\n", EventJson(Seq(seq), commit.header().time_ms, event));
      }
      ++seq;
    }
    return OkStatus();
  });
  return ended ? OkStatus() : status;
}

}  // namespace

void AddLog(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<LogOptions>();
  CLI::App* log = app.add_subcommand("log", "Verify and read the event log of a data directory");
  log->require_subcommand(1);
  auto add = [&](const char* name, const char* what, Status (*run)(const LogOptions&)) {
    CLI::App* command = log->add_subcommand(name, what);
    command->add_option("--data", options->data_dir, "The data directory")->required();
    command->callback([options, &exit_code, run] {
      Status status = run(*options);
      exit_code = status.ok() ? kExitOk : Fail(status);
    });
    return command;
  };
  CLI::App* verify = add("verify",
                         "Check chain, numbers and digests of the whole log; exit code 0 only when "
                         "all is well, 4 when it is damaged",
                         Verify);
  verify->add_flag("--json", options->json, "The result as JSON");
  CLI::App* show = add("show", "Print events as JSON, one a line", Show);
  show->add_option("--from", options->from, "The first event")->capture_default_str();
  show->add_option("--to", options->to, "The last event; 0 is the log's last")
      ->capture_default_str();
}

}  // namespace updraft
