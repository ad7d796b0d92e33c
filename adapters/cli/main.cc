// The `updraft` program.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "adapters/cli/commands.h"
#include "events/base/log_line.h"

namespace updraft {

namespace {

constexpr const char* kFooter = R"(A first batch, on one machine:
  updraft serve --data data --http 127.0.0.1:8080 --with-broker 127.0.0.1:1883 &
  updraft call CreateProduct --data data --ProductName thermostat --NodeType 0
  updraft call RegisterDevice --data data --ProductKey KEY --DeviceName kitchen
  updraft call ...            (see 'updraft call --help')
  updraft watch JOBID --data data
  updraft explain KEY/kitchen --data data

Exit codes: 0 done, 1 the service said no, 2 wrong usage, 3 unreachable, 4 the log is damaged.)";

// CLI11 says that a command is missing, also where the one given is none.
int FailParse(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  const std::string first = argc > 1 ? argv[1] : "";
  const bool known = std::find(names.begin(), names.end(), first) != names.end();
  if (first.empty() || first.starts_with('-') || known) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return Fail(
      Status(StatusCode::kInvalidArgument,
             fmt::format("there is no command '{}'; there are {}", first, fmt::join(names, ", "))));
}

int Main(int argc, char** argv) {
  CLI::App app("Updraft: over-the-air upgrades for device fleets.");
  app.require_subcommand(1);
  app.set_version_flag("--version", UPDRAFT_VERSION);
  app.set_config("--config", "", "Read options from this file (TOML; a [serve] section and so on)");
  std::string level = "info";
  app.add_option("--log-level", level, "debug, info, warn or error, of what goes to stderr")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.parse_complete_callback([&] {
    SetLogLevel(level == "debug"   ? LogLevel::kDebug
                : level == "warn"  ? LogLevel::kWarn
                : level == "error" ? LogLevel::kError
                                   : LogLevel::kInfo);
  });
  int exit_code = kExitOk;
  AddServe(app, exit_code);
  AddCall(app, exit_code);
  AddWatch(app, exit_code);
  AddFollow(app, exit_code);
  AddExplain(app, exit_code);
  AddReplay(app, exit_code);
  AddLog(app, exit_code);
  AddKey(app, exit_code);
  AddImport(app, exit_code);
  AddBrokerConfig(app, exit_code);
  app.footer(kFooter);  // Now: a command inherits what is there when it is added.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return FailParse(app, error, argc, argv);
  }
  return exit_code;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
