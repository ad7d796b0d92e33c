#include "adapters/openapi/device_list.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "adapters/wire/names.h"
#include "events/base/bytes.h"

namespace updraft::openapi {
namespace {

constexpr size_t kRowsInMessage = 100;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// As spreadsheets take it: in quotes, with those inside doubled.
std::string CsvField(std::string_view text) {
  std::string field = "\"";
  for (char c : text) field.append(c == '"' ? 2 : 1, c);
  return field + '"';
}

}  // namespace

std::vector<ListedDevice> ParseDeviceList(std::string_view csv) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (csv.starts_with(kByteOrderMark)) csv.remove_prefix(kByteOrderMark.size());
  std::vector<ListedDevice> devices;
  for (size_t row = 1; !csv.empty(); ++row) {
    size_t end = std::min(csv.find('\n'), csv.size());
    std::string_view name = Trim(csv.substr(0, end));
    csv.remove_prefix(std::min(end + 1, csv.size()));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
      name = name.substr(1, name.size() - 2);
    }
    if (name.empty() || (row == 1 && name == "DeviceName")) continue;
    devices.push_back({row, std::string(name)});
  }
  return devices;
}

BadRows DescribeBadRows(const std::vector<ListedDevice>& devices, const TargetProblems& problems) {
  BadRows bad;
  bad.message = fmt::format("{} rows of the device list are bad, so nothing was created.",
                            problems.problems.size());
  bad.csv = "Row,DeviceName,Reason\r\n";
  size_t told = 0;
  for (const TargetProblem& problem : problems.problems) {
    size_t row = devices[problem.index].row;
    std::string_view reason =
        IsValidDeviceName(problem.name) ? std::string_view(problem.reason) : "no device name";
    bad.csv += fmt::format("{},{},{}\r\n", row, CsvField(problem.name), CsvField(reason));
    if (++told > kRowsInMessage) continue;
    bad.message += fmt::format(" Row {}, '{}': {}.", row, problem.name, reason);
  }
  return bad;
}

std::string ListReports::Add(std::string csv) {
  std::string name = HexLower(RandomBytes(16)) + ".csv";
  std::lock_guard lock(mutex_);
  if (order_.size() == kMax) {
    reports_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(name);
  reports_[name] = std::move(csv);
  return name;
}

std::optional<std::string> ListReports::Find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto found = reports_.find(name);
  return found == reports_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace updraft::openapi
