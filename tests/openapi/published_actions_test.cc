// Our table of actions against published_actions.txt, parameter by parameter.
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "adapters/openapi/actions.h"

namespace updraft::openapi {
namespace {

struct PublishedParameter {
  std::string name;
  std::string type;
  std::string range;  // As it is written; empty when it is not compared.
  bool required = false;
  std::string fallback;
  std::string missing_code;  // Empty when it is not compared.
  std::string invalid_code;
};

struct PublishedAction {
  std::string name;
  uint32_t calls_per_second = 0;
  std::vector<PublishedParameter> parameters;
};

PublishedParameter ReadParameter(const std::string& line) {
  PublishedParameter parameter;
  std::istringstream words(line.substr(0, line.find('!')));
  words >> parameter.name >> parameter.type;
  for (std::string word; words >> word;) {
    size_t equals = word.find('=');
    std::string value = equals == word.npos ? "" : word.substr(equals + 1);
    if (word == "required") {
      parameter.required = true;
    } else if (word.starts_with("default=")) {
      parameter.fallback = value;
    } else if (word.starts_with("missing=")) {
      parameter.missing_code = value;
    } else if (word.starts_with("invalid=")) {
      parameter.invalid_code = value;
    } else {
      parameter.range += (parameter.range.empty() ? "" : " ") + word;
    }
  }
  return parameter;
}

std::vector<PublishedAction> ReadPublished() {
  std::ifstream file(UPDRAFT_SOURCE_DIR "/tests/openapi/published_actions.txt");
  REQUIRE(file.is_open());
  std::vector<PublishedAction> actions;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with(' ')) {
      actions.back().parameters.push_back(ReadParameter(line));
      continue;
    }
    PublishedAction action;
    std::istringstream(line) >> action.name >> action.calls_per_second;
    actions.push_back(std::move(action));
  }
  return actions;
}

std::string TypeWord(const Parameter& p) {
  switch (p.type) {
    case ParameterType::kText:
      return p.choices.empty() ? "text" : "choice";
    case ParameterType::kNumber:
      return "number";
    case ParameterType::kFlag:
      return "flag";
    case ParameterType::kTexts:
      return "texts";
    case ParameterType::kPairs:
      return "pairs";
    case ParameterType::kNone:
      return "refused";
    case ParameterType::kIgnored:
      return "ignored";
  }
  return "";
}

std::string RangeWord(const Parameter& p) {
  if (!p.choices.empty()) return std::string(p.choices);
  if (p.type == ParameterType::kTexts) return fmt::format("..{}", p.max);
  if (p.type == ParameterType::kPairs) {
    return fmt::format("{},{} ..{}", p.first_field, p.second_field, p.max);
  }
  return fmt::format("{}..{}", p.min, p.max);
}

// Where ours is not as published; empty when it is.
std::string Difference(const PublishedParameter& published, const Parameter& ours) {
  auto differs = [](std::string_view what, std::string_view want, std::string_view have) {
    return fmt::format("{} is '{}' and should be '{}'", what, have, want);
  };
  if (TypeWord(ours) != published.type) return differs("type", published.type, TypeWord(ours));
  if (!published.range.empty() && RangeWord(ours) != published.range) {
    return differs("range", published.range, RangeWord(ours));
  }
  if (ours.required != published.required) return "required or not";
  if (ours.fallback != published.fallback) {
    return differs("default", published.fallback, ours.fallback);
  }
  if (!published.missing_code.empty() && ours.missing_code != published.missing_code) {
    return differs("code when missing", published.missing_code, ours.missing_code);
  }
  if (!published.invalid_code.empty() && ours.invalid_code != published.invalid_code) {
    return differs("code when invalid", published.invalid_code, ours.invalid_code);
  }
  return ours.ours ? "marked as ours" : "";
}

const Parameter* FindParameter(const Action& action, std::string_view name) {
  auto found = std::find_if(action.parameters.begin(), action.parameters.end(),
                            [&](const Parameter& p) { return p.name == name; });
  return found == action.parameters.end() ? nullptr : &*found;
}

TEST_CASE("every published action is there, with its parameters as published", "[openapi]") {
  const std::vector<PublishedAction> published = ReadPublished();
  CHECK(published.size() == 42);
  for (const PublishedAction& wanted : published) {
    INFO(wanted.name);
    const Action* action = FindAction(wanted.name);
    REQUIRE(action != nullptr);
    CHECK_FALSE(action->ours);
    CHECK(action->calls_per_second == wanted.calls_per_second);
    for (const PublishedParameter& parameter : wanted.parameters) {
      INFO(parameter.name);
      const Parameter* ours = FindParameter(*action, parameter.name);
      REQUIRE(ours != nullptr);
      CHECK(Difference(parameter, *ours) == "");
    }
  }
}

TEST_CASE("what is not published is marked as ours", "[openapi]") {
  std::map<std::string, std::set<std::string>> published;
  for (const PublishedAction& action : ReadPublished()) {
    for (const PublishedParameter& p : action.parameters) published[action.name].insert(p.name);
    published[action.name];
  }
  for (const ActionGroup& group : AllActions()) {
    for (const Action& action : group.actions) {
      auto found = published.find(std::string(action.name));
      INFO(action.name);
      CHECK(action.ours == (found == published.end()));
      if (action.ours) continue;
      for (const Parameter& p : action.parameters) {
        INFO(p.name);
        CHECK(p.ours == !found->second.contains(std::string(p.name)));
      }
    }
  }
}

// A good value for each required parameter, so that only the one under test is at fault.
Parameters GoodCall(const Action& action) {
  Parameters good;
  for (const Parameter& p : action.parameters) {
    if (!p.required) continue;
    std::string name(p.name);
    if (p.type == ParameterType::kTexts) {
      good[name + ".1"] = "x";
    } else if (p.type == ParameterType::kNumber) {
      good[name] = std::to_string(p.min);
    } else {
      good[name] = p.choices.empty() ? "x" : p.choices.substr(0, p.choices.find('|'));
    }
  }
  return good;
}

std::string CodeOfCall(const Action& action, const Parameters& given) {
  Result<Arguments> arguments = Arguments::Read(action.parameters, given);
  return arguments.ok() ? "" : std::string(arguments.status().reason());
}

TEST_CASE("a number or a list is good at its bounds and has its code one past them", "[openapi]") {
  for (const ActionGroup& group : AllActions()) {
    for (const Action& action : group.actions) {
      const Parameters good = GoodCall(action);
      INFO(action.name);
      CHECK(CodeOfCall(action, good) == "");
      for (const Parameter& p : action.parameters) {
        INFO(p.name);
        Parameters call = good;
        if (p.type == ParameterType::kNumber) {
          for (auto [number, code] :
               {std::pair{p.min, std::string_view()}, std::pair{p.max, std::string_view()},
                std::pair{p.min - 1, p.invalid_code}, std::pair{p.max + 1, p.invalid_code}}) {
            call[std::string(p.name)] = std::to_string(number);
            CHECK(CodeOfCall(action, call) == code);
          }
        }
        if (p.type == ParameterType::kTexts) {
          for (int64_t i = 1; i <= p.max; ++i) call[fmt::format("{}.{}", p.name, i)] = "x";
          CHECK(CodeOfCall(action, call) == "");
          call[fmt::format("{}.{}", p.name, p.max + 1)] = "x";
          CHECK(CodeOfCall(action, call) == p.invalid_code);
        }
      }
    }
  }
}

}  // namespace
}  // namespace updraft::openapi
