#include "adapters/openapi/reference.h"

#include <fstream>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>

#include "adapters/openapi/actions.h"

namespace updraft::openapi {
namespace {

TEST_CASE("the reference of the API is current; `ninja reference` makes it so", "[openapi]") {
  std::ifstream file(UPDRAFT_SOURCE_DIR "/adapters/openapi/README.md");
  std::stringstream written;
  written << file.rdbuf();
  // Not compared by CHECK, which would print both.
  bool current = written.str() == Reference();
  CHECK(current);
}

TEST_CASE("every action is told of, and has a function and names of its own", "[openapi]") {
  std::set<std::string_view> actions;
  for (const ActionGroup& group : AllActions()) {
    for (const Action& action : group.actions) {
      INFO(action.name);
      CHECK(actions.insert(action.name).second);
      CHECK(action.run != nullptr);
      CHECK_FALSE(action.about.empty());
      CHECK(action.calls_per_second > 0);
      std::set<std::string_view> names;
      for (const Parameter& parameter : action.parameters) {
        CHECK(names.insert(parameter.name).second);
      }
    }
  }
}

}  // namespace
}  // namespace updraft::openapi
