// Posted lists of devices: CSV, one name a row; a first row `DeviceName` is a header and not
// counted. All that is wrong with a list is told at once, row by row.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commands.h"

namespace updraft::openapi {

inline constexpr size_t kDeviceListRowsMax = 10'000;

// To download and fill in.
inline constexpr std::string_view kDeviceListTemplate = "DeviceName\r\n";

struct ListedDevice {
  size_t row = 0;  // In the file, from 1.
  std::string name;
};

// Blank rows are passed over. A byte order mark, quotes around a name and \r\n are taken. Pure.
std::vector<ListedDevice> ParseDeviceList(std::string_view csv);

// What was wrong with a list, in words. Pure.
struct BadRows {
  std::string message;  // The first 100 of them.
  std::string csv;      // All of them.
};
// `problems` count in `devices`; malformed names are told from unknown ones.
BadRows DescribeBadRows(const std::vector<ListedDevice>& devices, const TargetProblems& problems);

// The descriptions of the last bad lists, each under a name that nobody can guess.
//
// Thread-safety: any thread.
class ListReports {
 public:
  static constexpr size_t kMax = 20;  // Each may have a megabyte.

  std::string Add(std::string csv);
  std::optional<std::string> Find(const std::string& name) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> reports_;
  std::deque<std::string> order_;
};

}  // namespace updraft::openapi
