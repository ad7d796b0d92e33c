#include "adapters/openapi/json.h"

#include <ctime>

#include <fmt/format.h>

namespace updraft {
namespace {

std::tm Utc(int64_t ms) {
  std::time_t seconds = ms / 1000;
  std::tm time = {};
  gmtime_r(&seconds, &time);
  return time;
}

// With `a` between year, month and day.
std::string DateAndTime(const std::tm& time, char a, char b) {
  return fmt::format("{:04}{}{:02}{}{:02}{}{:02}:{:02}:{:02}", time.tm_year + 1900, a,
                     time.tm_mon + 1, a, time.tm_mday, b, time.tm_hour, time.tm_min, time.tm_sec);
}

}  // namespace

std::string UtcTime(int64_t ms) {
  return fmt::format("{}.{:03}Z", DateAndTime(Utc(ms), '-', 'T'), ms % 1000);
}

std::string GmtTime(int64_t ms) { return DateAndTime(Utc(ms), '-', ' '); }

std::string LocalTime(int64_t ms) {
  std::time_t seconds = ms / 1000;
  std::tm time = {};
  localtime_r(&seconds, &time);
  return DateAndTime(time, '/', ' ');
}

void PutText(Json& json, const char* key, std::string_view text) {
  if (!text.empty()) json[key] = text;
}

void PutTime(Json& json, const char* key, int64_t ms) {
  if (ms != 0) json[key] = UtcTime(ms);
}

}  // namespace updraft
