// All that a log holds, to be compared with what it should.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "events/log/event_log.h"
#include "tests/log/sample_commits.h"

namespace updraft {

struct LogContent {
  std::vector<std::string> commits;  // Their bytes.
  std::map<std::string, std::string> side;

  friend bool operator==(const LogContent&, const LogContent&) = default;
};

inline Result<LogContent> ReadContent(const EventLog& log) {
  ReadLog read = ReadAll(log);
  RETURN_IF_ERROR(read.status);
  LogContent content{.commits = std::move(read.commits), .side = {}};
  RETURN_IF_ERROR(log.ScanSide("", [&](std::string_view key, std::string_view value) {
    content.side[std::string(key)] = value;
    return OkStatus();
  }));
  return content;
}

}  // namespace updraft
