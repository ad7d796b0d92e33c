#include "adapters/openapi/parameters.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <strings.h>

#include "events/base/assert.h"

namespace updraft::openapi {
namespace {

// More items than any list's bound; the request's size bounds what is looked at.
constexpr int64_t kIndexMax = 1'000'000;

Status Invalid(const Parameter& parameter, std::string why) {
  return Status(StatusCode::kInvalidArgument, parameter.invalid_code, std::move(why));
}

}  // namespace

int64_t CountChars(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(),
                       [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; });
}

namespace {

// Digits with or without a minus and nothing else; nothing when it does not fit 64 bits.
std::optional<int64_t> ToNumber(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<bool> ToFlag(const std::string& text) {
  if (strcasecmp(text.c_str(), "true") == 0) return true;
  if (strcasecmp(text.c_str(), "false") == 0) return false;
  return std::nullopt;
}

bool IsChoice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    size_t end = std::min(choices.find('|'), choices.size());
    if (choices.substr(0, end) == text) return true;
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return false;
}

// Calls `visit(index, rest, value)` for each `Name.INDEX` and `Name.INDEX.REST`.
template <class Visit>
Status ForEachItem(const Parameter& parameter, const Parameters& given, Visit visit) {
  const std::string prefix = std::string(parameter.name) + ".";
  for (auto it = given.lower_bound(prefix); it != given.end() && it->first.starts_with(prefix);
       ++it) {
    std::string_view key = std::string_view(it->first).substr(prefix.size());
    std::string_view digits = key.substr(0, key.find('.'));
    std::optional<int64_t> index = ToNumber(digits);
    if (!index || *index < 1 || *index > kIndexMax || digits.starts_with('0')) {
      return Invalid(parameter, fmt::format("the items of {} are {}1, {}2 and so on, not {}",
                                            parameter.name, prefix, prefix, it->first));
    }
    RETURN_IF_ERROR(visit(*index, key.substr(digits.size()), it->second));
  }
  return OkStatus();
}

Status CheckCount(const Parameter& parameter, size_t count) {
  if (static_cast<int64_t>(count) <= parameter.max) return OkStatus();
  return Invalid(parameter, fmt::format("{} has {} items of at most {}", parameter.name, count,
                                        parameter.max));
}

Result<std::vector<std::string>> ReadTexts(const Parameter& parameter, const Parameters& given) {
  std::map<int64_t, std::string> items;  // 10 comes after 9, unlike in the call.
  RETURN_IF_ERROR(
      ForEachItem(parameter, given, [&](int64_t index, std::string_view rest, const auto& value) {
        if (!rest.empty()) {
          return Invalid(parameter, fmt::format("the items of {} are texts", parameter.name));
        }
        items[index] = value;
        return OkStatus();
      }));
  RETURN_IF_ERROR(CheckCount(parameter, items.size()));
  std::vector<std::string> texts;
  for (auto& [index, text] : items) texts.push_back(std::move(text));
  return texts;
}

Result<Arguments::PairList> ReadPairs(const Parameter& parameter, const Parameters& given) {
  std::map<int64_t, std::pair<std::string, std::string>> items;
  RETURN_IF_ERROR(
      ForEachItem(parameter, given, [&](int64_t index, std::string_view rest, const auto& value) {
        std::string_view field = rest.substr(std::min<size_t>(rest.size(), 1));
        if (field != parameter.first_field && field != parameter.second_field) {
          return Invalid(parameter,
                         fmt::format("the items of {} have a {} and a {}", parameter.name,
                                     parameter.first_field, parameter.second_field));
        }
        (field == parameter.first_field ? items[index].first : items[index].second) = value;
        return OkStatus();
      }));
  RETURN_IF_ERROR(CheckCount(parameter, items.size()));
  Arguments::PairList pairs;
  for (auto& [index, pair] : items) pairs.push_back(std::move(pair));
  return pairs;
}

Status CheckText(const Parameter& parameter, const std::string& text) {
  if (!parameter.choices.empty()) {
    if (IsChoice(parameter.choices, text)) return OkStatus();
    return Invalid(parameter, fmt::format("{} is one of {}, not '{}'. {}", parameter.name,
                                          parameter.choices, text, parameter.about));
  }
  int64_t chars = CountChars(text);
  if (chars >= parameter.min && chars <= parameter.max) return OkStatus();
  return Invalid(parameter, fmt::format("{} has {} characters; it may have {} to {}",
                                        parameter.name, chars, parameter.min, parameter.max));
}

Result<int64_t> ReadNumber(const Parameter& parameter, const std::string& text) {
  std::optional<int64_t> number = ToNumber(text);
  if (number && *number >= parameter.min && *number <= parameter.max) return *number;
  return Invalid(parameter, fmt::format("{} is a whole number from {} to {}, not '{}'",
                                        parameter.name, parameter.min, parameter.max, text));
}

Parameter Make(std::string_view name, ParameterType type, std::string_view about, int64_t min,
               int64_t max) {
  return Parameter{.name = name, .type = type, .about = about, .min = min, .max = max};
}

}  // namespace

Parameter Parameter::Required() const {
  Parameter copy = *this;
  copy.required = true;
  return copy;
}

Parameter Parameter::Ours() const {
  Parameter copy = *this;
  copy.ours = true;
  return copy;
}

Parameter Parameter::Default(std::string_view text) const {
  Parameter copy = *this;
  copy.fallback = text;
  return copy;
}

Parameter Parameter::Example(std::string_view text) const {
  Parameter copy = *this;
  copy.example = text;
  return copy;
}

Parameter Parameter::Codes(std::string_view missing, std::string_view invalid) const {
  Parameter copy = *this;
  copy.missing_code = missing;
  copy.invalid_code = invalid;
  return copy;
}

Parameter Text(std::string_view name, std::string_view about, int64_t min, int64_t max) {
  return Make(name, ParameterType::kText, about, min, max);
}

Parameter Choice(std::string_view name, std::string_view about, std::string_view choices) {
  Parameter parameter = Make(name, ParameterType::kText, about, 1, 0);
  parameter.choices = choices;
  return parameter;
}

Parameter Number(std::string_view name, std::string_view about, int64_t min, int64_t max) {
  return Make(name, ParameterType::kNumber, about, min, max);
}

Parameter Flag(std::string_view name, std::string_view about) {
  return Make(name, ParameterType::kFlag, about, 0, 1);
}

Parameter Texts(std::string_view name, std::string_view about, int64_t max) {
  return Make(name, ParameterType::kTexts, about, 1, max);
}

Parameter Pairs(std::string_view name, std::string_view about, std::string_view first_field,
                std::string_view second_field, int64_t max) {
  Parameter parameter = Make(name, ParameterType::kPairs, about, 1, max);
  parameter.first_field = first_field;
  parameter.second_field = second_field;
  return parameter;
}

Parameter NotBuilt(std::string_view name, std::string_view why) {
  return Make(name, ParameterType::kNone, why, 0, 0);
}

Parameter Ignored(std::string_view name, std::string_view why) {
  return Make(name, ParameterType::kIgnored, why, 0, 0);
}

Result<Arguments> Arguments::Read(const std::vector<Parameter>& parameters,
                                  const Parameters& given) {
  Arguments arguments(parameters);
  // What is not built comes first: nobody is to hunt for the rest of a call that cannot be.
  for (const Parameter& parameter : parameters) {
    if (parameter.type != ParameterType::kNone) continue;
    RETURN_IF_ERROR(ReadOne(parameter, given).status());
  }
  for (const Parameter& parameter : parameters) {
    ASSIGN_OR_RETURN(std::optional<Value> value, ReadOne(parameter, given));
    if (value) {
      arguments.values_[parameter.name] = *std::move(value);
    } else if (parameter.required) {
      return Status(StatusCode::kInvalidArgument, parameter.missing_code,
                    fmt::format("{} is missing", parameter.name));
    } else if (!parameter.fallback.empty()) {
      const Parameters fallback = {{std::string(parameter.name), std::string(parameter.fallback)}};
      ASSIGN_OR_RETURN(value, ReadOne(parameter, fallback));
      value->given = false;
      arguments.values_[parameter.name] = *std::move(value);
    }
  }
  return arguments;
}

Result<std::optional<Arguments::Value>> Arguments::ReadOne(const Parameter& parameter,
                                                           const Parameters& given) {
  Value value;
  if (parameter.type == ParameterType::kIgnored) return std::optional<Value>();
  if (parameter.type == ParameterType::kTexts) {
    ASSIGN_OR_RETURN(value.texts, ReadTexts(parameter, given));
    return value.texts.empty() ? std::nullopt : std::optional(value);
  }
  if (parameter.type == ParameterType::kPairs) {
    ASSIGN_OR_RETURN(value.pairs, ReadPairs(parameter, given));
    return value.pairs.empty() ? std::nullopt : std::optional(value);
  }
  if (parameter.type == ParameterType::kNone) {
    auto first = given.lower_bound(parameter.name);
    bool is_given = first != given.end() && first->first.starts_with(parameter.name);
    if (!is_given) return std::optional<Value>();
    return Invalid(parameter, std::string(parameter.about));
  }
  auto found = given.find(parameter.name);
  if (found == given.end() || (found->second.empty() && parameter.min > 0)) {
    return std::optional<Value>();
  }
  value.text = found->second;
  if (parameter.type == ParameterType::kNumber) {
    ASSIGN_OR_RETURN(value.number, ReadNumber(parameter, value.text));
  } else if (parameter.type == ParameterType::kFlag) {
    std::optional<bool> flag = ToFlag(value.text);
    if (!flag) return Invalid(parameter, fmt::format("{} is true or false", parameter.name));
    value.number = *flag ? 1 : 0;
  } else {
    RETURN_IF_ERROR(CheckText(parameter, value.text));
  }
  return std::optional(std::move(value));
}

const Arguments::Value& Arguments::Get(std::string_view name, ParameterType type) const {
  static const Value kNone;
  bool listed = std::any_of(parameters_->begin(), parameters_->end(),
                            [&](const Parameter& p) { return p.name == name && p.type == type; });
  Assert(listed, "the action lists {}", name);
  auto found = values_.find(name);
  return found == values_.end() ? kNone : found->second;
}

bool Arguments::Has(std::string_view name) const {
  auto found = values_.find(name);
  return found != values_.end() && found->second.given;
}

const std::string& Arguments::Text(std::string_view name) const {
  return Get(name, ParameterType::kText).text;
}

const std::vector<std::string>& Arguments::Texts(std::string_view name) const {
  return Get(name, ParameterType::kTexts).texts;
}

std::optional<std::string> Arguments::OptionalText(std::string_view name) const {
  const Value& value = Get(name, ParameterType::kText);
  return Has(name) ? std::optional(value.text) : std::nullopt;
}

std::optional<int64_t> Arguments::Number(std::string_view name) const {
  const Value& value = Get(name, ParameterType::kNumber);
  return values_.contains(name) ? std::optional(value.number) : std::nullopt;
}

std::optional<bool> Arguments::Flag(std::string_view name) const {
  const Value& value = Get(name, ParameterType::kFlag);
  return values_.contains(name) ? std::optional(value.number != 0) : std::nullopt;
}

const Arguments::PairList& Arguments::Pairs(std::string_view name) const {
  return Get(name, ParameterType::kPairs).pairs;
}

}  // namespace updraft::openapi
