// The API's error code for each rule of the engine that refuses (engine/refusals.h). Pure.
#pragma once

#include <string_view>

namespace updraft::openapi {

// Empty for what is no name of a rule.
std::string_view CodeOfRefusal(std::string_view name);

}  // namespace updraft::openapi
