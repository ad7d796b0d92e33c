#include "adapters/openapi/reference.h"

#include <algorithm>

#include <fmt/format.h>

#include "adapters/openapi/actions.h"
#include "events/base/assert.h"

namespace updraft::openapi {
namespace {

constexpr std::string_view kIntroduction = R"(# The console's API

Made by `ninja -C build reference`; do not edit.

This is the API `Iot`, version `2018-01-20`, as far as over-the-air upgrades need it, with the names,
answers and error codes that the vendor publishes: its SDKs and older RPC clients work with only the
endpoint changed. What is marked **ours** is not in the published API.

- `GET` or `POST /`, parameters in the query or in a form body, signed with an access key: header
  signatures (`ACS3-HMAC-SHA256`) and those in the query (`HMAC-SHA1`) are both taken. A call's time
  is at most 15 minutes off, its nonce is new.
- Lists are `Name.1`, `Name.2` and so on; pairs `Name.1.Key`, `Name.1.Value`. Parameters that are not
  listed, `IotInstanceId` among them, are not looked at.
- Done: HTTP 200, `{"RequestId":…,"Success":true,…}`. Refused: HTTP 200,
  `{"RequestId":…,"Success":false,"Code":"iot.…","ErrorMessage":…}`. What does not get as far as an
  action (signature, missing parameters, too many calls): HTTP 4xx or 503,
  `{"RequestId":…,"Code":…,"Message":…,"HostId":…}`.
- The published API has some 300 actions more, of thing models, rules, groups and so on. They are
  refused with `InvalidAction.NotFound` and a sentence, HTTP 404; files over MQTT, packages of
  several files and groups as targets by their parameters.
- Formal users may do everything, guests what says so. A key makes as many calls a second of each
  action as the table says, times the server's rate factor (10 unless configured).
- Times in answers are UTC. Optional fields are left out, not null.
)";

std::string TypeOf(const Parameter& p) {
  switch (p.type) {
    case ParameterType::kText:
      return p.choices.empty() ? "text" : "one of `" + std::string(p.choices) + "`";
    case ParameterType::kNumber:
      return fmt::format("{} to {}", p.min, p.max);
    case ParameterType::kFlag:
      return "`true` or `false`";
    case ParameterType::kTexts:
      return fmt::format("up to {} texts", p.max);
    case ParameterType::kPairs:
      return fmt::format("up to {} of `{}` and `{}`", p.max, p.first_field, p.second_field);
    case ParameterType::kNone:
      return "refused";
    case ParameterType::kIgnored:
      return "anything";
  }
  Unreachable();
}

std::string DefaultOf(const Parameter& p) {
  return p.fallback.empty() ? "" : fmt::format("; `{}` when left out", p.fallback);
}

// A `|` would end a table's cell.
std::string Cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

// The parameters that have an example. A test runs each call.
std::string CallOf(const Action& action) {
  std::string call = fmt::format("updraft call {}", action.name);
  for (const Parameter& p : action.parameters) {
    if (p.example.empty()) continue;
    bool list = p.type == ParameterType::kTexts;
    call += fmt::format(" --{}{} {}", p.name, list ? ".1" : "", p.example);
  }
  return call;
}

std::string Section(const Action& action) {
  std::string text =
      fmt::format("\n### {}{}\n\n{}\n\n", action.name, action.ours ? " (ours)" : "", action.about);
  text +=
      fmt::format("{}; {} calls a second.\n\n",
                  action.audience == Audience::kGuest ? "Guests and formal users" : "Formal users",
                  action.calls_per_second);
  if (!action.parameters.empty()) {
    text += "| parameter | may be | |\n|---|---|---|\n";
    for (const Parameter& p : action.parameters) {
      text += fmt::format("| {}{}{} | {} | {} |\n", p.required ? "**" : "", p.name,
                          p.required ? "**" : "", Cell(TypeOf(p) + DefaultOf(p)),
                          Cell(std::string(p.about) + (p.ours ? " (ours)" : "")));
    }
    text += "\n";
  }
  return text + fmt::format("    {}\n", CallOf(action));
}

}  // namespace

std::string ReferenceOf(const Action& action) { return Section(action); }

std::string Reference() {
  std::string text(kIntroduction);
  for (const ActionGroup& group : AllActions()) {
    text += fmt::format("\n## {}\n", group.title);
    for (const Action& action : group.actions) text += Section(action);
  }
  return text;
}

}  // namespace updraft::openapi
