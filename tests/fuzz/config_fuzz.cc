// A configuration file of `updraft serve`, by the program's own options and parser. Nothing is
// started. An input that begins with `arguments` is a command line instead, a line an argument.
#include <algorithm>
#include <string>
#include <vector>

#include "adapters/cli/serve_options.h"
#include "events/base/assert.h"
#include "tests/fuzz/fuzz.h"

namespace updraft {
namespace {

void Parse(std::vector<std::string> arguments) {
  CLI::App app("fuzz");
  ServeOptions options;
  app.set_config("--config", "");
  AddServeOptions(*app.add_subcommand("serve"), options);
  std::reverse(arguments.begin(), arguments.end());  // As the parser takes them.
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::Error& e) {
    Assert(e.get_exit_code() == 0 || *e.what() != '\0', "a refusal says why");
    return;
  }
  const HostOptions& host = options.host;
  Assert(host.engine_number >= 1 && host.engine_number <= 9'999, "the number is in its bounds");
  Assert(host.repeats_per_second >= 1 && host.repeats_per_second <= 100'000, "so is the rate");
  Assert(options.language == "zh" || options.language == "en", "and the language");
  if (ReadAddresses(options).ok()) Assert(host.mqtt || host.with_broker, "there is a broker");
}

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view text = Text(data, size);
  constexpr std::string_view kArguments = "arguments\n";
  if (!text.starts_with(kArguments)) {
    MemoryFile file(text);
    Parse({"--config", file.path(), "serve", "--data", "data"});
    return 0;
  }
  text.remove_prefix(kArguments.size());
  std::vector<std::string> arguments = {"serve"};
  // A file that an argument names would be read as a configuration; there is none of this name.
  while (!text.empty()) arguments.emplace_back(TakeUntil(text, "\n"));
  for (const std::string& argument : arguments) {
    if (argument.starts_with("--conf")) return 0;
  }
  Parse(std::move(arguments));
  return 0;
}
