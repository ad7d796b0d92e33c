#include "adapters/openapi/actions.h"

#include <map>

namespace updraft::openapi {

const std::vector<ActionGroup>& AllActions() {
  static const std::vector<ActionGroup> kGroups = {
      {"Products", ProductActions()}, {"Modules", ModuleActions()},
      {"Devices", DeviceActions()},   {"Registration of many devices", RegistrationActions()},
      {"Packages", PackageActions()}, {"Creating batches", JobCreationActions()},
      {"Batches", JobActions()},      {"Tasks", TaskActions()},
      {"Moving in", ImportActions()}, {"Operation", OperationActions()},
  };
  return kGroups;
}

const Action* FindAction(std::string_view name) {
  static const auto kByName = [] {
    std::map<std::string_view, const Action*> by_name;
    for (const ActionGroup& group : AllActions()) {
      for (const Action& action : group.actions) by_name[action.name] = &action;
    }
    return by_name;
  }();
  auto found = kByName.find(name);
  return found == kByName.end() ? nullptr : found->second;
}

}  // namespace updraft::openapi
