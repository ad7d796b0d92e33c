// Bringing in what another service has: products, devices and access keys with the keys and secrets
// that they have there. What is here already and the same is left alone; what differs is told and
// never overwritten, so that an import can be run again.
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "adapters/openapi/actions.h"
#include "adapters/openapi/lookups.h"
#include "adapters/wire/names.h"
#include "events/base/bytes.h"
#include "projections/side_values.h"
#include "projections/world.h"

namespace updraft::openapi {
namespace {

constexpr size_t kDevicesMax = 1'000;
constexpr int64_t kDevicesTextMax = 1 << 20;
constexpr size_t kVersionsPerDeviceMax = 32;

constexpr const char* kExisting = "Existing";

// --- Products ---

// Why the product that is here is another one; empty when it is the same.
std::string Difference(const Product& here, const std::string& secret, const CreateProduct& given) {
  if (here.name != given.name) return fmt::format("it is named '{}' here", here.name);
  if (here.node_type != given.node_type) return "its NodeType is another here";
  if (!given.product_secret.empty() && secret != given.product_secret) {
    return "its secret is another here";
  }
  return "";
}

void OnImportProduct(const CallPtr& call) {
  const Arguments& given = call->arguments;
  CreateProduct command{.name = given.Text("ProductName"),
                        .node_type = static_cast<uint8_t>(given.Number("NodeType").value_or(0)),
                        .data_format = static_cast<uint8_t>(given.Number("DataFormat").value_or(1)),
                        .auth_type = "secret",
                        .description = given.Text("Description"),
                        .product_key = given.Text("ProductKey"),
                        .product_secret = given.Text("ProductSecret"),
                        .dynamic_registration = given.Flag("DynamicRegistration").value_or(false)};
  LookAndGoOn(call, [call, command](const World& world) -> Result<Next> {
    ProductId id = world.FindProduct(command.product_key);
    if (!id) {
      return Next([call, command] {
        Submit(call, command, [call](const Outcome&) {
          call->Answer({{"Data", {{kExisting, false}}}});
        });
      });
    }
    return Next([call, command, id, here = world.products()[id]] {
      std::string difference = Difference(here, call->service.Side(SideKeyOfProduct(id)), command);
      if (difference.empty()) return call->Answer({{"Data", {{kExisting, true}}}});
      call->Refuse("iot.prod.AlreadyExistedProductName",
                   fmt::format("product '{}' is here already, and {}", here.key, difference));
    });
  });
}

// --- Access keys ---

void OnImportKey(const CallPtr& call) {
  const Arguments& given = call->arguments;
  CreateKey command{.formal = given.Flag("Formal").value_or(false),
                    .note = given.Text("Note"),
                    .access_key_id = given.Text("TargetAccessKeyId"),
                    .secret = given.Text("TargetAccessKeySecret")};
  LookAndGoOn(call, [call, command](const World& world) -> Result<Next> {
    KeyId id = world.FindKey(command.access_key_id);
    if (!id) {
      return Next([call, command] {
        Submit(call, command, [call](const Outcome&) {
          call->Answer({{"Data", {{kExisting, false}}}});
        });
      });
    }
    return Next([call, command, id, formal = world.keys()[id].formal] {
      bool same_secret = call->service.Side(SideKeyOfKey(id)) == command.secret;
      if (same_secret && formal == command.formal) {
        return call->Answer({{"Data", {{kExisting, true}}}});
      }
      call->Refuse(
          "iot.common.InvalidTenant",
          fmt::format("access key '{}' is here already, and {}", command.access_key_id,
                      same_secret ? "its user is of the other kind" : "its secret is another"));
    });
  });
}

// --- Devices ---

// One device of the call, on its way.
struct Item {
  NewDevice device;
  bool secret_given = false;
  std::map<std::string, std::string> versions;  // By module.
  std::string problem;                          // Why it cannot be; empty while it can.
  DeviceId here;
};

struct Import {
  std::string product_key;
  std::vector<Item> items;
  size_t created = 0;
  size_t existing = 0;
  size_t commands = 0;  // That are not done.
  Status refusal;       // Of the first that was refused.
};
using ImportPtr = std::shared_ptr<Import>;

std::string_view TextOf(const Json& json, const char* name) {
  auto it = json.find(name);
  return it == json.end() || !it->is_string() ? std::string_view()
                                              : it->get_ref<const std::string&>();
}

std::string ReadVersions(const Json& json, Item& item) {
  auto it = json.find("Versions");
  if (it == json.end()) return "";
  if (!it->is_object() || it->size() > kVersionsPerDeviceMax) {
    return fmt::format("Versions is an object of at most {} modules with a version each",
                       kVersionsPerDeviceMax);
  }
  for (const auto& [module, version] : it->items()) {
    if (!version.is_string()) return fmt::format("the version of module '{}' is no text", module);
    item.versions[module] = version.get<std::string>();
  }
  return "";
}

Item ReadItem(const Json& json) {
  Item item;
  if (!json.is_object()) {
    item.problem = "it is no JSON object";
    return item;
  }
  item.device.name = TextOf(json, "DeviceName");
  item.device.secret = TextOf(json, "DeviceSecret");
  item.device.nickname = TextOf(json, "Nickname");
  item.device.disabled = json.value("Disabled", Json(false)) == Json(true);
  item.secret_given = !item.device.secret.empty();
  if (!IsValidDeviceName(item.device.name)) {
    item.problem = "a DeviceName has 4 to 32 letters, digits or any of - _ @ . :";
  } else if (item.device.secret.size() > 64) {
    item.problem = "a DeviceSecret has at most 64 bytes";
  } else if (!IsValidUtf8(item.device.nickname) || CountChars(item.device.nickname) > 64) {
    item.problem = "a Nickname has at most 64 characters";
  } else {
    item.problem = ReadVersions(json, item);
  }
  return item;
}

Result<ImportPtr> ReadImport(const Call& call) {
  Json json = Json::parse(call.arguments.Text("Devices"), nullptr, /*allow_exceptions=*/false);
  if (!json.is_array() || json.empty() || json.size() > kDevicesMax) {
    return ApiError("iot.device.DeviceCountExceeded",
                    fmt::format("Devices is a JSON array of 1 to {} devices", kDevicesMax));
  }
  auto moving = std::make_shared<Import>();
  moving->product_key = call.arguments.Text("ProductKey");
  std::map<std::string_view, size_t> seen;
  moving->items.reserve(json.size());
  for (const Json& one : json) {
    Item& item = moving->items.emplace_back(ReadItem(one));
    if (!item.problem.empty()) continue;
    if (!seen.emplace(item.device.name, seen.size()).second) {
      item.problem = "it is named twice in one call";
    }
  }
  return moving;
}

void AnswerImport(const CallPtr& call, const Import& moving) {
  Json problems = Json::array();
  for (size_t i = 0; i < moving.items.size(); ++i) {
    const Item& item = moving.items[i];
    if (item.problem.empty()) continue;
    problems.push_back({{"Index", i}, {"DeviceName", item.device.name}, {"Reason", item.problem}});
  }
  Json data = {{"Created", moving.created}, {"Existing", moving.existing}};
  data["Problems"]["Problem"] = std::move(problems);
  call->Answer({{"Data", data}});
}

// Why the device that is here is another one; empty when it is the same.
std::string Difference(const DevicePrivate& here, bool disabled, const Item& item) {
  if (item.secret_given && here.secret != item.device.secret) {
    return "it is here already with another secret";
  }
  if (!item.device.nickname.empty() && here.nickname != item.device.nickname) {
    return "it is here already with another nickname";
  }
  if (item.device.disabled && !disabled) return "it is here already and enabled";
  return "";
}

// What the devices of the call run. `items` gets the index of each entry's.
ImportVersions VersionsOf(const Import& moving, std::vector<size_t>& items) {
  ImportVersions command{moving.product_key, {}};
  for (size_t i = 0; i < moving.items.size(); ++i) {
    if (!moving.items[i].problem.empty()) continue;
    for (const auto& [module, version] : moving.items[i].versions) {
      command.entries.push_back({moving.items[i].device.name, module, version});
      items.push_back(i);
    }
  }
  return command;
}

// Devices that are new, and those that are here and told to be otherwise.
RegisterDevices SortOut(const CallPtr& call, Import& moving, const std::vector<bool>& disabled) {
  RegisterDevices command{.product_key = moving.product_key};
  for (size_t i = 0; i < moving.items.size(); ++i) {
    Item& item = moving.items[i];
    if (!item.problem.empty()) continue;
    if (!item.here) {
      command.devices.push_back(item.device);
      continue;
    }
    item.problem = Difference(call->service.PrivateOf(item.here), disabled[i], item);
    if (item.problem.empty()) ++moving.existing;
  }
  return command;
}

// Once for each command of the call; the last one's outcome answers it.
void OnDone(const CallPtr& call, Import& moving, const Status& status) {
  if (moving.refusal.ok()) moving.refusal = status;
  if (--moving.commands > 0) return;
  if (!moving.refusal.ok()) return call->Refuse(moving.refusal);
  AnswerImport(call, moving);
}

// Both commands at once, so that they share a commit and others wait for one fsync.
void SubmitDevices(const CallPtr& call, const ImportPtr& moving,
                   const std::vector<bool>& disabled) {
  RegisterDevices devices = SortOut(call, *moving, disabled);
  std::vector<size_t> items;  // Of each version.
  ImportVersions versions = VersionsOf(*moving, items);
  if (versions.entries.size() > kDevicesMax) {
    return call->Refuse("iot.device.DeviceCountExceeded",
                        fmt::format("one call brings at most {} versions, these are {}",
                                    kDevicesMax, versions.entries.size()));
  }
  std::vector<Engine::Request> requests;
  if (!devices.devices.empty()) {
    requests.push_back({std::move(devices),
                        [call, moving](const Outcome& done) {
                          if (done.ok()) {
                            moving->created = std::get<CreatedDevices>(done.answer).devices.size();
                          }
                          OnDone(call, *moving, done.status);
                        },
                        call->origin});
  }
  if (!versions.entries.empty()) {
    requests.push_back({std::move(versions),
                        [call, moving, items = std::move(items)](const Outcome& done) {
                          if (done.ok()) {
                            for (const auto& p : std::get<TargetProblems>(done.answer).problems) {
                              moving->items[items[p.index]].problem = p.reason;
                            }
                          }
                          OnDone(call, *moving, done.status);
                        },
                        call->origin});
  }
  if (requests.empty()) return AnswerImport(call, *moving);
  // This is the thread of the callbacks: none runs before the end of this function.
  moving->commands = requests.size();
  Status status = call->service.engine.Submit(requests);
  for (size_t left = requests.size(); left > 0; --left) OnDone(call, *moving, status);
}

void OnImportDevices(const CallPtr& call) {
  Result<ImportPtr> read = ReadImport(*call);
  if (!read.ok()) return call->Refuse(read.status());
  LookAndGoOn(call, [call, moving = *read](const World& world) -> Result<Next> {
    ASSIGN_OR_RETURN(ProductId product, RequireProduct(world, moving->product_key));
    std::vector<bool> disabled(moving->items.size());
    for (size_t i = 0; i < moving->items.size(); ++i) {
      Item& item = moving->items[i];
      if (item.problem.empty()) item.here = world.names().Find(product, item.device.name);
      if (item.here) disabled[i] = world.devices()[item.here].disabled;
    }
    return Next([call, moving, disabled] { SubmitDevices(call, moving, disabled); });
  });
}

Parameter Secret(std::string_view name, std::string_view about) { return Text(name, about, 1, 64); }

}  // namespace

const std::vector<Action>& ImportActions() {
  static const std::vector<Action> kActions = {
      {.name = "ImportProduct",
       .about =
           "Brings in a product with its key and secret. One that is here and the same is left "
           "alone; one that differs is refused.",
       .run = OnImportProduct,
       .parameters = {ProductKeyParameter().Required(),
                      Text("ProductName", "As CreateProduct takes it.", 1, 64)
                          .Codes("iot.prod.NullProductName", "iot.prod.InvalidFormattedProductName")
                          .Required()
                          .Example("street_lamp"),
                      Secret("ProductSecret", "Made up when it is left out."),
                      Number("NodeType", "0 a device (the default), 1 a gateway.", 0, 1),
                      Number("DataFormat", "0 custom, 1 Alink (the default).", 0, 1),
                      Text("Description", "At most 100 characters.", 0, 100),
                      Flag("DynamicRegistration",
                           "Whether its devices may ask for their own secrets.")},
       .ours = true},
      {.name = "ImportDevices",
       .about = "Brings in up to 1,000 devices of a product with their secrets and versions. Those "
                "that are here and the same are left alone; those that differ are told.",
       .calls_per_second = 50,
       .run = OnImportDevices,
       .parameters = {ProductKeyParameter().Required(),
                      Text("Devices",
                           "A JSON array of objects with DeviceName and, as far as known, "
                           "DeviceSecret (made up when it is left out), Nickname, Disabled, and "
                           "Versions: an object with the version of each module.",
                           1, kDevicesTextMax)
                          .Required()
                          .Example(R"('[{"DeviceName":"lamp-0001","DeviceSecret":"s3cret",)"
                                   R"("Versions":{"default":"1.0.0"}}]')")},
       .ours = true},
      {.name = "ImportAccessKey",
       .about = "Brings in an access key with its secret. One that is here and the same is left "
                "alone; one that differs is refused.",
       .run = OnImportKey,
       .parameters = {Text("TargetAccessKeyId", "The key.", 1, 64).Required().Example("LTAI4x…"),
                      Secret("TargetAccessKeySecret", "Its secret.").Required().Example("5ecret"),
                      Flag("Formal", "true for a formal user's; a guest's when it is left out."),
                      Text("Note", "Whose it is.", 0, 100)},
       .ours = true},
  };
  return kActions;
}

}  // namespace updraft::openapi
