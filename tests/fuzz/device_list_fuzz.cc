// A device list as somebody posts it: any bytes, called CSV.
#include <algorithm>

#include "adapters/openapi/device_list.h"
#include "events/base/assert.h"
#include "tests/fuzz/fuzz.h"

namespace updraft {
namespace {

using openapi::BadRows;
using openapi::ListedDevice;

void CheckRows(std::string_view csv, const std::vector<ListedDevice>& devices) {
  auto lines = static_cast<size_t>(std::count(csv.begin(), csv.end(), '\n')) + 1;
  size_t row = 0;
  for (const ListedDevice& device : devices) {
    Assert(device.row > row && device.row <= lines, "rows rise, and are of the file");
    Assert(!device.name.empty() && device.name.find('\n') == std::string::npos, "one row, a name");
    row = device.row;
  }
}

// The report of a list whose every row is bad has as many rows, whatever is in the names.
void CheckReport(const std::vector<ListedDevice>& devices) {
  TargetProblems problems;
  for (size_t i = 0; i < devices.size(); ++i) {
    problems.problems.push_back(
        {.index = static_cast<uint32_t>(i), .name = devices[i].name, .reason = "DEVICE_NOT_FOUND"});
  }
  BadRows bad = openapi::DescribeBadRows(devices, problems);
  auto rows = std::count(bad.csv.begin(), bad.csv.end(), '\n');
  Assert(static_cast<size_t>(rows) == devices.size() + 1, "a row a problem, and the header");
}

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view csv = Text(data, size);
  std::vector<ListedDevice> devices = openapi::ParseDeviceList(csv);
  CheckRows(csv, devices);
  CheckReport(devices);
  return 0;
}
