// Calls that are sent again with their ClientToken, also to another process on the same log.
#include <future>

#include <catch2/catch.hpp>

#include "projections/world.h"
#include "tests/openapi/console.h"

namespace updraft::openapi {
namespace {

// An answer without what is each call's own.
Json Said(Json answer) {
  answer.erase("RequestId");
  return answer;
}

// The log's last event once no batch is choosing targets any more.
Seq LastAtRest(Console& console) {
  for (bool at_rest = false; !at_rest;) {
    std::promise<bool> seen;
    REQUIRE(console.engine
                ->Read([&](const World& world) -> Engine::Finish {
                  return [&seen, rest = world.agenda().at_work.empty()](const Status&) {
                    seen.set_value(rest);
                  };
                })
                .ok());
    at_rest = seen.get_future().get();
  }
  return console.engine->log().head().last;
}

// The second call is told what the first was, and adds no event.
void CheckRepeat(Console& console, const std::string& action, Parameters order) {
  INFO(action);
  order["ClientToken"] = "t";
  Json first = Said(console.Must(action, order));
  Seq before = LastAtRest(console);
  CHECK(Said(console.Must(action, order)) == first);
  CHECK(console.engine->log().head().last == before);
  console.Restart();
  before = LastAtRest(console);
  CHECK(Said(console.Must(action, order)) == first);
  CHECK(console.engine->log().head().last == before);
}

TEST_CASE("a creating call with the same token is done once, also after a restart", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 3);
  CheckRepeat(console, "CreateProduct", {{"NodeType", "0"}, {"ProductName", "lantern"}});
  CheckRepeat(console, "CreateOTAModule", {{"ProductKey", product}, {"ModuleName", "mcu"}});
  CheckRepeat(console, "RegisterDevice", {{"ProductKey", product}, {"Nickname", "left one"}});
  CheckRepeat(console, "BatchRegisterDevice", {{"ProductKey", product}, {"Count", "3"}});
  CheckRepeat(console, "CreateAccessKey", {{"Formal", "true"}});
  std::string package = console.MakePackage(product);
  Parameters target = {{"ProductKey", product}, {"FirmwareId", package}};
  CheckRepeat(console, "CreateOTADynamicUpgradeJob", [&](Parameters p) {
    return p.insert({"SrcVersion.1", "1.0.0"}), p;
  }(target));
  CheckRepeat(console, "CreateOTAStaticUpgradeJob", [&](Parameters p) {
    return p.insert({"TargetSelection", "ALL"}), p;
  }(target));
  CheckRepeat(console, "CreateOTAVerifyJob", [&](Parameters p) {
    return p.insert({"TargetDeviceName.1", "lamp-0001"}), p;
  }(target));
}

TEST_CASE("a package's call is told again although its file is gone", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  Parameters order = {{"ProductKey", product},
                      {"FirmwareName", "lamp"},
                      {"DestVersion", "2.0.0"},
                      {"FirmwareUrl", console.PostFile()},
                      {"ClientToken", "t"}};
  Json first = Said(console.Must("CreateOTAFirmware", order));
  console.files.files.clear();
  console.Restart();
  CHECK(Said(console.Must("CreateOTAFirmware", order)) == first);
  order["ClientToken"] = "u";
  CHECK_FALSE(console.Call("CreateOTAFirmware", order).ok());
}

TEST_CASE("the same token with other parameters is refused, another's is another", "[openapi]") {
  Console console;
  Parameters order = {{"NodeType", "0"}, {"ProductName", "street_lamp"}, {"ClientToken", "t"}};
  Json first = console.Must("CreateProduct", order);
  order["ProductName"] = "other_lamp";
  ApiAnswer refused = console.Call("CreateProduct", order);
  CHECK(refused.Code() == "IdempotentParameterMismatch");
  CHECK(refused.http_status == 400);
  order["ClientToken"] = "u";
  CHECK(console.Must("CreateProduct", order)["ProductKey"] != first["ProductKey"]);
  // Another key's token of the same text is another token.
  Json key = console.Must("CreateAccessKey", {{"Formal", "true"}})["Data"];
  console.access_key_id = key["AccessKeyId"];
  console.secret = key["AccessKeySecret"];
  order["ProductName"] = "third_lamp";
  CHECK(console.Call("CreateProduct", order).ok());
}

TEST_CASE("a call that was refused may be sent again with its token", "[openapi]") {
  Console console;
  Parameters order = {{"ProductKey", "none"}, {"DeviceName", "lamp-0001"}, {"ClientToken", "t"}};
  CHECK(console.Call("RegisterDevice", order).Code() == "iot.prod.NotExistedProduct");
  REQUIRE(console.Ask(CreateProduct{.name = "street_lamp", .product_key = "none"}).ok());
  CHECK(console.Call("RegisterDevice", order).ok());
}

TEST_CASE("a repeat of what was deleted since is told so", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  Parameters order = {{"ProductKey", product}, {"DeviceName", "lamp-0001"}, {"ClientToken", "t"}};
  console.Must("RegisterDevice", order);
  console.Must("DeleteDevice", {{"ProductKey", product}, {"DeviceName", "lamp-0001"}});
  CHECK(console.Call("RegisterDevice", order).Code() == "IdempotentResourceNotFound");
}

TEST_CASE("what was applied for is found after a restart, without devices deleted since",
          "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  Json id = console.Must("BatchRegisterDevice",
                         {{"ProductKey", product}, {"Count", "3"}})["Data"]["ApplyId"];
  Parameters asked = {{"ApplyId", std::to_string(uint64_t(id))}};
  Parameters page = asked;
  page.insert({{"CurrentPage", "1"}, {"PageSize", "10"}});
  Json before = Said(console.Must("QueryPageByApplyId", page));
  console.Restart();
  CHECK(Said(console.Must("QueryPageByApplyId", page)) == before);
  Json one = before["ApplyDeviceList"]["ApplyDeviceInfo"][1];
  console.Must("DeleteDevice", {{"IotId", one["IotId"]}});
  Json after = console.Must("QueryPageByApplyId", page);
  CHECK(after["ApplyDeviceList"]["ApplyDeviceInfo"].size() == 2);
  asked["ProductKey"] = product;
  Json status = console.Must("QueryBatchRegisterDeviceStatus", asked)["Data"];
  CHECK(status["Status"] == "CREATE_SUCCESS");
  CHECK(status["ValidList"]["Name"].size() == 2);
  asked["ProductKey"] = console.MakeProduct("lantern");
  CHECK(console.Call("QueryBatchRegisterDeviceStatus", asked).Code() ==
        "iot.device.DeviceApplyIsNotFound");
}

}  // namespace
}  // namespace updraft::openapi
