// The console's way through the API: every action at least once, and what it answers.
#include "adapters/openapi/actions.h"

#include <ctime>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/openapi/console.h"

namespace updraft {
namespace {

std::string Text(uint64_t number) { return std::to_string(number); }

// What a device says.
void Report(Console& console, const std::string& product, int lamp, const std::string& version) {
  REQUIRE(console
              .Ask(ReportVersion{.device = {.product_key = product, .name = LampName(lamp)},
                                 .version = version})
              .ok());
}

TEST_CASE("a console goes from a product to a batch's tasks", "[openapi]") {
  Console console;
  console.scheme = GENERATE(Console::Scheme::kAcs3, Console::Scheme::kRpc);
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 3);
  std::string package = console.MakePackage(product);
  std::string job = console.MakeJob(product, package, {{"TimeoutInMinutes", "60"}});

  Json tasks = console.Must("ListOTATaskByJob", {{"JobId", job}, {"TaskStatus", "QUEUED"}});
  CHECK(tasks["Total"] == 3);
  const Json& first = tasks["Data"]["SimpleOTATaskInfo"][0];
  CHECK(first["DeviceName"] == "lamp-0001");
  CHECK(first["SrcVersion"] == "1.0.0");
  CHECK(first["DestVersion"] == "2.0.0");
  CHECK(first["Progress"] == "0.00");
  CHECK(first["Timeout"] == "60");
  CHECK(first["TaskDesc"] == "pending push(device offline)");
  CHECK(first["ProductName"] == "street_lamp");
}

TEST_CASE("a product is created, changed, listed and deleted", "[openapi]") {
  Console console;
  Json created = console.Must("CreateProduct", {{"NodeType", "1"},
                                                {"ProductName", "网关_1"},
                                                {"Description", "on the roof"},
                                                {"AliyunCommodityCode", "iothub_senior"}});
  CHECK(created["Data"]["ProductKey"] == created["ProductKey"]);
  CHECK(created["Data"]["NodeType"] == 1);
  std::string product = created["ProductKey"];
  console.Must("UpdateProduct", {{"ProductKey", product},
                                 {"ProductName", "gateway"},
                                 {"Description", ""},
                                 {"DynamicRegistration", "true"}});
  Json shown = console.Must("QueryProduct", {{"ProductKey", product}})["Data"];
  CHECK(shown["ProductName"] == "gateway");
  CHECK_FALSE(shown.contains("Description"));
  CHECK(shown["DynamicRegistration"] == true);
  CHECK(shown["ProductSecret"] == created["Data"]["ProductSecret"]);
  CHECK(shown["DeviceCount"] == 0);

  std::string newer = console.MakeProduct();
  Json list = console.Must("QueryProductList", {{"CurrentPage", "1"}, {"PageSize", "1"}})["Data"];
  CHECK(list["Total"] == 2);
  CHECK(list["PageCount"] == 2);
  CHECK(list["List"]["ProductInfo"][0]["ProductKey"] == newer);
  console.Must("DeleteProduct", {{"ProductKey", product}});
  CHECK(console.Call("QueryProduct", {{"ProductKey", product}}).Code() ==
        "iot.prod.NotExistedProduct");
}

TEST_CASE("modules are made known, changed, listed and deleted", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  Parameters wifi = {{"ProductKey", product}, {"ModuleName", "WiFi"}, {"AliasName", "无线"}};
  console.Must("CreateOTAModule", wifi);
  CHECK(console.Call("CreateOTAModule", {{"ProductKey", product}, {"ModuleName", "wifi"}}).Code() ==
        "iot.ota.CreateOTAModuleNameExist");
  CHECK(console.Call("CreateOTAModule", {{"ProductKey", product}, {"ModuleName", "url"}}).Code() ==
        "iot.firmware.ModuleNameReserved");
  wifi["Desc"] = "2.4 GHz";
  console.Must("UpdateOTAModule", wifi);
  Json modules = console.Must("ListOTAModuleByProduct", {{"ProductKey", product}})["Data"];
  REQUIRE(modules.size() == 2);
  CHECK(modules[0]["ModuleName"] == "default");
  CHECK(modules[1]["ModuleName"] == "WiFi");
  CHECK(modules[1]["AliasName"] == "无线");
  CHECK(modules[1]["Desc"] == "2.4 GHz");
  console.Must("DeleteOTAModule", {{"ProductKey", product}, {"ModuleName", "wifi"}});
  CHECK(console.Call("DeleteOTAModule", {{"ProductKey", product}, {"ModuleName", "wifi"}}).Code() ==
        "iot.ota.OTAModuleNotExist");
  CHECK(console.Call("DeleteOTAModule", {{"ProductKey", product}, {"ModuleName", "default"}})
            .Code() == "iot.ota.DeleteOtaDefaultModule");
}

TEST_CASE("a device is registered, shown, disabled and deleted", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  Json made = console.Must(
      "RegisterDevice",
      {{"ProductKey", product}, {"DeviceName", "lamp-0001"}, {"Nickname", "路灯一号"}})["Data"];
  Parameters by_name = {{"ProductKey", product}, {"DeviceName", "lamp-0001"}};
  Parameters by_id = {{"IotId", made["IotId"]}};
  CHECK(console.Must("GetDeviceStatus", by_name)["Data"]["Status"] == "UNACTIVE");
  REQUIRE(console
              .Ask(ReportVersion{.device = {.product_key = product, .name = "lamp-0001"},
                                 .version = "1.0.0",
                                 .implies_online = true})
              .ok());
  Json shown = console.Must("QueryDeviceDetail", by_id)["Data"];
  CHECK(shown["DeviceName"] == "lamp-0001");
  CHECK(shown["DeviceSecret"] == made["DeviceSecret"]);
  CHECK(shown["Nickname"] == "路灯一号");
  CHECK(shown["FirmwareVersion"] == "1.0.0");
  CHECK(shown["Status"] == "ONLINE");
  CHECK(shown.contains("UtcOnline"));

  console.Must("DisableThing", by_id);
  CHECK(console.Must("GetDeviceStatus", by_id)["Data"]["Status"] == "DISABLE");
  console.Must("EnableThing", by_name);
  Json states =
      console.Must("BatchGetDeviceState", {{"ProductKey", product}, {"DeviceName.1", "lamp-0001"}});
  CHECK(states["DeviceStatusList"]["DeviceStatus"][0]["IotId"] == made["IotId"]);
  // An id wins over a name that says otherwise.
  console.Must("DeleteDevice", {{"IotId", made["IotId"]}, {"DeviceName", "nobody"}});
  CHECK(console.Call("QueryDeviceDetail", by_id).Code() == "iot.device.NotExistedDevice");
  CHECK(console.Call("QueryDeviceDetail", by_name).Code() == "iot.device.NotExistedDevice");
}

TEST_CASE("devices are paged by number and by token", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 5, "");
  Json page = console.Must("QueryDevice",
                           {{"ProductKey", product}, {"CurrentPage", "2"}, {"PageSize", "2"}});
  CHECK(page["Total"] == 5);
  CHECK(page["PageCount"] == 3);
  CHECK(page["Page"] == 2);
  CHECK(page["Data"]["DeviceInfo"][0]["DeviceName"] == "lamp-0003");
  Json rest =
      console.Must("QueryDevice",
                   {{"ProductKey", product}, {"NextToken", page["NextToken"]}, {"PageSize", "2"}});
  REQUIRE(rest["Data"]["DeviceInfo"].size() == 1);
  CHECK(rest["Data"]["DeviceInfo"][0]["DeviceName"] == "lamp-0005");
  CHECK_FALSE(rest.contains("NextToken"));
  CHECK(console.Call("QueryDevice", {{"ProductKey", product}, {"NextToken", "x"}}).Code() ==
        "iot.common.InvalidPageParams");
}

TEST_CASE("many devices are registered with names made up", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  uint64_t id = console.Must("BatchRegisterDevice",
                             {{"ProductKey", product}, {"Count", "1000"}})["Data"]["ApplyId"];
  Parameters asked = {{"ProductKey", product}, {"ApplyId", Text(id)}};
  Json status = console.Must("QueryBatchRegisterDeviceStatus", asked)["Data"];
  CHECK(status["Status"] == "CREATE_SUCCESS");
  CHECK(status["ValidList"]["Name"].size() == 1'000);
  Json page = console.Must("QueryPageByApplyId",
                           {{"ApplyId", Text(id)}, {"CurrentPage", "20"}, {"PageSize", "50"}});
  CHECK(page["Total"] == 1'000);
  const Json& last = page["ApplyDeviceList"]["ApplyDeviceInfo"][49];
  Json shown = console.Must("QueryDeviceDetail", {{"IotId", last["IotId"]}})["Data"];
  CHECK(shown["DeviceName"] == last["DeviceName"]);
  CHECK(shown["DeviceSecret"] == last["DeviceSecret"]);
  CHECK(console.Call("BatchRegisterDevice", {{"ProductKey", product}, {"Count", "1001"}}).Code() ==
        "iot.device.DeviceCountExceeded");
}

TEST_CASE("names are checked before many devices are registered by them", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1, "");
  Json bad = console.Must("BatchCheckDeviceNames", {{"ProductKey", product},
                                                    {"DeviceName.1", "lamp-0001"},
                                                    {"DeviceName.2", "a/b"},
                                                    {"DeviceName.3", "good-name"},
                                                    {"DeviceName.4", "good-name"}})["Data"];
  CHECK(bad["InvalidDeviceNameList"]["InvalidDeviceName"] ==
        Json::array({"lamp-0001", "a/b", "good-name"}));
  CHECK_FALSE(bad.contains("ApplyId"));

  uint64_t id =
      console.Must("BatchCheckDeviceNames", {{"ProductKey", product},
                                             {"DeviceNameList.1.DeviceName", "good-name"},
                                             {"DeviceNameList.1.DeviceNickname", "nick"},
                                             {"DeviceName.1", "not looked at"}})["Data"]["ApplyId"];
  Parameters asked = {{"ProductKey", product}, {"ApplyId", Text(id)}};
  CHECK(console.Must("QueryBatchRegisterDeviceStatus", asked)["Data"]["Status"] == "CHECK_SUCCESS");
  CHECK(console
            .Call("QueryPageByApplyId",
                  {{"ApplyId", Text(id)}, {"CurrentPage", "1"}, {"PageSize", "1"}})
            .Code() == "iot.device.DeviceApplyIsNotFound");
  CHECK(console.Must("BatchRegisterDeviceWithApplyId", asked)["Data"]["ApplyId"] == id);
  // Asked again it is so already.
  CHECK(console.Must("BatchRegisterDeviceWithApplyId", asked)["Data"]["ApplyId"] == id);
  Json shown = console.Must("QueryDeviceDetail",
                            {{"ProductKey", product}, {"DeviceName", "good-name"}})["Data"];
  CHECK(shown["Nickname"] == "nick");
  asked["ProductKey"] = "another";
  CHECK(console.Call("BatchRegisterDeviceWithApplyId", asked).Code() ==
        "iot.device.DeviceApplyIsNotFound");
}

TEST_CASE("a registration of checked names that another one took is told as failed", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  uint64_t id =
      console.Must("BatchCheckDeviceNames",
                   {{"ProductKey", product}, {"DeviceName.1", "lamp-0001"}})["Data"]["ApplyId"];
  console.MakeDevices(product, 1, "");
  Parameters asked = {{"ProductKey", product}, {"ApplyId", Text(id)}};
  CHECK(console.Call("BatchRegisterDeviceWithApplyId", asked).Code() ==
        "iot.device.AlreadyExistedDeviceName");
  CHECK(console.Must("QueryBatchRegisterDeviceStatus", asked)["Data"]["Status"] == "CREATE_FAILED");
}

TEST_CASE("a package is made of a posted file, shown, listed and deleted", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  Json upload = console.Must("GenerateOTAUploadURL", {{"FileSuffix", "zip"}})["Data"];
  CHECK(upload["Host"] == "http://127.0.0.1:8080/upload");
  CHECK(upload["FirmwareUrl"] ==
        upload["Host"].get<std::string>() + "/" + upload["Key"].get<std::string>());
  Parameters order = {{"ProductKey", product},
                      {"FirmwareName", "固件(1)"},
                      {"DestVersion", "2.0.0"},
                      {"SrcVersion", "1.0.0"},
                      {"Type", "1"},
                      {"SignMethod", "SHA256"},
                      {"FirmwareUrl", upload["FirmwareUrl"]},
                      {"Udi", "{\"a\":{}}"},
                      {"FirmwareDesc", "新版本"}};
  CHECK(console.Call("CreateOTAFirmware", order).Code() == "iot.firmware.InvalidFirmwareUrl");
  console.files.files[upload["Key"]] = "new firmware";
  std::string package = console.Must("CreateOTAFirmware", order)["Data"]["FirmwareId"];

  Json shown = console.Must("QueryOTAFirmware", {{"FirmwareId", package}})["FirmwareInfo"];
  CHECK(shown["FirmwareName"] == "固件(1)");
  CHECK(shown["Status"] == 0);
  CHECK(shown["Type"] == 1);
  CHECK(shown["SrcVersion"] == "1.0.0");
  CHECK(shown["FirmwareSize"] == 12);
  CHECK(shown["SignMethod"] == "SHA256");
  CHECK(shown["FirmwareSign"].get<std::string>().size() == 64);
  CHECK(shown["VerifyProgress"] == 0);
  CHECK(shown["FirmwareUrl"].get<std::string>().starts_with("http://127.0.0.1:8080/d/"));

  Parameters page = {{"CurrentPage", "1"}, {"PageSize", "100"}};
  CHECK(console.Must("ListOTAFirmware", page)["FirmwareInfo"]["SimpleFirmwareInfo"].size() == 1);
  page["DestVersion"] = "3.0.0";
  CHECK(console.Must("ListOTAFirmware", page)["Total"] == 0);
  page["ProductKey"] = "another";
  CHECK(console.Call("ListOTAFirmware", page).Code() == "iot.prod.NotExistedProduct");
  console.Must("DeleteOTAFirmware", {{"FirmwareId", package}});
  CHECK(console.Call("QueryOTAFirmware", {{"FirmwareId", package}}).Code() ==
        "iot.firmware.FirmwareNotFound");
}

TEST_CASE("what is said of a package's file must be true of it", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  Parameters order = {{"ProductKey", product},
                      {"FirmwareName", "lamp_2"},
                      {"DestVersion", "2.0.0"},
                      {"FirmwareUrl", console.PostFile("twelve bytes")},
                      {"FirmwareSize", "13"}};
  CHECK(console.Call("CreateOTAFirmware", order).Code() == "iot.firmware.InvalidFirmwareSize");
  order["FirmwareSize"] = "12";
  order["FirmwareSign"] = std::string(32, '0');
  ApiAnswer refused = console.Call("CreateOTAFirmware", order);
  CHECK(refused.Code() == "iot.firmware.InvalidFirmwareSign");
  std::string message = refused.json["ErrorMessage"];
  order["FirmwareSign"] = message.substr(message.size() - 32);
  CHECK(console.Call("CreateOTAFirmware", order).ok());
}

TEST_CASE("a verification makes a package fit for batches", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 2);
  std::string package = console.MakePackage(product, "2.0.0", {{"NeedToVerify", "true"}});
  Parameters all = {{"ProductKey", product}, {"FirmwareId", package}, {"TargetSelection", "ALL"}};
  CHECK(console.Call("CreateOTAStaticUpgradeJob", all).Code() ==
        "iot.firmware.FirmwareNotVerified");
  std::string job =
      console.Must("CreateOTAVerifyJob", {{"ProductKey", product},
                                          {"FirmwareId", package},
                                          {"TargetDeviceName.1", LampName(1)}})["Data"]["JobId"];
  auto shown = [&] {
    return console.Must("QueryOTAFirmware", {{"FirmwareId", package}})["FirmwareInfo"];
  };
  CHECK(shown()["Status"] == 2);
  CHECK(console.Must("QueryOTAJob", {{"JobId", job}})["Data"]["JobType"] == "VERIFY_FIRMWARE");
  Report(console, product, 1, "2.0.0");
  CHECK(shown()["Status"] == 1);
  CHECK(shown()["VerifyProgress"] == 100);
  CHECK(console.Call("CreateOTAStaticUpgradeJob", all).ok());
}

TEST_CASE("a batch shows all its settings", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 4);
  std::string package = console.MakePackage(product);
  Parameters order = {
      {"TargetSelection", "GRAY"}, {"GrayPercent", "33.333"},  {"SrcVersion.1", "1.0.0"},
      {"MaximumPerMinute", "10"},  {"TimeoutInMinutes", "60"}, {"RetryInterval", "30"},
      {"RetryCount", "5"},         {"OverwriteMode", "2"},     {"NeedPush", "false"},
      {"Tag.1.Key", "k.1"},        {"Tag.1.Value", "{v}"}};
  std::string job = console.MakeJob(product, package, order);
  Json data = console.Must("QueryOTAJob", {{"JobId", job}})["Data"];
  CHECK(data["JobType"] == "UPGRADE_FIRMWARE");
  CHECK(data["JobStatus"] == "IN_PROGRESS");
  CHECK(data["SelectionType"] == "STATIC");
  CHECK(data["TargetSelection"] == "GRAY");
  CHECK(data["GrayPercent"] == "33.333");
  CHECK(data["DestVersion"] == "2.0.0");
  CHECK(data["SrcVersions"]["SrcVersion"] == Json::array({"1.0.0"}));
  CHECK(data["MaximumPerMinute"] == 10);
  CHECK(data["TimeoutInMinutes"] == 60);
  CHECK(data["RetryInterval"] == 30);
  CHECK(data["RetryCount"] == 5);
  CHECK(data["OverwriteMode"] == 2);
  CHECK(data["NeedPush"] == false);
  CHECK(data["NeedConfirm"] == false);
  CHECK(data["Tags"]["OtaTagDTO"][0]["Value"] == "{v}");
  CHECK_FALSE(data.contains("UtcEndTime"));
  CHECK_FALSE(data.contains("UtcScheduleTime"));
  // A third of four, rounded down.
  CHECK(console.Must("QueryOTATaskCounts", {{"JobId", job}})["Data"]["Total"] == 1);
  Json task = console.Must("ListOTATaskByJob", {{"JobId", job}})["Data"]["SimpleOTATaskInfo"][0];
  CHECK(task["TaskDesc"] == "pending push(device must ask)");
}

TEST_CASE("a batch is edited, paused and resumed", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1);
  std::string job = console.MakeJob(product, console.MakePackage(product));
  console.Must(
      "UpdateOTAJob",
      {{"JobId", job}, {"MaximumPerMinute", "20"}, {"Tag.1.Key", "a"}, {"Tag.1.Value", "b"}});
  Json data = console.Must("QueryOTAJob", {{"JobId", job}})["Data"];
  CHECK(data["MaximumPerMinute"] == 20);
  CHECK(data["Tags"]["OtaTagDTO"][0]["Key"] == "a");
  console.Must("PauseOTAJob", {{"JobId", job}});
  CHECK(console.Must("QueryOTAJob", {{"JobId", job}})["Data"]["Paused"] == true);
  console.Must("ResumeOTAJob", {{"JobId", job}});
  CHECK(console.Must("QueryOTAJob", {{"JobId", job}})["Data"]["Paused"] == false);
  CHECK(console.Call("UpdateOTAJob", {{"JobId", job}, {"TimeoutInMinutes", "5"}}).Code() ==
        "iot.firmware.NotDynamicJob");
}

TEST_CASE("a dynamic batch takes devices until its strategy is cancelled", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 2, "");
  std::string package = console.MakePackage(product);
  Parameters order = {{"ProductKey", product}, {"FirmwareId", package}, {"SrcVersion.1", "1.0.0"}};
  std::string job = console.Must("CreateOTADynamicUpgradeJob", order)["Data"]["JobId"];
  CHECK(console.Call("CreateOTADynamicUpgradeJob", order).Code() ==
        "iot.firmware.InProgressDynamicJobExisted");
  Report(console, product, 1, "1.0.0");
  CHECK(console.Must("QueryOTATaskCounts", {{"JobId", job}})["Data"]["Counts"]["QUEUED"] == 1);
  Json data = console.Must("QueryOTAJob", {{"JobId", job}})["Data"];
  CHECK(data["SelectionType"] == "DYNAMIC");
  CHECK(data["TargetSelection"] == "ALL");
  CHECK(data["DynamicMode"] == 1);
  console.Must("CancelOTAStrategyByJob", {{"JobId", job}});
  Report(console, product, 2, "1.0.0");
  CHECK(console.Must("QueryOTATaskCounts", {{"JobId", job}})["Data"]["Total"] == 1);
  CHECK(console.Call("CancelOTAStrategyByJob", {{"JobId", job}}).Code() ==
        "iot.firmware.JobAlreadyCanceled");
}

TEST_CASE("tasks are cancelled by device and by batch, and upgraded again", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 3);
  std::string package = console.MakePackage(product);
  std::string job = console.MakeJob(product, package);
  auto counts = [&] { return console.Must("QueryOTATaskCounts", {{"JobId", job}})["Data"]; };
  console.Must("CancelOTATaskByDevice", {{"ProductKey", product},
                                         {"FirmwareId", package},
                                         {"JobId", job},
                                         {"DeviceName.1", LampName(1)}});
  CHECK(counts()["Counts"]["CANCELED"] == 1);
  CHECK(console.Call("CancelOTATaskByJob", {{"JobId", job}}).Code() ==
        "iot.firmware.CancelOptionIsMandatory");
  console.Must("CancelOTATaskByJob", {{"JobId", job}, {"CancelQueuedTask", "true"}});
  CHECK(counts()["Counts"]["CANCELED"] == 3);
  CHECK(counts()["JobStatus"] == "CANCELED");
  Parameters again = {{"JobId", job}, {"TaskId.1", console.TaskOf(job, LampName(2))}};
  console.Must("ReupgradeOTATask", again);
  CHECK(counts()["Counts"]["QUEUED"] == 1);
  CHECK(console.Call("ReupgradeOTATask", again).Code() ==
        "iot.firmware.IncorrectDeviceUpgradeJobStatus");
}

TEST_CASE("a batch that needs it waits for tasks to be confirmed", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1);
  std::string job =
      console.MakeJob(product, console.MakePackage(product), {{"NeedConfirm", "true"}});
  Parameters task = {{"TaskId.1", console.TaskOf(job, LampName(1))}};
  auto status = [&] {
    Json tasks = console.Must("ListOTATaskByJob", {{"JobId", job}});
    return tasks["Data"]["SimpleOTATaskInfo"][0]["TaskStatus"];
  };
  CHECK(status() == "CONFIRM");
  console.Must("ConfirmOTATask", task);
  CHECK(status() == "QUEUED");
  CHECK(console.Call("ConfirmOTATask", task).Code() ==
        "iot.firmware.IncorrectDeviceUpgradeJobStatus");
}

TEST_CASE("a device's batches, open tasks and versions are listed", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 2);
  std::string package = console.MakePackage(product);
  std::string job = console.MakeJob(product, package);
  Parameters device = {{"ProductKey", product}, {"DeviceName", LampName(1)}};
  Json open = console.Must("ListOTAUnfinishedTaskByDevice", device)["Data"]["SimpleOTATaskInfo"];
  REQUIRE(open.size() == 1);
  CHECK(open[0]["ModuleName"] == "default");
  CHECK(open[0]["JobId"] == job);
  Parameters notified = device;
  notified["TaskStatusList.1"] = "NOTIFIED";
  CHECK(
      console.Must("ListOTAUnfinishedTaskByDevice", notified)["Data"]["SimpleOTATaskInfo"].empty());
  Json versions =
      console.Must("ListOTAModuleVersionsByDevice", device)["Data"]["SimpleOTAModuleInfo"];
  CHECK(versions[0]["ModuleVersion"] == "1.0.0");

  Parameters page = {{"FirmwareId", package}, {"CurrentPage", "1"}, {"PageSize", "10"}};
  CHECK(console.Must("ListOTAJobByFirmware", page)["Data"]["SimpleOTAJobInfo"][0]["JobId"] == job);
  page.merge(device);
  CHECK(console.Must("ListOTAJobByDevice", page)["Data"]["SimpleOTAJobInfo"][0]["JobId"] == job);
}

TEST_CASE("versions in use and the devices that run them are listed", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 3);
  Report(console, product, 3, "2.0.0");
  Json all = console.Must("ListOTAVersionsInUse", {{"ProductKey", product}});
  CHECK(all["Total"] == 2);
  Json some =
      console.Must("ListOTAVersionsInUse", {{"ProductKey", product}, {"ExcludeVersion", "2.0.0"}});
  CHECK(some["Data"]["VersionInfo"] ==
        Json::array({{{"ModuleVersion", "1.0.0"}, {"DeviceCount", 2}}}));

  Parameters asked = {{"ProductKey", product}, {"SrcVersion.1", "1.0.0"}, {"PageSize", "1"}};
  Json first = console.Must("ListOTADevicesByVersion", asked);
  CHECK(first["Data"]["DeviceInfo"][0]["DeviceName"] == LampName(1));
  asked["NextToken"] = first["NextToken"];
  Json second = console.Must("ListOTADevicesByVersion", asked);
  CHECK(second["Data"]["DeviceInfo"][0]["DeviceName"] == LampName(2));
  CHECK_FALSE(second.contains("NextToken"));
  Json none = console.Must("ListOTADevicesByVersion",
                           {{"ProductKey", product}, {"SrcVersion.1", "never-reported"}});
  CHECK(none["Data"]["DeviceInfo"].empty());
  CHECK_FALSE(none.contains("NextToken"));
}

TEST_CASE("a cursor shows each task once, over one batch and over all of a package", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 5);
  std::string package = console.MakePackage(product);
  std::string first = console.MakeJob(product, package,
                                      {{"TargetSelection", "SPECIFIC"},
                                       {"TargetDeviceName.1", LampName(1)},
                                       {"TargetDeviceName.2", LampName(2)},
                                       {"TargetDeviceName.3", LampName(3)}});
  std::string second = console.MakeJob(product, package,
                                       {{"TargetSelection", "SPECIFIC"},
                                        {"TargetDeviceName.1", LampName(4)},
                                        {"TargetDeviceName.2", LampName(5)}});
  auto walk = [&](const std::string& action, Parameters asked) {
    std::string names;
    while (true) {
      Json page = console.Must(action, asked);
      for (const Json& task : page["Data"]["SimpleOTATaskInfo"]) {
        names += task["DeviceName"].get<std::string>().back();
      }
      if (!page.contains("NextToken")) return names;
      asked["NextToken"] = page["NextToken"];
    }
  };
  CHECK(walk("ListOTATaskByJob", {{"JobId", first}, {"PageSize", "2"}}) == "123");
  CHECK(walk("ListOTATaskByFirmware", {{"FirmwareId", package}, {"PageSize", "2"}}) == "12345");
  Json page = console.Must("ListOTATaskByFirmware",
                           {{"FirmwareId", package}, {"PageSize", "2"}, {"CurrentPage", "2"}});
  CHECK(page["Total"] == 5);
  CHECK(page["Data"]["SimpleOTATaskInfo"][1]["DeviceName"] == LampName(4));
  Json counts = console.Must("QueryOTATaskCounts", {{"FirmwareId", package}})["Data"];
  CHECK(counts["Total"] == 5);
  CHECK(counts["Counts"]["QUEUED"] == 5);
}

TEST_CASE("a batch over a list of devices is created of all rows or of none", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 3);
  std::string package = console.MakePackage(product);
  Json offer = console.Must("GenerateDeviceNameListURL")["Data"];
  CHECK(offer.contains("AccessKeyId"));
  Parameters order = {{"ProductKey", product},
                      {"FirmwareId", package},
                      {"TargetSelection", "SPECIFIC"},
                      {"DnListFileUrl", offer["FileUrl"]}};
  std::string& list = console.files.files[offer["Key"]];
  list = "DeviceName\nlamp-0001\nlamp-0001\nlamp-0009\n?\n";
  ApiAnswer refused = console.Call("CreateOTAStaticUpgradeJob", order);
  CHECK(refused.Code() == "iot.device.InvalidFormattedDeviceName");
  std::string message = refused.json["ErrorMessage"];
  CHECK(message.find("Row 3, 'lamp-0001': named twice.") != std::string::npos);
  CHECK(message.find("Row 4, 'lamp-0009': unknown to the product.") != std::string::npos);
  CHECK(message.find("Row 5, '?': no device name.") != std::string::npos);

  std::string link = message.substr(message.find("/device-lists/"));
  HttpResponse report;
  console.api->HandleDeviceLists({.method = "GET", .path = link},
                                 [&](HttpResponse response) { report = std::move(response); });
  CHECK(report.status == 200);
  CHECK(report.body.find("4,\"lamp-0009\",\"unknown to the product\"") != std::string::npos);

  list = "DeviceName\nlamp-0001\nlamp-0002\n";
  std::string job = console.Must("CreateOTAStaticUpgradeJob", order)["Data"]["JobId"];
  CHECK(console.Must("QueryOTATaskCounts", {{"JobId", job}})["Data"]["Total"] == 2);
}

TEST_CASE("a template for device lists can be downloaded", "[openapi]") {
  Console console;
  HttpResponse answer;
  auto respond = [&](HttpResponse response) { answer = std::move(response); };
  console.api->HandleDeviceLists({.method = "GET", .path = "/device-lists/template.csv"}, respond);
  CHECK(answer.status == 200);
  CHECK(answer.body == "DeviceName\r\n");
  console.api->HandleDeviceLists({.method = "GET", .path = "/device-lists/other.csv"}, respond);
  CHECK(answer.status == 404);
}

TEST_CASE("a scheduled batch says in the machine's time when its tasks begin", "[openapi]") {
  setenv("TZ", "CST-8", 1);
  tzset();
  Console console;
  console.options.language = Language::kChinese;
  console.api = std::make_unique<OpenApi>(*console.engine, console.files, console.options);
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1);
  // The engine's clock is the machine's.
  int64_t start_ms = (int64_t{std::time(nullptr)} + 3'600) * 1'000;
  std::string job =
      console.MakeJob(product, console.MakePackage(product), {{"ScheduleTime", Text(start_ms)}});
  Json task = console.Must("ListOTATaskByJob", {{"JobId", job}})["Data"]["SimpleOTATaskInfo"][0];
  std::time_t there = start_ms / 1'000 + 8 * 3'600;
  std::tm tm = {};
  gmtime_r(&there, &tm);
  CHECK(task["TaskDesc"] == fmt::format("待推送(定时:{:04}/{:02}/{:02} {:02}:{:02}:{:02})",
                                        tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                                        tm.tm_min, tm.tm_sec));
  CHECK(console.Must("QueryOTAJob", {{"JobId", job}})["Data"]["JobStatus"] == "PLANNED");
}

TEST_CASE("a task's life is explained by the one who can", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1);
  std::string job = console.MakeJob(product, console.MakePackage(product));
  Parameters task = {{"TaskId", console.TaskOf(job, LampName(1))}};
  CHECK(console.Call("ExplainOTATask", task).Code() == "iot.firmware.SystemBusy");
  console.options.explain = [](TaskId, const Explained& done) {
    done(std::vector<ExplainedEvent>{{Seq(7), Console::kNowMs, "it joined"}});
  };
  console.api = std::make_unique<OpenApi>(*console.engine, console.files, console.options);
  Json events = console.Must("ExplainOTATask", task)["Data"]["Event"];
  CHECK(
      events ==
      Json::array({{{"Seq", 7}, {"UtcTime", "2026-11-23T03:45:43.000Z"}, {"Text", "it joined"}}}));
}

TEST_CASE("access keys are created, listed, changed and deleted", "[openapi]") {
  Console console;
  Json made = console.Must("CreateAccessKey", {{"Formal", "true"}, {"Note", "li"}})["Data"];
  std::swap(console.access_key_id, *made["AccessKeyId"].get_ptr<std::string*>());
  std::swap(console.secret, *made["AccessKeySecret"].get_ptr<std::string*>());
  Json list = console.Must("ListAccessKeys")["Data"]["AccessKey"];
  REQUIRE(list.size() == 3);
  CHECK(list[2]["Note"] == "li");
  CHECK(list[1]["Formal"] == false);
  CHECK_FALSE(list[2].contains("AccessKeySecret"));
  Parameters first = {{"TargetAccessKeyId", list[0]["AccessKeyId"]}};
  console.Must("DeleteAccessKey", first);
  CHECK(console.Call("DeleteAccessKey", first).Code() == "iot.common.InvalidTenant");
  CHECK(console
            .Call("UpdateAccessKey",
                  {{"TargetAccessKeyId", console.access_key_id}, {"Enabled", "false"}})
            .Code() == "iot.common.InvalidTenant");
  console.Must("ConfirmClock");
}

}  // namespace
}  // namespace updraft
