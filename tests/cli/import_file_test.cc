#include "adapters/cli/import_file.h"

#include <sstream>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

// What a file says, a line of text each: a record, or why it is none.
std::vector<std::string> ReadAll(const std::string& text, const ImportFormat& format = {}) {
  std::istringstream in(text);
  ImportReader reader(in, format);
  std::vector<std::string> all;
  if (Status status = reader.Begin(); !status.ok()) return {"header: " + status.message()};
  while (std::optional<Result<ImportRecord>> next = reader.Next()) {
    std::string line = std::to_string(reader.line()) + ": ";
    if (!next->ok()) {
      line += next->status().message();
    } else if ((*next)->kind == ImportKind::kDevice) {
      line += (*next)->product_key + " " + (*next)->device.dump();
    } else {
      line += (*next)->kind == ImportKind::kProduct ? "product" : "key";
      for (const auto& [name, value] : (*next)->parameters) line += " " + name + "=" + value;
    }
    all.push_back(line);
  }
  CHECK(reader.bytes() == text.size());
  return all;
}

using Lines = std::vector<std::string>;

TEST_CASE("a line that is not UTF-8 is told, and the next one is read", "[import]") {
  const std::string guest_room = "\xBF\xCD\xCC\xFC";  // In GBK, as a spreadsheet saves it.
  CHECK(ReadAll("ProductKey,DeviceName,Nickname\na1,l1," + guest_room + "\na1,l2,hall\n",
                {.csv = true}) == Lines{"2: the line is not UTF-8: save the file as UTF-8",
                                        R"(3: a1 {"DeviceName":"l2","Nickname":"hall"})"});
}

TEST_CASE("JSON lines are products, devices and access keys", "[import]") {
  CHECK(
      ReadAll(
          R"({"Type":"Product","ProductKey":"a1","ProductName":"lamp","NodeType":1,"Description":""}
{"Type":"Device","ProductKey":"a1","DeviceName":"l1","DeviceSecret":"s","Versions":{"mcu":"7"}}

{"Type":"AccessKey","AccessKeyId":"LTAI","AccessKeySecret":"x","Formal":true}
)") == Lines{"1: product NodeType=1 ProductKey=a1 ProductName=lamp",
             R"(2: a1 {"DeviceName":"l1","DeviceSecret":"s","Versions":{"mcu":"7"}})",
             "4: key Formal=true TargetAccessKeyId=LTAI TargetAccessKeySecret=x"});
}

TEST_CASE("a device that names no product is of the one that is given", "[import]") {
  const std::string line = R"({"Type":"Device","DeviceName":"l1"})";
  CHECK(ReadAll(line, {.product_key = "a1"}) == Lines{R"(1: a1 {"DeviceName":"l1"})"});
  CHECK(ReadAll(line) ==
        Lines{"1: ProductKey is missing; --product-key KEY is for all devices without one"});
}

TEST_CASE("a malformed line is told with its number, and reading goes on", "[import]") {
  CHECK(ReadAll(R"(nonsense
[1]
{"Type":"Gadget"}
{"Type":7}
{"Type":"Device","ProductKey":"a1"}
{"Type":"Device","ProductKey":"a1","DeviceName":7}
{"Type":"Device","ProductKey":"a1","DeviceName":"l1","Versions":{"mcu":7}}
{"Type":"Device","ProductKey":"a1","DeviceName":"l1","DeviceSecert":"s"}
{"Type":"AccessKey","AccessKeyId":"LTAI","AccessKeySecret":""}
{"Type":"Device","ProductKey":"a1","DeviceName":"l1"})") ==
        Lines{"1: the line is no JSON object", "2: the line is no JSON object",
              "3: Type is none of Product, Device and AccessKey",
              "4: Type is none of Product, Device and AccessKey", "5: DeviceName is missing",
              "6: DeviceName is not a text",
              "7: Versions is not an object with a version, a text, of each module",
              "8: there is no field 'DeviceSecert' (--ignore-unknown passes it over)",
              "9: AccessKeySecret is missing", R"(10: a1 {"DeviceName":"l1"})"});
}

TEST_CASE("fields that are not known can be passed over", "[import]") {
  CHECK(ReadAll(R"({"Type":"Device","ProductKey":"a1","DeviceName":"l1","IotId":"x"})",
                {.ignore_unknown = true}) == Lines{R"(1: a1 {"DeviceName":"l1"})"});
}

TEST_CASE("CSV has a header row that names its columns in any case and order", "[import]") {
  CHECK(ReadAll("\xEF\xBB\xBF"
                "devicesecret,DeviceName,PRODUCTKEY,Version,Module,Disabled,Nickname\r\n"
                "s,l1,a1,1.0,,false,\"left, \"\"one\"\"\"\r\n"
                "s,l2,,2,mcu,1,\r\n",
                {.csv = true, .product_key = "a2"}) ==
        Lines{R"(2: a1 {"DeviceName":"l1","DeviceSecret":"s","Nickname":"left, \"one\"",)"
              R"("Disabled":false,"Versions":{"default":"1.0"}})",
              R"(3: a2 {"DeviceName":"l2","DeviceSecret":"s","Disabled":true,)"
              R"("Versions":{"mcu":"2"}})"});
}

TEST_CASE("a CSV without a good header row is no CSV of devices", "[import]") {
  ImportFormat csv{.csv = true, .product_key = "a1"};
  CHECK(ReadAll("", csv) == Lines{"header: the file has no header row"});
  CHECK(ReadAll("DeviceSecret\ns\n", csv) ==
        Lines{"header: the header row has no column 'DeviceName'"});
  CHECK(ReadAll("DeviceName,devicename\n", csv) ==
        Lines{"header: the header row has 'DeviceName' twice"});
  CHECK(ReadAll("DeviceName,IotId\n", csv)[0].find("has a column 'IotId'") != std::string::npos);
  csv.ignore_unknown = true;
  CHECK(ReadAll("DeviceName,IotId\nl1,x\n", csv) == Lines{R"(2: a1 {"DeviceName":"l1"})"});
}

TEST_CASE("a malformed CSV row is told with its number", "[import]") {
  CHECK(ReadAll("DeviceName,Disabled\nl1\nl1,maybe\n,true\n\"l1,true\n\"l1\"x,true\nl1,\n",
                {.csv = true, .product_key = "a1"}) ==
        Lines{"2: the row has 1 fields where the header row has 2",
              "3: Disabled is true or false, not 'maybe'", "4: DeviceName is missing",
              "5: a quoted field does not end on its line",
              "6: a quoted field goes on after its end", R"(7: a1 {"DeviceName":"l1"})"});
}

TEST_CASE("a line beyond the bound is told and passed over", "[import]") {
  std::string padding(ImportReader::kLineBytesMax, ' ');
  std::string device = R"({"Type":"Device","ProductKey":"a1","DeviceName":"l1"})";
  std::string longest = device + padding.substr(device.size());
  CHECK(longest.size() == ImportReader::kLineBytesMax);
  CHECK(ReadAll(longest + "\n" + longest + " \n" + device) ==
        Lines{R"(1: a1 {"DeviceName":"l1"})", "2: the line has more than 65536 bytes",
              R"(3: a1 {"DeviceName":"l1"})"});
}

}  // namespace
}  // namespace updraft
