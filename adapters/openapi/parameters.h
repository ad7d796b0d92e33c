// What an action's parameters may be, and reading them off a call.
//
// Errors: INVALID_ARGUMENT, its reason the API's error code: the parameter's own codes, or
// MissingParameter and iot.common.InvalidFormattedParameter. Thread-safety: pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/wire/url_coding.h"
#include "events/base/status.h"

namespace updraft::openapi {

enum class ParameterType {
  kText,
  kNumber,
  kFlag,     // true or false, in any case.
  kTexts,    // Name.1, Name.2, …
  kPairs,    // Name.1.Key, Name.1.Value, Name.2.Key, …; the two fields have names of their own.
  kNone,     // Of the published API, not built here: refused when it is given.
  kIgnored,  // Of the published API, without meaning here: taken and not looked at.
};

// Made by the functions below: Text("Desc", "…", 0, 100).Required().
struct Parameter {
  std::string_view name;
  ParameterType type = ParameterType::kText;
  std::string_view about;  // For the reference; of kNone and kIgnored why it is so.
  int64_t min = 0;         // Inclusive: of a number, a text's characters, a list's items.
  int64_t max = 0;
  std::string_view choices;      // Of a text: all it may be, `A|B`; empty when it is free.
  std::string_view first_field;  // Of pairs.
  std::string_view second_field;
  bool required = false;
  bool ours = false;  // Not in the published API.
  // What counts when it is left out, of a text, a number or a flag; empty when nothing does.
  std::string_view fallback = "";
  std::string_view example = "";
  std::string_view missing_code = "MissingParameter";
  std::string_view invalid_code = "iot.common.InvalidFormattedParameter";

  Parameter Required() const;
  Parameter Ours() const;
  Parameter Default(std::string_view text) const;
  Parameter Example(std::string_view text) const;
  // What a call without it, and one with a bad one, is answered.
  Parameter Codes(std::string_view missing, std::string_view invalid) const;
};

// An empty text counts as none unless `min` is 0.
Parameter Text(std::string_view name, std::string_view about, int64_t min = 1, int64_t max = 256);
Parameter Choice(std::string_view name, std::string_view about, std::string_view choices);
Parameter Number(std::string_view name, std::string_view about, int64_t min, int64_t max);
Parameter Flag(std::string_view name, std::string_view about);
Parameter Texts(std::string_view name, std::string_view about, int64_t max);
Parameter Pairs(std::string_view name, std::string_view about, std::string_view first_field,
                std::string_view second_field, int64_t max);
Parameter NotBuilt(std::string_view name, std::string_view why);
Parameter Ignored(std::string_view name, std::string_view why);

// Characters of a UTF-8 text.
int64_t CountChars(std::string_view utf8);

// The parameters of one call, read. Asking for one that the action does not list, or as another
// type, is a bug and ends the process.
class Arguments {
 public:
  using PairList = std::vector<std::pair<std::string, std::string>>;

  static Result<Arguments> Read(const std::vector<Parameter>& parameters, const Parameters& given);

  // Whether the call itself has it.
  bool Has(std::string_view name) const;
  // Each gives the default when there is none, or nothing where there is no default; these two
  // empty.
  const std::string& Text(std::string_view name) const;
  const std::vector<std::string>& Texts(std::string_view name) const;
  std::optional<std::string> OptionalText(std::string_view name) const;  // As the call has it.
  std::optional<int64_t> Number(std::string_view name) const;
  std::optional<bool> Flag(std::string_view name) const;
  const PairList& Pairs(std::string_view name) const;

 private:
  struct Value {
    bool given = true;  // By the call; else it is the default.
    std::string text;
    int64_t number = 0;  // Of a flag 0 or 1.
    std::vector<std::string> texts;
    PairList pairs;
  };

  explicit Arguments(const std::vector<Parameter>& parameters) : parameters_(&parameters) {}
  // An empty value when the call has none.
  const Value& Get(std::string_view name, ParameterType type) const;

  static Result<std::optional<Value>> ReadOne(const Parameter& parameter, const Parameters& given);

  const std::vector<Parameter>* parameters_;  // The action's, which live for ever.
  std::map<std::string_view, Value> values_;
};

}  // namespace updraft::openapi
