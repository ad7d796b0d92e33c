// What the published API has beside upgrades and is not served here.
//
// Thread-safety: pure.
#pragma once

#include <string_view>

namespace updraft::openapi {

// Why an action of the published API is not served; empty where there is no more to say than that
// it is none.
std::string_view WhyNotBuilt(std::string_view action);

}  // namespace updraft::openapi
