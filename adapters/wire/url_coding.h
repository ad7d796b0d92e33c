// Percent-encoding and the parameters of queries and form bodies.
//
// Errors: INVALID_ARGUMENT with the code that an API answer can carry: MalformedEscape,
// MalformedUtf8, DuplicateParameter. Thread-safety: pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "events/base/status.h"

namespace updraft {

using Parameters = std::map<std::string, std::string, std::less<>>;

// RFC 3986: all but letters, digits and `-_.~` as %XX, in capitals.
std::string PercentEncode(std::string_view text);

// Refuses a `%` without two hex digits and bytes that are no UTF-8. A `+` is a blank, as forms have
// it.
Result<std::string> PercentDecode(std::string_view text);

// Adds the parameters of a query or a form body, `a=1&b=2`, to `parameters`. A name that comes
// twice, or is in `parameters` already, is refused: which of the two is meant would be a guess.
Status AddParameters(std::string_view encoded, Parameters& parameters);

// As a query or a form body, sorted by name: the canonical form that signatures are made of.
std::string EncodeParameters(const Parameters& parameters);

}  // namespace updraft
