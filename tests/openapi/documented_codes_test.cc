// Every published error code: brought up by a call, or known never to be.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "tests/openapi/console.h"

namespace updraft {
namespace {

// The text of all tests of the API.
std::string ReadTests() {
  std::string text;
  for (const auto& entry :
       std::filesystem::directory_iterator(UPDRAFT_SOURCE_DIR "/tests/openapi")) {
    if (entry.path().extension() != ".cc") continue;
    std::stringstream file;
    file << std::ifstream(entry.path()).rdbuf();
    text += file.str();
  }
  return text;
}

TEST_CASE("each documented code is brought up by a test, or never with a reason", "[openapi]") {
  const std::string tests = ReadTests();
  std::ifstream file(UPDRAFT_SOURCE_DIR "/tests/openapi/documented_codes.txt");
  int codes = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::string code = line.substr(0, line.find(' '));
    bool never = line.find(" never: ") != line.npos;
    INFO(code);
    CHECK((tests.find('"' + code + '"') != tests.npos) == !never);
    ++codes;
  }
  CHECK(codes > 130);
}

TEST_CASE("diff packages and unknown versions are refused, each with its code", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 2);
  REQUIRE(console.Ask(RegisterDevices{product, {{.name = "silent"}}}).ok());
  std::string diff =
      console.MakePackage(product, "2.0.0", {{"Type", "1"}, {"SrcVersion", "1.5.0"}});
  auto code = [&](Parameters order) {
    order.insert({{"ProductKey", product}, {"FirmwareId", diff}});
    return console.Call("CreateOTAStaticUpgradeJob", order).Code();
  };
  CHECK(code({{"TargetSelection", "SPECIFIC"}, {"TargetDeviceName.1", "lamp-0001"}}) ==
        "iot.firmware.SrcVersionMismatch");
  CHECK(code({{"TargetSelection", "SPECIFIC"}, {"TargetDeviceName.1", "silent"}}) ==
        "iot.firmware.NonVersionedDeviceInArray");
  CHECK(code({{"TargetSelection", "ALL"}, {"SrcVersion.1", "1.0.0"}}) ==
        "iot.firmware.UpgradeSrcVersionMismatch");
  CHECK(code({{"TargetSelection", "ALL"}, {"SrcVersion.1", "1.5.0"}, {"SrcVersion.2", "1.0.0"}}) ==
        "iot.firmware.MoreThanOneSrcVersion");
}

TEST_CASE("a package is verified once at a time, and once", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1);
  std::string package = console.MakePackage(product, "2.0.0", {{"NeedToVerify", "true"}});
  Parameters order = {
      {"ProductKey", product}, {"FirmwareId", package}, {"TargetDeviceName.1", LampName(1)}};
  CHECK(console
            .Call("CreateOTAStaticUpgradeJob",
                  {{"ProductKey", product}, {"FirmwareId", package}, {"TargetSelection", "ALL"}})
            .Code() == "iot.firmware.FirmwareNotVerified");
  console.Must("CreateOTAVerifyJob", order);
  CHECK(console.Call("CreateOTAVerifyJob", order).Code() ==
        "iot.firmware.InProgressVerifyJobExisted");
  REQUIRE(console
              .Ask(ReportVersion{.device = {.product_key = product, .name = LampName(1)},
                                 .version = "2.0.0"})
              .ok());
  CHECK(console.Call("CreateOTAVerifyJob", order).Code() == "iot.firmware.VerifyFirmwareFailed");
}

TEST_CASE("modules are refused, each wrong one with its code", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  auto code = [&](const char* action, Parameters call) {
    call.insert({"ProductKey", product});
    return console.Call(action, call).Code();
  };
  for (int i = 1; i <= 10; ++i) {
    console.Must("CreateOTAModule",
                 {{"ProductKey", product}, {"ModuleName", "part" + std::to_string(i)}});
  }
  CHECK(code("CreateOTAModule", {{"ModuleName", "one_more"}}) ==
        "iot.ota.CreateOTAModuleExceedLimit");
  console.MakePackage(product, "2.0.0", {{"ModuleName", "part1"}});
  CHECK(code("DeleteOTAModule", {{"ModuleName", "part1"}}) ==
        "iot.ota.DeleteOTAModulePackageExist");
  CHECK(code("DeleteOTAModule", {}) == "iot.ota.DeleteOTAModuleParamError");
  CHECK(code("UpdateOTAModule", {}) == "iot.ota.UpdateOTAModuleParamError");
  CHECK(code("QueryProduct", {{"ProductKey", std::string(65, 'x')}}) ==
        "iot.prod.InvalidFormattedProductkey");
}

TEST_CASE("what is missing of tasks and applications has its code", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1);
  std::string package = console.MakePackage(product);
  std::string job = console.MakeJob(product, package, {{"SrcVersion.1", "1.0.0"}});
  REQUIRE(console.Ask(RegisterDevices{product, {{.name = "elsewhere"}}}).ok());
  CHECK(console.Call("ReupgradeOTATask", {{"JobId", job}}).Code() == "iot.firmware.NullTaskId");
  CHECK(console.Call("BatchRegisterDeviceWithApplyId", {{"ProductKey", product}}).Code() ==
        "iot.device.NullApplyId");
  CHECK(console
            .Call("CancelOTATaskByDevice",
                  {{"ProductKey", product}, {"FirmwareId", package}, {"DeviceName.1", "elsewhere"}})
            .Code() == "iot.firmware.DeviceUpgradeRecordNotFound");
}

TEST_CASE("what is not built is refused with a sentence before all else", "[openapi]") {
  Console console;
  ApiAnswer files = console.Call("CreateOTAFirmware", {{"MultiFiles.1.Name", "a"}});
  CHECK(files.Code() == "iot.common.InvalidFormattedParameter");
  CHECK(files.json.value("ErrorMessage", "").find(".zip") != std::string::npos);
  ApiAnswer groups = console.Call("CreateOTAStaticUpgradeJob", {{"GroupId", "g"}});
  CHECK(groups.Code() == "iot.common.InvalidFormattedParameter");
  CHECK(groups.json.value("ErrorMessage", "").find("not built") != std::string::npos);
}

}  // namespace
}  // namespace updraft
