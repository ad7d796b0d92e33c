// Parameters of a batch that can be changed later as well, and reading its tags.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "adapters/openapi/call.h"
#include "adapters/openapi/parameters.h"

namespace updraft::openapi {

inline constexpr int64_t kPushPerMinuteMin = 10;
inline constexpr int64_t kPushPerMinuteMax = 1'000;
inline constexpr int64_t kTimeMsMax = int64_t{1} << 47;  // As far as the engine's records reach.

Parameter PushRateParameter();
Parameter TimeoutParameter();
Parameter SourceVersionsParameter();
Parameter TagsParameter();

// The tags of a call. Refused are keys that devices in the field take for fields of the notice, and
// values whose braces do not match: devices count them.
Result<std::vector<std::pair<std::string, std::string>>> ReadTags(const Call& call);

}  // namespace updraft::openapi
