// The JSON of the API: keys in the order in which they are put, and the forms that its values have.
// Pure, but for LocalTime, which asks for the process's time zone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace updraft {

using Json = nlohmann::ordered_json;

// `2019-11-04T06:22:19.566Z`.
std::string UtcTime(int64_t ms);
// `2019-11-04 06:22:19`, in UTC.
std::string GmtTime(int64_t ms);
// `2019/11/04 14:22:19`, in the zone of TZ or of the machine.
std::string LocalTime(int64_t ms);

// Puts a field that is there only when it says something.
void PutText(Json& json, const char* key, std::string_view text);
// UtcTime; 0 is never.
void PutTime(Json& json, const char* key, int64_t ms);

}  // namespace updraft
