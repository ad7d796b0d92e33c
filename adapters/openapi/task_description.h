// A task's state in words, as the console shows it (`TaskDesc`). Pure, but for the time zone of a
// scheduled start (json.h).
#pragma once

#include <string>
#include <string_view>

#include "adapters/openapi/openapi.h"
#include "engine/view.h"

namespace updraft::openapi {

// `words` are the device's last ones, as it sent them; empty when it said none.
std::string DescribeTask(const TaskView& view, std::string_view words, Language language);

}  // namespace updraft::openapi
