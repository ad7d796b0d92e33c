// A fleet moves over: products, devices and keys with the secrets that they have.
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/openapi/console.h"

namespace updraft::openapi {
namespace {

const Parameters kLamp = {{"ProductKey", "a1lamp"},
                          {"ProductName", "street_lamp"},
                          {"ProductSecret", "producT5ecret"},
                          {"DynamicRegistration", "true"}};

Json Import(Console& console, const Json& devices) {
  return console.Must("ImportDevices",
                      {{"ProductKey", "a1lamp"}, {"Devices", devices.dump()}})["Data"];
}

Json Problems(const Json& data) { return data["Problems"]["Problem"]; }

Json Device(const std::string& name, const std::string& secret) {
  return {{"DeviceName", name}, {"DeviceSecret", secret}};
}

TEST_CASE("a product is brought in with its key and secret, twice is once", "[openapi]") {
  Console console;
  CHECK(console.Must("ImportProduct", kLamp)["Data"]["Existing"] == false);
  CHECK(console.Must("ImportProduct", kLamp)["Data"]["Existing"] == true);
  Json product = console.Must("QueryProduct", {{"ProductKey", "a1lamp"}})["Data"];
  CHECK(product["ProductSecret"] == "producT5ecret");
  CHECK(product["DynamicRegistration"] == true);
  Parameters other = kLamp;
  other["ProductSecret"] = "another";
  ApiAnswer refused = console.Call("ImportProduct", other);
  CHECK(refused.Code() == "iot.prod.AlreadyExistedProductName");
  CHECK(refused.json["ErrorMessage"] ==
        "product 'a1lamp' is here already, and its secret is another here");
}

TEST_CASE("devices are brought in with secrets, nicknames and versions", "[openapi]") {
  Console console;
  console.Must("ImportProduct", kLamp);
  Json left = Device("lamp-0001", "5ecret1");
  left["Nickname"] = "left one";
  left["Versions"] = {{"default", "1.0.0"}, {"mcu", "7"}};
  Json right = Device("lamp-0002", "5ecret2");
  right["Disabled"] = true;
  Json done = Import(console, Json::array({left, right, {{"DeviceName", "lamp-0003"}}}));
  CHECK(done["Created"] == 3);
  CHECK(Problems(done).empty());
  auto detail = [&](int lamp) {
    return console.Must("QueryDeviceDetail",
                        {{"ProductKey", "a1lamp"}, {"DeviceName", LampName(lamp)}})["Data"];
  };
  CHECK(detail(1)["DeviceSecret"] == "5ecret1");
  CHECK(detail(1)["Nickname"] == "left one");
  CHECK(detail(1)["FirmwareVersion"] == "1.0.0");
  CHECK(detail(1)["Status"] == "UNACTIVE");
  CHECK(detail(2)["Status"] == "DISABLE");
  CHECK_FALSE(detail(3)["DeviceSecret"].get<std::string>().empty());
  Json versions = console.Must("ListOTAModuleVersionsByDevice", {{"ProductKey", "a1lamp"},
                                                                 {"DeviceName", "lamp-0001"},
                                                                 {"CurrentPage", "1"},
                                                                 {"PageSize", "10"}});
  CHECK(versions["Total"] == 2);

  Seq before = console.engine->log().head().last;
  Json again = Import(console, Json::array({left, right, {{"DeviceName", "lamp-0003"}}}));
  CHECK(again["Created"] == 0);
  CHECK(again["Existing"] == 3);
  CHECK(Problems(again).empty());
  CHECK(console.engine->log().head().last == before);
}

TEST_CASE("what differs from what is here is told and not overwritten", "[openapi]") {
  Console console;
  console.Must("ImportProduct", kLamp);
  Json left = Device("lamp-0001", "5ecret1");
  left["Versions"] = {{"default", "1.0.0"}};
  Import(console, Json::array({left}));
  Json other_secret = Device("lamp-0001", "other");
  Json fresh = Device("lamp-0002", "5ecret2");
  Json done = Import(console, Json::array({other_secret, fresh}));
  CHECK(done["Created"] == 1);
  REQUIRE(Problems(done).size() == 1);
  CHECK(Problems(done)[0]["Index"] == 0);
  CHECK(Problems(done)[0]["DeviceName"] == "lamp-0001");
  CHECK(Problems(done)[0]["Reason"] == "it is here already with another secret");
  left["Versions"]["default"] = "2.0.0";
  CHECK(Problems(Import(console, Json::array({left})))[0]["Reason"] ==
        "it is known to run '1.0.0', not '2.0.0'");
  left["Versions"]["default"] = "1.0.0";
  left["Nickname"] = "another";
  CHECK(Problems(Import(console, Json::array({left})))[0]["Reason"] ==
        "it is here already with another nickname");
  left.erase("Nickname");
  left["Disabled"] = true;
  CHECK(Problems(Import(console, Json::array({left})))[0]["Reason"] ==
        "it is here already and enabled");
}

TEST_CASE("one bad device does not keep the others out", "[openapi]") {
  Console console;
  console.Must("ImportProduct", kLamp);
  Json bad_version = Device("lamp-0006", "s");
  bad_version["Versions"] = {{"default", 7}};
  Json many = Device("lamp-0007", "s");
  for (int i = 0; i < 33; ++i) many["Versions"][std::to_string(i)] = "1";
  Json done = Import(console,
                     Json::array({Device("lamp-0001", "s"),
                                  7,
                                  Device("no", "s"),
                                  Device("lamp-0001", "s"),
                                  Device("lamp-0004", std::string(65, 's')),
                                  {{"DeviceName", "lamp-0005"}, {"Nickname", std::string(65, 'n')}},
                                  bad_version,
                                  many}));
  CHECK(done["Created"] == 1);
  std::vector<int> indices;
  for (const Json& problem : Problems(done)) indices.push_back(problem["Index"]);
  CHECK(indices == std::vector<int>{1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("a call brings 1 to 1,000 devices of a product that is here", "[openapi]") {
  Console console;
  auto code = [&](const std::string& devices) {
    return console.Call("ImportDevices", {{"ProductKey", "a1lamp"}, {"Devices", devices}}).Code();
  };
  CHECK(code(R"([{"DeviceName":"lamp-0001"}])") == "iot.prod.NotExistedProduct");
  console.Must("ImportProduct", kLamp);
  for (const char* devices : {"[]", "{}", "nonsense", "[", "7"}) {
    CHECK(code(devices) == "iot.device.DeviceCountExceeded");
  }
  Json most = Json::array();
  for (int i = 0; i < 1'000; ++i) most.push_back(Device(LampName(i), "s"));
  CHECK(Import(console, most)["Created"] == 1'000);
  most.push_back(Device("lamp-1000", "s"));
  CHECK(code(most.dump()) == "iot.device.DeviceCountExceeded");
}

TEST_CASE("a call with too many versions is refused before a device is registered", "[openapi]") {
  Console console;
  console.Must("ImportProduct", kLamp);
  Json devices = Json::array();
  for (int i = 0; i <= 500; ++i) {
    devices.push_back(Device(LampName(i), "s"));
    devices.back()["Versions"] = {{"default", "1.0.0"}, {"mcu", "7"}};
  }
  Parameters call = {{"ProductKey", "a1lamp"}, {"Devices", devices.dump()}};
  CHECK(console.Call("ImportDevices", call).Code() == "iot.device.DeviceCountExceeded");
  CHECK(console.Must("QueryProduct", {{"ProductKey", "a1lamp"}})["Data"]["DeviceCount"] == 0);
  devices.erase(devices.size() - 1);
  CHECK(Import(console, devices)["Created"] == 500);
}

TEST_CASE("an access key is brought in with its secret", "[openapi]") {
  Console console;
  Parameters key = {
      {"TargetAccessKeyId", "LTAImoved"}, {"TargetAccessKeySecret", "5ecret"}, {"Formal", "true"}};
  CHECK(console.Must("ImportAccessKey", key)["Data"]["Existing"] == false);
  CHECK(console.Must("ImportAccessKey", key)["Data"]["Existing"] == true);
  key["Formal"] = "false";
  CHECK(console.Call("ImportAccessKey", key).Code() == "iot.common.InvalidTenant");
  key["TargetAccessKeySecret"] = "other";
  CHECK(console.Call("ImportAccessKey", key).Code() == "iot.common.InvalidTenant");
  console.access_key_id = "LTAImoved";
  console.secret = "5ecret";
  CHECK(console.Call("QueryProductList", {{"CurrentPage", "1"}, {"PageSize", "1"}}).ok());
}

}  // namespace
}  // namespace updraft::openapi
