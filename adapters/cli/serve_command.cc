// `updraft serve`: the service, in the foreground, until it is told to end.
#include <csignal>
#include <ctime>
#include <memory>

#include <fmt/format.h>

#include "adapters/cli/commands.h"
#include "adapters/cli/file_limit.h"
#include "adapters/cli/host.h"
#include "adapters/cli/serve_options.h"
#include "events/base/log_line.h"

namespace updraft {
namespace {

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

  const uint32_t wanted = options.host.connections_max;
  Result<uint32_t> connections = ConnectionsWithin(RaiseFileLimit(), wanted);
  if (!connections.ok()) return Fail(connections.status());
  if (*connections < wanted) {
    LogWarn("fewer HTTP connections than --connections-max: raise the limit of open files",
            {{"connections", *connections}});
  }
  options.host.connections_max = *connections;

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
  CLI::App* serve = app.add_subcommand("serve", "Run the service");
  AddServeOptions(*serve, *options);
  serve->callback([options, &exit_code] { exit_code = RunServe(*options); });
}

}  // namespace updraft
