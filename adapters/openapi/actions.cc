#include "adapters/openapi/actions.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace updraft::openapi {
namespace {

constexpr size_t kNameBytesMax = 64;  // Longer ones are not compared: it costs their product.

// How many letters are to be changed, added or left out, in any case of letters.
size_t Distance(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t change = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({change, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

// Of the names the nearest, if it is near at all.
class Nearest {
 public:
  explicit Nearest(std::string_view name)
      : name_(name.substr(0, kNameBytesMax)),
        distance_(std::max<size_t>(2, name_.size() / 4) + 1) {}

  void Offer(std::string_view candidate) {
    size_t distance = Distance(name_, candidate);
    if (distance >= distance_) return;
    distance_ = distance;
    found_ = candidate;
  }
  std::string_view found() const { return found_; }

 private:
  std::string_view name_;
  size_t distance_;
  std::string_view found_;
};

}  // namespace

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

std::string_view NearestAction(std::string_view name) {
  Nearest nearest(name);
  for (const ActionGroup& group : AllActions()) {
    for (const Action& action : group.actions) nearest.Offer(action.name);
  }
  return nearest.found();
}

std::string_view NearestParameter(const Action& action, std::string_view name) {
  Nearest nearest(name);
  for (const Parameter& parameter : action.parameters) nearest.Offer(parameter.name);
  return nearest.found();
}

}  // namespace updraft::openapi
