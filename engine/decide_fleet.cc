// Products, modules, devices and console keys.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "engine/decide_internal.h"
#include "events/base/bytes.h"
#include "projections/side_values.h"

namespace updraft {
namespace {

// A character of Chinese, Japanese or Korean, of which the manual counts each as two in a product's
// name.
bool IsCjk(std::string_view utf8_char) { return utf8_char.size() >= 3; }

template <class Visit>
void ForEachChar(std::string_view text, Visit visit) {
  for (size_t i = 0; i < text.size();) {
    auto lead = static_cast<uint8_t>(text[i]);
    size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    visit(text.substr(i, size));
    i += size;
  }
}

bool IsWordChar(std::string_view c) {
  return c.size() == 1 && (isalnum(static_cast<unsigned char>(c[0])) != 0 || c[0] == '_');
}

// 4 to 30, each CJK character counting as two; letters, digits, underscore, CJK.
bool IsProductName(std::string_view name) {
  if (!IsValidUtf8(name)) return false;
  size_t width = 0;
  bool good = true;
  ForEachChar(name, [&](std::string_view c) {
    width += IsCjk(c) ? 2 : 1;
    good &= IsCjk(c) || IsWordChar(c);
  });
  return good && width >= 4 && width <= 30;
}

bool IsProductKey(std::string_view key) {
  return key.size() >= 4 && key.size() <= 32 && std::all_of(key.begin(), key.end(), [](char c) {
           return isalnum(static_cast<unsigned char>(c)) != 0;
         });
}

bool IsText(std::string_view text, size_t chars_max) {
  return IsValidUtf8(text) && CountChars(text) <= chars_max;
}

constexpr size_t kDescriptionCharsMax = 100;
constexpr size_t kAliasCharsMax = 64;
constexpr size_t kNicknameCharsMax = 64;
constexpr size_t kSecretBytesMax = 64;

Outcome RefuseDescription() {
  return RefuseInvalid(
      refusal::kDescriptionTooLong,
      fmt::format("a description has at most {} characters", kDescriptionCharsMax));
}

Outcome RefuseProductName(std::string_view name) {
  return RefuseInvalid(refusal::kProductNameMalformed,
                       fmt::format("'{}' is no product name: it has 4 to 30 letters, digits, "
                                   "underscores or CJK characters, each of these counting two",
                                   name));
}

void EmitProductUpdated(Turn& turn, ProductId id, std::string_view name,
                        std::string_view description, bool dynamic_registration) {
  turn.Emit([&](auto event) {
    auto updated = event.initProductUpdated();
    updated.setProduct(id.value());
    updated.setName(std::string(name));
    updated.setDescription(std::string(description));
    updated.setDynamicRegistration(dynamic_registration);
  });
}

void EmitModuleCreated(Turn& turn, ModuleId id, std::string_view name, std::string_view alias,
                       std::string_view description) {
  turn.Emit([&](auto event) {
    auto created = event.initModuleCreated();
    created.setModule(id.value());
    created.setName(std::string(name));
    created.setAlias(std::string(alias));
    created.setDescription(std::string(description));
  });
}

}  // namespace

bool IsDeviceName(std::string_view name) {
  return name.size() >= 4 && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
           return isalnum(static_cast<unsigned char>(c)) != 0 ||
                  std::string_view("-_@.:").find(c) != std::string_view::npos;
         });
}

Outcome DecideOn(Turn& turn, const CreateProduct& c) {
  const World& world = turn.world();
  if (!IsProductName(c.name)) return RefuseProductName(c.name);
  if (!IsProductKey(c.product_key)) {
    return RefuseInvalid(
        refusal::kProductKeyMalformed,
        fmt::format("'{}' is no product key: it has 4 to 32 letters and digits", c.product_key));
  }
  if (!IsText(c.description, kDescriptionCharsMax)) return RefuseDescription();
  if (world.FindProductByName(c.name)) {
    return Refuse(StatusCode::kAlreadyExists, refusal::kProductNameTaken,
                  fmt::format("there is a product named '{}'", c.name));
  }
  if (world.FindProduct(c.product_key)) {
    return Refuse(StatusCode::kAlreadyExists, refusal::kProductKeyTaken,
                  fmt::format("there is a product with the key '{}'", c.product_key));
  }
  ProductId id = world.products().next();
  turn.Emit([&](auto event) {
    auto created = event.initProductCreated();
    created.setProduct(id.value());
    created.setProductKey(c.product_key);
    created.setName(c.name);
    created.setNodeType(c.node_type);
    created.setDataFormat(c.data_format);
    created.setAuthType(c.auth_type);
    created.setDescription(c.description);
  });
  turn.Side(SideKeyOfProduct(id), c.product_secret);
  EmitModuleCreated(turn, FindOrNameModule(turn, id, kDefaultModule, DeviceId()), kDefaultModule,
                    "", "");
  if (c.dynamic_registration) EmitProductUpdated(turn, id, c.name, c.description, true);
  return Done(CreatedProduct{id, c.product_key, c.product_secret});
}

Outcome DecideOn(Turn& turn, const UpdateProduct& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(ProductId id, RequireProduct(world, c.product_key));
  const Product& product = world.products()[id];
  std::string name = c.name.value_or(product.name);
  std::string description = c.description.value_or(product.description);
  bool registration = c.dynamic_registration.value_or(product.dynamic_registration);
  if (!IsProductName(name)) return RefuseProductName(name);
  if (!IsText(description, kDescriptionCharsMax)) return RefuseDescription();
  ProductId named = world.FindProductByName(name);
  if (named && named != id) {
    return Refuse(StatusCode::kAlreadyExists, refusal::kProductNameTaken,
                  fmt::format("there is another product named '{}'", name));
  }
  bool same = name == product.name && description == product.description &&
              registration == product.dynamic_registration;
  if (!same) EmitProductUpdated(turn, id, name, description, registration);
  return Done();
}

Outcome DecideOn(Turn& turn, const DeleteProduct& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(ProductId id, RequireProduct(world, c.product_key));
  if (uint32_t devices = world.IndexOf(id).devices.total(); devices != 0) {
    return RefuseState(
        refusal::kProductNotEmpty,
        fmt::format("product '{}' has {} devices; delete them first", c.product_key, devices));
  }
  // What its packages and batches were stays readable; none of them can have an open task.
  for (uint32_t p = 1; p <= world.packages().size(); ++p) {
    PackageId package(p);
    if (world.packages()[package].deleted) continue;
    if (world.modules()[world.packages()[package].module].product != id) continue;
    for (BatchId batch : world.IndexOf(package).batches) {
      if (world.batches()[batch].dynamic && !world.batches()[batch].stopped) {
        EndDynamic(turn, batch);
      }
    }
    turn.Emit([&](auto event) { event.initPackageDeleted().setPackage(p); });
  }
  turn.Emit([&](auto event) { event.initProductDeleted().setProduct(id.value()); });
  turn.Side(SideKeyOfProduct(id), std::nullopt);
  return Done();
}

Outcome DecideOn(Turn& turn, const CreateModule& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(ProductId product, RequireProduct(world, c.product_key));
  if (!IsWord64(c.name)) {
    return RefuseInvalid(refusal::kModuleNameMalformed,
                         fmt::format("'{}' is no module name: it has 1 to 64 letters, digits, "
                                     "points, underscores or hyphens",
                                     c.name));
  }
  if (LowerCase(c.name) == kDefaultModule) {
    return RefuseInvalid(refusal::kModuleNameReserved,
                         "every product has the module 'default' from the start");
  }
  if (IsNoticeWord(c.name)) {
    return RefuseInvalid(refusal::kModuleNameReserved,
                         fmt::format("devices in the field take '{}' for a field of the notice; "
                                     "choose another name",
                                     c.name));
  }
  if (!IsText(c.alias, kAliasCharsMax) || !IsText(c.description, kDescriptionCharsMax)) {
    return RefuseDescription();
  }
  size_t custom = 0;
  for (ModuleId module : world.IndexOf(product).module_list) {
    custom += world.modules()[module].registered ? 1 : 0;
  }
  ModuleId known = world.FindModule(product, c.name);
  if (known && world.modules()[known].registered) {
    return Refuse(StatusCode::kAlreadyExists, refusal::kModuleNameTaken,
                  fmt::format("the product has a module '{}'; names differ by more than case",
                              world.modules()[known].name));
  }
  if (custom > kCustomModulesMax) {  // The default module does not count.
    return Refuse(
        StatusCode::kResourceExhausted, refusal::kTooManyModules,
        fmt::format("a product has at most {} modules beside the default one", kCustomModulesMax));
  }
  EmitModuleCreated(turn, FindOrNameModule(turn, product, c.name, DeviceId()), c.name, c.alias,
                    c.description);
  return Done();
}

Outcome DecideOn(Turn& turn, const UpdateModule& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(ProductId product, RequireProduct(world, c.product_key));
  REQUIRE_OR_REFUSE(ModuleId id, RequireModule(world, product, c.name));
  const Module& module = world.modules()[id];
  std::string alias = c.alias.value_or(module.alias);
  std::string description = c.description.value_or(module.description);
  if (!IsText(alias, kAliasCharsMax) || !IsText(description, kDescriptionCharsMax)) {
    return RefuseDescription();
  }
  if (alias == module.alias && description == module.description) return Done();
  turn.Emit([&](auto event) {
    auto updated = event.initModuleUpdated();
    updated.setModule(id.value());
    updated.setAlias(alias);
    updated.setDescription(description);
  });
  return Done();
}

Outcome DecideOn(Turn& turn, const DeleteModule& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(ProductId product, RequireProduct(world, c.product_key));
  REQUIRE_OR_REFUSE(ModuleId id, RequireModule(world, product, c.name));
  if (LowerCase(c.name) == kDefaultModule) {
    return RefuseState(refusal::kDefaultModuleStays, "the default module cannot be deleted");
  }
  if (uint32_t packages = world.IndexOf(id).packages; packages != 0) {
    return RefuseState(
        refusal::kModuleHasPackages,
        fmt::format("module '{}' has {} packages; delete them first", c.name, packages));
  }
  turn.Emit([&](auto event) { event.initModuleDeleted().setModule(id.value()); });
  return Done();
}

Outcome DecideOn(Turn& turn, const RegisterDevices& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(ProductId product, RequireProduct(world, c.product_key));
  if (c.devices.empty() || c.devices.size() > kDevicesPerRegistrationMax) {
    return RefuseInvalid(refusal::kTooManyDevices,
                         fmt::format("1 to {} devices can be registered at a time, not {}",
                                     kDevicesPerRegistrationMax, c.devices.size()));
  }
  if (RegistrationId id = world.FindRegistration(c.application)) {
    return Done(CreatedDevices{world.registrations()[id].first, c.devices, c.application});
  }
  std::set<std::string_view> seen;
  for (const NewDevice& device : c.devices) {
    if (!IsDeviceName(device.name)) {
      return RefuseInvalid(refusal::kDeviceNameMalformed,
                           fmt::format("'{}' is no device name: it has 4 to 32 letters, digits, "
                                       "or any of - _ @ . :",
                                       device.name));
    }
    if (world.names().Find(product, device.name) || !seen.insert(device.name).second) {
      return Refuse(StatusCode::kAlreadyExists, refusal::kDeviceNameTaken,
                    fmt::format("the product has a device '{}'", device.name));
    }
    if (!IsText(device.nickname, kNicknameCharsMax)) {
      return RefuseInvalid(refusal::kNicknameMalformed,
                           fmt::format("a nickname has at most {} characters", kNicknameCharsMax));
    }
    if (device.secret.empty() || device.secret.size() > kSecretBytesMax) {
      return RefuseInvalid(refusal::kSecretMalformed,
                           fmt::format("a device's secret has 1 to {} bytes", kSecretBytesMax));
    }
  }
  DeviceId first = world.devices().next();
  std::string commitments;
  std::vector<std::string> values;
  for (const NewDevice& device : c.devices) {
    DevicePrivate value{device.salt, device.name, device.secret, device.nickname};
    commitments += value.Commitment();
    values.push_back(EncodeDevicePrivate(value));
  }
  turn.Emit([&](auto event) {
    auto registered = event.initDevicesRegistered();
    registered.setFirst(first.value());
    registered.setProduct(product.value());
    registered.setCommitments(
        kj::arrayPtr(reinterpret_cast<const kj::byte*>(commitments.data()), commitments.size()));
    registered.setApplication(c.application);
  });
  for (size_t i = 0; i < values.size(); ++i) {
    turn.Side(SideKeyOfDevice(DeviceId(first.value() + static_cast<uint32_t>(i))),
              std::move(values[i]));
    if (!c.devices[i].disabled) continue;
    turn.Emit([&](auto event) {
      event.initDeviceDisabled().setDevice(first.value() + static_cast<uint32_t>(i));
    });
  }
  return Done(CreatedDevices{first, c.devices, c.application});
}

Outcome DecideOn(Turn& turn, const DeleteDevice& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(DeviceId id, RequireDevice(world, c.device));
  for (InstalledId i = world.devices()[id].newest_installed; i; i = world.installed()[i].older) {
    if (TaskId task = world.installed()[i].open_task) {
      CancelTasks(turn, {task}, TaskReason::DEVICE_DELETED);
      AfterTasksEnded(turn, world.tasks()[task].batch);
    }
  }
  turn.Emit([&](auto event) { event.initDeviceDeleted().setDevice(id.value()); });
  turn.Side(SideKeyOfDevice(id), std::nullopt);
  turn.Side(SideKeyOfText(id, std::nullopt), std::nullopt);
  return Done();
}

Outcome DecideOn(Turn& turn, const DisableDevice& c) {
  REQUIRE_OR_REFUSE(DeviceId id, RequireDevice(turn.world(), c.device));
  if (turn.world().devices()[id].disabled) return Done();
  turn.Emit([&](auto event) { event.initDeviceDisabled().setDevice(id.value()); });
  return Done();
}

Outcome DecideOn(Turn& turn, const EnableDevice& c) {
  REQUIRE_OR_REFUSE(DeviceId id, RequireDevice(turn.world(), c.device));
  if (!turn.world().devices()[id].disabled) return Done();
  turn.Emit([&](auto event) { event.initDeviceEnabled().setDevice(id.value()); });
  return Done();
}

namespace {

Result<KeyId> RequireKey(const World& world, std::string_view access_key_id) {
  if (KeyId id = world.FindKey(access_key_id)) return id;
  return Status(StatusCode::kNotFound, refusal::kUnknownKey,
                fmt::format("there is no access key '{}'", access_key_id));
}

// Without a formal key nobody could make another one.
bool IsLastFormalKey(const World& world, KeyId id) {
  for (uint32_t k = 1; k <= world.keys().size(); ++k) {
    const Key& key = world.keys()[KeyId(k)];
    if (KeyId(k) != id && key.formal && key.enabled && !key.deleted) return false;
  }
  return world.keys()[id].formal && world.keys()[id].enabled;
}

Outcome RefuseLastKey() {
  return RefuseState(refusal::kLastFormalKey,
                     "this is the last formal key that works; create another one first");
}

}  // namespace

Outcome DecideOn(Turn& turn, const CreateKey& c) {
  const World& world = turn.world();
  if (world.FindKey(c.access_key_id)) {
    return Refuse(StatusCode::kAlreadyExists, refusal::kKeyTaken,
                  fmt::format("there is an access key '{}'", c.access_key_id));
  }
  KeyId id = world.keys().next();
  turn.Emit([&](auto event) {
    auto created = event.initKeyCreated();
    created.setKey(id.value());
    created.setAccessKeyId(c.access_key_id);
    created.setFormal(c.formal);
    created.setNote(c.note);
  });
  turn.Side(SideKeyOfKey(id), c.secret);
  return Done(CreatedKey{id, c.access_key_id, c.secret});
}

Outcome DecideOn(Turn& turn, const ChangeKey& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(KeyId id, RequireKey(world, c.access_key_id));
  const Key& key = world.keys()[id];
  bool formal = c.formal.value_or(key.formal);
  bool enabled = c.enabled.value_or(key.enabled);
  if (formal == key.formal && enabled == key.enabled) return Done();
  if (!(formal && enabled) && IsLastFormalKey(world, id)) return RefuseLastKey();
  turn.Emit([&](auto event) {
    auto changed = event.initKeyChanged();
    changed.setKey(id.value());
    changed.setFormal(formal);
    changed.setEnabled(enabled);
  });
  return Done();
}

Outcome DecideOn(Turn& turn, const DeleteKey& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(KeyId id, RequireKey(world, c.access_key_id));
  if (IsLastFormalKey(world, id)) return RefuseLastKey();
  turn.Emit([&](auto event) { event.initKeyDeleted().setKey(id.value()); });
  turn.Side(SideKeyOfKey(id), std::nullopt);
  return Done();
}

Outcome DecideOn(Turn& turn, const ConfirmClock&) {
  turn.Emit([](auto event) { event.initClockConfirmed(); });
  return Done();
}

}  // namespace updraft
