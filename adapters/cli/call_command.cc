// `updraft call`: any action of the console's API from the command line.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "adapters/cli/api_client.h"
#include "adapters/cli/commands.h"
#include "adapters/openapi/actions.h"
#include "adapters/openapi/reference.h"

namespace updraft {
namespace {

struct CallOptions {
  ApiClientOptions client;
  std::string action;
  bool list = false;
  bool describe = false;
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

std::string DidYouMean(std::string_view nearest) {
  return nearest.empty() ? ";" : fmt::format("; did you mean {}?", nearest);
}

// The service does not look at parameters that it does not know, which SDKs need; somebody who
// types one has made a mistake.
Status CheckNames(const openapi::Action& action, const Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    std::string_view base = std::string_view(name).substr(0, name.find('.'));
    if (base == "IotInstanceId") continue;
    bool known = std::any_of(action.parameters.begin(), action.parameters.end(),
                             [&](const openapi::Parameter& p) { return p.name == base; });
    if (known) continue;
    std::string_view nearest = openapi::NearestParameter(action, base);
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{} has no parameter '{}'{} 'updraft call {} --describe' lists them",
                              action.name, base, DidYouMean(nearest), action.name));
  }
  return OkStatus();
}

int ListActions() {
  for (const openapi::ActionGroup& group : openapi::AllActions()) {
    fmt::print("{}\n", group.title);
    for (const openapi::Action& action : group.actions) {
      // Its first sentence.
      fmt::print(
          "  {:<32} {}\n", action.name,
          action.about.substr(0, std::min(action.about.find(". "), action.about.size() - 1)));
    }
  }
  return kExitOk;
}

Status NoAction(const std::string& name) {
  std::string_view nearest = openapi::NearestAction(name);
  return Status(StatusCode::kInvalidArgument,
                fmt::format("there is no action '{}'{} 'updraft call --list' lists them", name,
                            DidYouMean(nearest)));
}

int RunCall(const CallOptions& options, const std::vector<std::string>& rest) {
  if (options.list) return ListActions();
  const openapi::Action* action = openapi::FindAction(options.action);
  if (options.describe) {
    if (action == nullptr) return Fail(NoAction(options.action));
    fmt::print("{}", openapi::ReferenceOf(*action));
    return kExitOk;
  }
  if (options.action.empty()) {
    return Fail(
        Status(StatusCode::kInvalidArgument, "name an action; 'updraft call --list' lists them"));
  }
  Result<Parameters> parameters = ReadParameters(rest);
  if (!parameters.ok()) return Fail(parameters.status());
  // One that this program does not know may be known to a newer service, which says so if not.
  if (action != nullptr) {
    if (Status status = CheckNames(*action, *parameters); !status.ok()) return Fail(status);
  }
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
  call->add_option("action", options->action, "The action, as in ListOTATaskByJob");
  AddClientOptions(*call, options->client);
  call->add_flag("--list", options->list, "List the actions");
  call->add_flag("--describe", options->describe, "Tell the action's parameters and an example");
  call->allow_extras();
  call->footer(
      "Everything else is a parameter: --Name value. Lists are --Name.1 A --Name.2 B, structs in\n"
      "lists --Tag.1.Key K --Tag.1.Value V. The actions are those of the vendor's API, Iot\n"
      "2018-01-20, and a few of ours: --list names them, ACTION --describe tells one. For "
      "instance:\n\n"
      "  updraft call CreateProduct --data data --ProductName thermostat --NodeType 0\n"
      "  updraft call CreateOTAStaticUpgradeJob --data data --ProductKey KEY --FirmwareId ID \\\n"
      "      --TargetSelection SPECIFIC --TargetDeviceName.1 kitchen\n\n"
      "Exit code 1: the service refused; the JSON has the Code and what to do.");
  call->callback([options, call, &exit_code] { exit_code = RunCall(*options, call->remaining()); });
}

}  // namespace updraft
