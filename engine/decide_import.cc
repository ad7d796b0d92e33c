// What devices ran before they moved here.
#include <map>

#include <fmt/format.h>

#include "engine/decide_internal.h"

namespace updraft {
namespace {

// Why it cannot be so; OK when it can, or is so already.
Status CheckEntry(const World& world, ProductId product, const ImportVersions::Entry& entry) {
  DeviceId device = world.names().Find(product, entry.device_name);
  if (!device) {
    return Status(StatusCode::kNotFound, refusal::kUnknownDevice, "the product has no such device");
  }
  RETURN_IF_ERROR(CheckReport(world, device, entry.module, entry.version));
  ModuleId module = world.FindModule(product, entry.module.empty() ? kDefaultModule : entry.module);
  VersionId runs = module ? world.VersionOf(device, module) : VersionId();
  if (!runs || world.versions()[runs].text == entry.version) return OkStatus();
  return Status(
      StatusCode::kAlreadyExists, refusal::kOtherVersionKnown,
      fmt::format("it is known to run '{}', not '{}'", world.versions()[runs].text, entry.version));
}

void EmitImported(Turn& turn, ModuleId module, VersionId version,
                  const std::vector<DeviceId>& devices) {
  turn.Emit([&](auto event) {
    auto imported = event.initVersionsImported();
    imported.setModule(module.value());
    imported.setVersion(version.value());
    auto list = imported.initDevices(static_cast<unsigned>(devices.size()));
    for (unsigned i = 0; i < list.size(); ++i) list.set(i, devices[i].value());
  });
  for (DeviceId device : devices) MatchDynamic(turn, device, module, version);
}

}  // namespace

// An operator says this, not a device: what it names is not held against a device's daily bound,
// but the product's bounds hold.
Outcome DecideOn(Turn& turn, const ImportVersions& c) {
  const World& world = turn.world();
  REQUIRE_OR_REFUSE(ProductId product, RequireProduct(world, c.product_key));
  if (c.entries.empty() || c.entries.size() > kDevicesPerRegistrationMax) {
    return RefuseInvalid(refusal::kTooManyDevices,
                         fmt::format("1 to {} versions can be imported at a time, not {}",
                                     kDevicesPerRegistrationMax, c.entries.size()));
  }
  TargetProblems problems;
  // In the order of their names' first use, whatever the entries' order.
  std::map<std::pair<ModuleId, VersionId>, std::vector<DeviceId>> groups;
  std::map<std::pair<DeviceId, ModuleId>, VersionId> said;
  std::map<DeviceId, size_t> modules_added;
  for (size_t i = 0; i < c.entries.size(); ++i) {
    const ImportVersions::Entry& entry = c.entries[i];
    Status status = CheckEntry(world, product, entry);
    if (status.ok() && !world.FindVersion(product, entry.version) &&
        world.IndexOf(product).versions.size() >= kVersionsPerProductMax) {
      status = Status(StatusCode::kResourceExhausted, refusal::kVersionMalformed,
                      fmt::format("the product has {} versions already", kVersionsPerProductMax));
    }
    if (!status.ok()) {
      problems.problems.push_back({i, entry.device_name, std::string(status.message())});
      continue;
    }
    DeviceId device = world.names().Find(product, entry.device_name);
    ModuleId module = FindOrNameModule(turn, product, entry.module, DeviceId());
    VersionId version = FindOrNameVersion(turn, product, entry.version, DeviceId());
    if (world.VersionOf(device, module) == version) continue;
    auto [it, fresh] = said.try_emplace({device, module}, version);
    if (fresh && !world.FindInstalled(device, module) &&
        ModulesOf(world, device) + ++modules_added[device] > kModulesPerDeviceMax) {
      problems.problems.push_back(
          {i, entry.device_name,
           fmt::format("a device has at most {} modules", kModulesPerDeviceMax)});
    } else if (fresh) {
      groups[{module, version}].push_back(device);
    } else if (it->second != version) {
      problems.problems.push_back({i, entry.device_name, "two versions of one module are named"});
    }
  }
  for (const auto& [what, devices] : groups) EmitImported(turn, what.first, what.second, devices);
  return Done(std::move(problems));
}

}  // namespace updraft
