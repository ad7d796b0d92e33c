// The reference of all actions, in Markdown, made from the table that routes them: README.md beside
// this file. A test checks that it is current.
#pragma once

#include <string>

namespace updraft::openapi {

std::string Reference();

struct Action;
// The part on one action.
std::string ReferenceOf(const Action& action);

}  // namespace updraft::openapi
