// `updraft key`: the console's access keys of a running service.
#include <memory>

#include <fmt/format.h>

#include "adapters/cli/api_client.h"
#include "adapters/cli/commands.h"

namespace updraft {
namespace {

struct KeyOptions {
  ApiClientOptions client;
  std::string id;
  std::string note;
  bool formal = false;
};

int Run(const KeyOptions& options, const std::string& action, Parameters parameters) {
  Result<ApiClient> client = ApiClient::Of(options.client);
  if (!client.ok()) return Fail(client.status());
  Result<Json> answer = client->Must(action, std::move(parameters));
  if (!answer.ok()) return Fail(answer.status());
  if (answer->contains("Data")) fmt::print("{}\n", (*answer)["Data"].dump(2));
  return kExitOk;
}

}  // namespace

void AddKey(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<KeyOptions>();
  CLI::App* key = app.add_subcommand("key", "Access keys: who may call the console's API");
  key->require_subcommand(1);
  key->footer(
      "A formal key may do everything; a guest's may read products and devices. Promote a guest's\n"
      "to make it formal. The secret is shown once, when the key is made.");
  auto add = [&](const char* name, const char* what) {
    CLI::App* command = key->add_subcommand(name, what);
    AddClientOptions(*command, options->client);
    return command;
  };
  CLI::App* create = add("create", "Make a key, print its id and secret");
  create->add_flag("--formal", options->formal, "A formal key; else a guest's");
  create->add_option("--note", options->note, "Whose it is");
  create->callback([options, &exit_code] {
    exit_code = Run(*options, "CreateAccessKey",
                    {{"Formal", options->formal ? "true" : "false"}, {"Note", options->note}});
  });
  add("list", "List the keys")->callback([options, &exit_code] {
    exit_code = Run(*options, "ListAccessKeys", {});
  });
  auto change = [&](const char* name, const char* what, const char* parameter, const char* value) {
    CLI::App* command = add(name, what);
    command->add_option("id", options->id, "The AccessKeyId")->required();
    command->callback([options, &exit_code, parameter, value] {
      exit_code = Run(*options, "UpdateAccessKey",
                      {{"TargetAccessKeyId", options->id}, {parameter, value}});
    });
  };
  change("enable", "Let a key work again", "Enabled", "true");
  change("disable", "Let a key work no more, for now", "Enabled", "false");
  change("promote", "Make a guest's key formal", "Formal", "true");
  CLI::App* remove = add("delete", "Delete a key and its secret");
  remove->add_option("id", options->id, "The AccessKeyId")->required();
  remove->callback([options, &exit_code] {
    exit_code = Run(*options, "DeleteAccessKey", {{"TargetAccessKeyId", options->id}});
  });
}

}  // namespace updraft
