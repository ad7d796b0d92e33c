#include "adapters/openapi/device_list.h"

#include <catch2/catch.hpp>

namespace updraft::openapi {
namespace {

std::string Told(std::string_view csv) {
  std::string told;
  for (const ListedDevice& device : ParseDeviceList(csv)) {
    told += std::to_string(device.row) + ":" + device.name + " ";
  }
  return told;
}

TEST_CASE("a device list has one name a row", "[openapi]") {
  CHECK(Told("a\nb\n") == "1:a 2:b ");
  CHECK(Told("a\r\nb") == "1:a 2:b ");
  CHECK(Told("DeviceName\r\na\r\n") == "2:a ");
  CHECK(Told("\xEF\xBB\xBF"
             "DeviceName\na\n") == "2:a ");
  CHECK(Told("\"a\"\n \n\n b \n") == "1:a 4:b ");
  CHECK(Told("").empty());
  CHECK(Told(kDeviceListTemplate).empty());
}

TEST_CASE("DeviceName is a header in the first row only", "[openapi]") {
  CHECK(Told("a\nDeviceName\n") == "1:a 2:DeviceName ");
}

TEST_CASE("a description tells the first hundred bad rows and lists all", "[openapi]") {
  std::vector<ListedDevice> devices;
  TargetProblems problems;
  for (size_t i = 0; i < 101; ++i) {
    std::string name = i == 0 ? "a,\"b\"" : "lamp-" + std::to_string(1000 + i);
    devices.push_back({i + 2, name});
    problems.problems.push_back({i, name, "unknown to the product"});
  }
  BadRows bad = DescribeBadRows(devices, problems);
  CHECK(bad.message.find("101 rows") == 0);
  CHECK(bad.message.find("Row 2, 'a,\"b\"': no device name.") != std::string::npos);
  CHECK(bad.message.find("Row 101, 'lamp-1099': unknown to the product.") != std::string::npos);
  CHECK(bad.message.find("lamp-1100") == std::string::npos);
  CHECK(bad.csv.find("2,\"a,\"\"b\"\"\",\"no device name\"\r\n") != std::string::npos);
  CHECK(bad.csv.find("102,\"lamp-1100\",\"unknown to the product\"\r\n") != std::string::npos);
}

TEST_CASE("reports are found by name until twenty newer ones are there", "[openapi]") {
  ListReports reports;
  std::string first = reports.Add("first");
  CHECK(reports.Find(first) == "first");
  CHECK_FALSE(reports.Find("../" + first));
  for (size_t i = 1; i < ListReports::kMax; ++i) reports.Add("x");
  CHECK(reports.Find(first) == "first");
  reports.Add("one more");
  CHECK_FALSE(reports.Find(first));
}

}  // namespace
}  // namespace updraft::openapi
