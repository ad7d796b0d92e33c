#include "adapters/http/routes.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace updraft {

void Routes::Add(std::string path, bool below, std::vector<std::string> methods,
                 ExchangeHandler handler) {
  if (std::count(methods.begin(), methods.end(), "GET") > 0) methods.push_back("HEAD");
  routes_.push_back({std::move(path), below, std::move(methods), std::move(handler)});
}

Routes::Found Routes::Find(std::string_view method, std::string_view path) const {
  const Route* best = nullptr;
  for (const Route& route : routes_) {
    bool exact = route.path == path && !route.below;
    if (!exact && !(route.below && path.starts_with(route.path))) continue;
    if (exact || best == nullptr || route.path.size() > best->path.size()) best = &route;
    if (exact) break;
  }
  if (best == nullptr) return {};
  if (std::count(best->methods.begin(), best->methods.end(), method) == 0) {
    return {nullptr, fmt::format("{}", fmt::join(best->methods, ", "))};
  }
  return {&best->handler, ""};
}

}  // namespace updraft
