// `updraft log`: the event log of a data directory, or an export of it, read in place.
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "adapters/cli/api_client.h"
#include "adapters/cli/commands.h"
#include "adapters/cli/installation.h"
#include "adapters/cli/local_log.h"
#include "engine/core.h"
#include "events/base/bytes.h"
#include "events/event_json.h"
#include "events/log/audit.h"
#include "events/log/export_file.h"
#include "events/log/head_signature.h"
#include "events/log/rocks_log.h"

namespace updraft {
namespace {

struct LogOptions {
  std::string data_dir;
  std::string file;
  std::string names_key;
  uint64_t from = 1;
  uint64_t to = 0;
  bool json = false;
  bool without_names = false;
};

// The log of the data directory, or the export in a file: both are read alike.
Result<std::unique_ptr<EventLog>> OpenEither(const LogOptions& options) {
  if (options.file.empty() && options.data_dir.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "say which log: --data DIR, or --file FILE of an export");
  }
  if (options.file.empty()) return OpenLocalLog(options.data_dir);
  std::optional<SideCipher> names;
  if (!options.names_key.empty()) {
    ASSIGN_OR_RETURN(names, SideCipher::FromFile(options.names_key));
  }
  ASSIGN_OR_RETURN(auto file, ExportFile::Open(options.file, std::move(names)));
  return std::unique_ptr<EventLog>(std::move(file));
}

// How many names and secrets can be read; nothing when their key is not at hand.
Result<std::optional<uint64_t>> CountNames(const EventLog& log) {
  uint64_t names = 0;
  Status status = log.ScanSide("", [&](std::string_view, std::string_view) {
    ++names;
    return OkStatus();
  });
  if (status.code() == StatusCode::kFailedPrecondition) return std::optional<uint64_t>();
  if (!status.ok()) return status;
  return std::optional(names);
}

void PrintAudit(const LogOptions& options, const Audit& audit, const World& world, bool folded,
                std::optional<uint64_t> names) {
  if (options.json) {
    Json json = {{"ok", audit.verdict.ok()},
                 {"commits", audit.commits},
                 {"events", audit.events},
                 {"hash", HexLower(audit.head.hash)}};
    if (folded) json["digest"] = world.digest().ToString();
    if (names) json["names"] = *names;
    if (!audit.verdict.ok()) json["why"] = audit.verdict.message();
    fmt::print("{}\n", json.dump());
    return;
  }
  fmt::print("{}: {} commits, {} events to {}\n",
             audit.verdict.ok() ? "all is well" : "good until it is damaged", audit.commits,
             audit.events, ShowTime(audit.head.time_ms));
  fmt::print("head {}\n", HexLower(audit.head.hash));
  if (folded) fmt::print("digest {}\n", world.digest().ToString());
  if (!audit.verdict.ok()) return;
  if (names) {
    fmt::print("names and secrets: {}, all readable\n", *names);
  } else {
    fmt::print("names and secrets were not looked at: their key is not there\n");
  }
}

Status Verify(const LogOptions& options) {
  ASSIGN_OR_RETURN(auto log, OpenEither(options));
  World world;
  auto* file = dynamic_cast<ExportFile*>(log.get());
  // An excerpt does not begin at the beginning, so it adds up to nothing.
  bool folded = file == nullptr || file->first().value() <= 1;
  AuditOptions audit_options;
  if (folded) audit_options.visit = [&](const CommitReader& c) { return Fold(world, c); };
  audit_options.progress = [](Seq done, Seq end) {
    DrawProgress("verify", done.value(), end.value());
  };
  Audit audit = VerifyLog(*log, audit_options);
  EndProgress();
  std::optional<uint64_t> names;
  if (audit.verdict.ok()) {
    Result<std::optional<uint64_t>> counted = CountNames(*log);
    if (counted.ok()) names = *counted;
    audit.verdict = counted.status();
  }
  PrintAudit(options, audit, world, folded, names);
  return audit.verdict;
}

Status Show(const LogOptions& options) {
  ASSIGN_OR_RETURN(auto log, OpenEither(options));
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

Status Head(const LogOptions& options) {
  ASSIGN_OR_RETURN(auto log, OpenLocalLog(options.data_dir));
  ASSIGN_OR_RETURN(HeadSigner signer, HeadSigner::LoadOrMake(options.data_dir + "/engine.key"));
  fmt::print("{}", FormatSignedHead(signer.Sign(log->head())));
  return OkStatus();
}

Status Compare(const LogOptions& options) {
  ASSIGN_OR_RETURN(std::string text, ReadSmallFile(options.file));
  ASSIGN_OR_RETURN(SignedHead kept, ParseSignedHead(text));
  ASSIGN_OR_RETURN(auto log, OpenLocalLog(options.data_dir));
  ASSIGN_OR_RETURN(HeadComparison comparison, CompareWithLog(kept.head, *log));
  fmt::print("{}\nsigned with key {}\n", Describe(comparison), HexLower(kept.public_key));
  bool good = comparison == HeadComparison::kSame || comparison == HeadComparison::kExtends;
  return good ? OkStatus() : Status(StatusCode::kDataLoss, "the log is not what the head says");
}

Status Export(const LogOptions& options) {
  ASSIGN_OR_RETURN(auto log,
                   OpenLocalLog(options.data_dir,
                                options.without_names ? NamesKey::kIfThere : NamesKey::kNeeded));
  ExportOptions how;
  how.from = Seq(options.from);
  if (options.to != 0) how.to = Seq(options.to);
  how.progress = [](Seq done, Seq end) { DrawProgress("export", done.value(), end.value()); };
  std::optional<SideCipher> names;
  if (!options.without_names) {
    ASSIGN_OR_RETURN(names,
                     SideCipher::FromFile(Installation(options.data_dir).sidecar_key_path()));
    how.names = &*names;
  }
  Status status = WriteExport(*log, options.file, how);
  EndProgress();
  RETURN_IF_ERROR(status);
  fmt::print("exported to {}{}\n", options.file,
             options.without_names
                 ? ", without names and secrets"
                 : "; its names and secrets are sealed with the directory's sidecar.key");
  return OkStatus();
}

Status Import(const LogOptions& options) {
  std::optional<SideCipher> names;
  if (!options.names_key.empty()) {
    ASSIGN_OR_RETURN(names, SideCipher::FromFile(options.names_key));
  }
  ASSIGN_OR_RETURN(auto file, ExportFile::Open(options.file, std::move(names)));
  Installation installation(options.data_dir);
  if (std::filesystem::exists(installation.log_dir())) {
    return Status(StatusCode::kAlreadyExists,
                  fmt::format("'{}' has a log; import into a fresh directory", options.data_dir));
  }
  RETURN_IF_ERROR(installation.Prepare());
  ASSIGN_OR_RETURN(auto log, RocksLog::Open({.dir = installation.log_dir(),
                                             .create = true,
                                             .sidecar_key_path = installation.sidecar_key_path()}));
  Status status = file->Import(
      *log, [](Seq done, Seq end) { DrawProgress("import", done.value(), end.value()); });
  EndProgress();
  RETURN_IF_ERROR(status);
  fmt::print("imported {} commits, to event {}\n", file->commits(), log->head().last.value());
  return OkStatus();
}

Status CutDamagedTail(const LogOptions& options) {
  const Installation installation(options.data_dir);
  ASSIGN_OR_RETURN(auto log, RocksLog::Open({.dir = installation.log_dir(),
                                             .sidecar_key_path = installation.sidecar_key_path(),
                                             .cut_damaged_tail = true}));
  for (const std::string& notice : log->notices()) fmt::print("{}\n", notice);
  fmt::print("the log is good and ends at event {}\n", log->head().last.value());
  return OkStatus();
}

}  // namespace

void AddLog(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<LogOptions>();
  CLI::App* log = app.add_subcommand("log", "Verify, read, export and import the event log");
  log->require_subcommand(1);
  auto add = [&](const char* name, const char* what, Status (*run)(const LogOptions&)) {
    CLI::App* command = log->add_subcommand(name, what);
    command->callback([options, &exit_code, run] {
      Status status = run(*options);
      exit_code = status.ok() ? kExitOk : Fail(status);
    });
    return command;
  };
  auto data = [&](CLI::App* command) {
    return command->add_option("--data", options->data_dir, "The data directory");
  };
  auto file = [&](CLI::App* command, const char* what) {
    return command->add_option("file", options->file, what);
  };
  auto range = [&](CLI::App* command) {
    command->add_option("--from", options->from, "The first event")->capture_default_str();
    command->add_option("--to", options->to, "The last event; 0 is the log's last")
        ->capture_default_str();
  };
  // Either a data directory or an export.
  auto either = [&](CLI::App* command) {
    command->add_option("--file", options->file, "An export, in place of --data")
        ->excludes(data(command));
    command->add_option("--names-key", options->names_key, "The key of the export's names");
  };

  CLI::App* verify = add("verify",
                         "Check chain, numbers and digests of the whole log; exit code 0 only when "
                         "all is well, 4 when it is damaged",
                         Verify);
  either(verify);
  verify->add_flag("--json", options->json, "The result as JSON");
  CLI::App* show = add("show", "Print events as JSON, one a line", Show);
  either(show);
  range(show);
  data(add("head", "Print the chain's head, signed with the engine's key, to keep elsewhere", Head))
      ->required();
  CLI::App* compare =
      add("compare", "Whether the log still is the one whose signed head was kept", Compare);
  data(compare)->required();
  file(compare, "What 'log head' printed then")->required();
  data(
      add("cut-damaged-tail",
          "After a power failure, when a start refuses the log's last record: cut it off, if it is "
          "only that. Nobody was told of what was being written when the power failed",
          CutDamagedTail))
      ->required();
  CLI::App* write = add("export", "Write the log, or an excerpt, to one file", Export);
  data(write)->required();
  file(write, "The file to make")->required();
  range(write);
  write->add_flag("--without-names", options->without_names,
                  "No names, no secrets: a pseudonymised log that replays to the same state");
  CLI::App* read = add("import", "Make a fresh data directory of an export", Import);
  data(read)->required();
  file(read, "The export")->required();
  read->add_option("--names-key", options->names_key, "The key of the export's names");
}

}  // namespace updraft
