// The process's log: one line on stderr a call, key=value, values quoted where they need it.
//
//   LogInfo("broker connected", {{"host", host}, {"attempt", attempt}});
//   -> time=2026-11-23T07:10:00.123Z level=info msg="broker connected" host=127.0.0.1 attempt=2
//
// Thread-safety: any thread; lines never mix. Only adapters/ and the engine's threads log: what is
// pure returns what it has to say.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace updraft {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kOff };

// One key and its value as text.
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  template <class T>
  LogField(std::string_view k, const T& v) : key(k), value(fmt::format("{}", v)) {}

  std::string_view key;
  std::string value;
};

void SetLogLevel(LogLevel lowest);  // kInfo until set.
void LogLine(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

inline void LogDebug(std::string_view m, std::initializer_list<LogField> f = {}) {
  LogLine(LogLevel::kDebug, m, f);
}
inline void LogInfo(std::string_view m, std::initializer_list<LogField> f = {}) {
  LogLine(LogLevel::kInfo, m, f);
}
inline void LogWarn(std::string_view m, std::initializer_list<LogField> f = {}) {
  LogLine(LogLevel::kWarn, m, f);
}
inline void LogError(std::string_view m, std::initializer_list<LogField> f = {}) {
  LogLine(LogLevel::kError, m, f);
}

}  // namespace updraft
