// The one table of the API's actions: routing, parameter checks, who may call, rates and the
// reference are made from it. To add an action, write its function and add a row to the part of the
// table at the end of the file on its subject.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "adapters/openapi/call.h"
#include "adapters/openapi/parameters.h"

namespace updraft::openapi {

enum class Audience {
  kFormal,  // Formal users only; guests are told the way out.
  kGuest,   // Guests as well.
};

struct Action {
  std::string_view name;
  std::string_view about;
  Audience audience = Audience::kFormal;
  uint32_t calls_per_second = 10;  // As the vendor documents it, or likewise.
  void (*run)(const CallPtr& call) = nullptr;
  std::vector<Parameter> parameters;
  bool ours = false;  // Not in the published API.
};

// All actions by subject, in the order of the reference.
struct ActionGroup {
  std::string_view title;
  const std::vector<Action>& actions;
};
const std::vector<ActionGroup>& AllActions();

// Null when there is none of that name.
const Action* FindAction(std::string_view name);

// What somebody may have meant by a name that is none; empty when nothing is near.
std::string_view NearestAction(std::string_view name);
std::string_view NearestParameter(const Action& action, std::string_view name);

// The parts of the table, each in the file on its subject.
const std::vector<Action>& ProductActions();
const std::vector<Action>& ModuleActions();
const std::vector<Action>& DeviceActions();
const std::vector<Action>& RegistrationActions();
const std::vector<Action>& PackageActions();
const std::vector<Action>& JobCreationActions();
const std::vector<Action>& JobActions();
const std::vector<Action>& TaskActions();
const std::vector<Action>& OperationActions();
const std::vector<Action>& ImportActions();

}  // namespace updraft::openapi
