// `updraft call`: any action of the console's API from the command line.
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "adapters/cli/api_client.h"
#include "adapters/cli/commands.h"

namespace updraft {
namespace {

struct CallOptions {
  ApiClientOptions client;
  std::string action;
};

// `--Name value` and `--Name=value`, in pairs.
Result<Parameters> ReadParameters(const std::vector<std::string>& words) {
  Parameters parameters;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string word = words[i];
    if (!word.starts_with("--") || word.size() < 3) {
      return Status(
          StatusCode::kInvalidArgument,
          fmt::format("'{}' stands where a parameter's name should: write --Name value", word));
    }
    word.erase(0, 2);
    std::string value;
    if (size_t equals = word.find('='); equals != std::string::npos) {
      value = word.substr(equals + 1);
      word.resize(equals);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    } else {
      return Status(StatusCode::kInvalidArgument, fmt::format("parameter '{}' has no value", word));
    }
    if (!parameters.emplace(word, value).second) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("parameter '{}' is given twice; lists are --{}.1 A --{}.2 B", word,
                                word, word));
    }
  }
  return parameters;
}

int RunCall(const CallOptions& options, const std::vector<std::string>& rest) {
  Result<Parameters> parameters = ReadParameters(rest);
  if (!parameters.ok()) return Fail(parameters.status());
  Result<ApiClient> client = ApiClient::Of(options.client);
  if (!client.ok()) return Fail(client.status());
  Result<Json> answer = client->Call(options.action, *std::move(parameters));
  if (!answer.ok()) return Fail(answer.status());
  fmt::print("{}\n", answer->dump(2));
  return answer->value("Success", false) ? kExitOk : kExitRefused;
}

}  // namespace

void AddCall(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<CallOptions>();
  CLI::App* call =
      app.add_subcommand("call", "Call an action of the console's API, print its JSON");
  call->add_option("action", options->action, "The action, as in ListOTATaskByJob")->required();
  call->add_option("--data", options->client.data_dir,
                   "Data directory of a service on this machine: tells address and key");
  call->add_option("--endpoint", options->client.endpoint, "ADDR:PORT of the service");
  call->add_option("--access-key-id", options->client.access_key_id, "Who asks");
  call->add_option("--access-key-secret", options->client.access_key_secret, "And the proof");
  call->allow_extras();
  call->footer(
      "Everything else is a parameter: --Name value. Lists are --Name.1 A --Name.2 B, structs in\n"
      "lists --Tag.1.Key K --Tag.1.Value V. The actions are those of the vendor's API, Iot\n"
      "2018-01-20; adapters/openapi/README.md has them all with an example each. For instance:\n\n"
      "  updraft call CreateProduct --data data --ProductName thermostat --NodeType 0\n"
      "  updraft call CreateOTAStaticUpgradeJob --data data --ProductKey KEY --FirmwareId ID \\\n"
      "      --TargetSelection SPECIFIC --TargetDeviceName.1 kitchen\n\n"
      "Exit code 1: the service refused; the JSON has the Code and what to do.");
  call->callback([options, call, &exit_code] { exit_code = RunCall(*options, call->remaining()); });
}

}  // namespace updraft
