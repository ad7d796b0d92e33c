// The published shapes of answers (answer_shapes.txt): SDKs throw on an object where a list
// belongs, and lose keys of another spelling without a word.
#pragma once

#include <string>

#include "adapters/openapi/json.h"

namespace updraft {

// What is wrong with a success' shape; empty when it is as published, or nothing is published of
// the action.
std::string WrongShape(const std::string& action, const Json& answer);

}  // namespace updraft
