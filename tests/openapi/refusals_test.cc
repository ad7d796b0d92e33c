// Wrong calls, each with its code.
#include <catch2/catch.hpp>

#include "adapters/openapi/actions.h"
#include "tests/openapi/console.h"

namespace updraft {
namespace {

struct WrongCall {
  std::string action;
  Parameters parameters;
  std::string code;
};

// Sends each with `good` for what it does not say.
void CheckAll(Console& console, const Parameters& good, const std::vector<WrongCall>& calls) {
  for (WrongCall call : calls) {
    call.parameters.insert(good.begin(), good.end());
    std::erase_if(call.parameters, [](const auto& p) { return p.second == "-"; });
    ApiAnswer answer = console.Call(call.action, call.parameters);
    INFO(call.action << " " << EncodeParameters(call.parameters) << " " << answer.json.dump());
    CHECK(answer.Code() == call.code);
  }
}

TEST_CASE("every action refuses a call without what it needs", "[openapi]") {
  Console console;
  for (const openapi::ActionGroup& group : openapi::AllActions()) {
    for (const openapi::Action& action : group.actions) {
      auto required = std::find_if(action.parameters.begin(), action.parameters.end(),
                                   [](const openapi::Parameter& p) { return p.required; });
      if (required == action.parameters.end()) continue;
      ApiAnswer answer = console.Call(std::string(action.name));
      INFO(action.name << " " << answer.json.dump());
      CHECK(answer.Code() == required->missing_code);
    }
  }
}

TEST_CASE("wrong packages are refused, each with its code", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  std::string existing = console.MakePackage(product, "1.9.0");
  console.files.files["empty.bin"] = "";
  const std::string create = "CreateOTAFirmware";
  Parameters good = {{"ProductKey", product},
                     {"FirmwareName", "lamp_2"},
                     {"DestVersion", "2.0.0"},
                     {"FirmwareUrl", console.PostFile()}};
  CheckAll(
      console, good,
      {{create, {{"ProductKey", "-"}}, "iot.prod.NullProductKey"},
       {create, {{"ProductKey", "none"}}, "iot.prod.NotExistedProduct"},
       {create, {{"FirmwareName", "-"}}, "iot.firmware.NullFirmwareName"},
       {create, {{"FirmwareName", "  "}}, "iot.firmware.BlankFirmwareName"},
       {create, {{"FirmwareName", "(x)"}}, "iot.firmware.IncorrectFormattedFirmwareName"},
       {create,
        {{"FirmwareName", std::string(41, 'x')}},
        "iot.firmware.IncorrectFormattedFirmwareName"},
       {create, {{"FirmwareName", "lamp_1_9_0"}}, "iot.firmware.AlreadyExistedFirmwareName"},
       {create, {{"DestVersion", "-"}}, "iot.firmware.NullFirmwareVersion"},
       {create, {{"DestVersion", "2 0"}}, "iot.firmware.IncorrectFormattedFirmwareVersion"},
       {create, {{"DestVersion", "url"}}, "iot.firmware.IncorrectFormattedFirmwareVersion"},
       {create,
        {{"DestVersion", std::string(65, '1')}},
        "iot.firmware.IncorrectFormattedFirmwareVersion"},
       {create, {{"DestVersion", "1.9.0"}}, "iot.firmware.AlreadyExistedFirmwareVersion"},
       {create, {{"FirmwareUrl", "-"}}, "iot.firmware.NullFirmwareUrl"},
       {create, {{"FirmwareUrl", "file:///x"}}, "iot.firmware.MalformedFirmwareUrl"},
       {create, {{"FirmwareUrl", "http://evil/x.bin"}}, "iot.firmware.InvalidFirmwareUrl"},
       {create,
        {{"FirmwareUrl", "http://127.0.0.1:8080/upload/none.bin"}},
        "iot.firmware.InvalidFirmwareUrl"},
       {create,
        {{"FirmwareUrl", "http://127.0.0.1:8080/upload/empty.bin"}},
        "iot.firmware.EmptyFirmwareFile"},
       {create, {{"Type", "1"}}, "iot.firmware.SrcVersionIsMandatory"},
       {create, {{"Type", "1"}, {"SrcVersion", "2.0.0"}}, "iot.firmware.SrcDestVersionMatched"},
       {create,
        {{"Type", "1"}, {"SrcVersion", "a b"}},
        "iot.firmware.IncorrectFormattedSrcVersion"},
       {create, {{"Type", "2"}}, "iot.firmware.InvalidFirmwareType"},
       {create, {{"SignMethod", "CRC"}}, "iot.firmware.InvalidFirmwareSignMethod"},
       {create, {{"FirmwareSign", "xyz"}}, "iot.firmware.InvalidFirmwareSign"},
       {create, {{"FirmwareSize", "0"}}, "iot.firmware.InvalidFirmwareSize"},
       {create,
        {{"FirmwareDesc", std::string(101, 'x')}},
        "iot.firmware.FirmwareDescriptionExceedMaxLength"},
       {create, {{"ModuleName", "none"}}, "iot.ota.OTAModuleNotExist"},
       {create, {{"Udi", "}{"}}, "iot.common.InvalidFormattedParameter"},
       {create, {{"Udi", std::string(4'097, 'x')}}, "iot.common.InvalidFormattedParameter"},
       {create, {{"MultiFiles.1.Name", "a"}}, "iot.common.InvalidFormattedParameter"},
       {"GenerateOTAUploadURL",
        {{"FileSuffix", "exe"}},
        "iot.firmware.InvalidGenerateOTAUploadURLParam"},
       {"QueryOTAFirmware", {{"FirmwareId", "x"}}, "iot.firmware.InvalidFirmwareId"},
       {"DeleteOTAFirmware", {{"FirmwareId", "x"}}, "iot.firmware.InvalidFirmwareId"},
       {"ListOTAFirmware",
        {{"CurrentPage", "0"}, {"PageSize", "1"}},
        "iot.common.InvalidPageParams"},
       {"ListOTAFirmware",
        {{"CurrentPage", "1"}, {"PageSize", "101"}},
        "iot.common.InvalidPageParams"}});
  CHECK(console.Call(create, good).ok());
}

TEST_CASE("wrong batches are refused, each with its code", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 2);
  std::string package = console.MakePackage(product);
  console.Must("CreateOTAModule", {{"ProductKey", product}, {"ModuleName", "wifi"}});
  std::string other = console.MakeProduct("other_lamp");
  const std::string create = "CreateOTAStaticUpgradeJob";
  const std::string dynamic = "CreateOTADynamicUpgradeJob";
  Parameters too_many;
  for (int i = 1; i <= 201; ++i) too_many["TargetDeviceName." + std::to_string(i)] = LampName(i);
  too_many["TargetSelection"] = "SPECIFIC";
  Parameters versions;
  for (int i = 1; i <= 11; ++i) versions["SrcVersion." + std::to_string(i)] = std::to_string(i);
  Parameters good = {{"ProductKey", product}, {"FirmwareId", package}, {"TargetSelection", "ALL"}};
  CheckAll(
      console, good,
      {{create, {{"FirmwareId", "-"}}, "iot.firmware.NullFirmwareId"},
       {create, {{"FirmwareId", "x"}}, "iot.firmware.InvalidFirmwareId"},
       {create, {{"ProductKey", other}}, "iot.firmware.FirmwareAndProductKeyMismatch"},
       {create, {{"TargetSelection", "-"}}, "iot.firmware.NullTargetSelection"},
       {create, {{"TargetSelection", "GROUP"}}, "iot.firmware.InvalidTargetSelection"},
       {create, {{"TargetSelection", "SPECIFIC"}}, "iot.firmware.NullTargetDeviceNames"},
       {create, {{"TargetDeviceName.1", "x"}}, "iot.firmware.TargetDeviceNamesNotAllowed"},
       {create, too_many, "iot.firmware.ParameterSizeExceedMax"},
       {create,
        {{"TargetSelection", "SPECIFIC"}, {"TargetDeviceName.1", "nobody"}},
        "iot.device.NotExistedDevice"},
       {create,
        {{"TargetSelection", "SPECIFIC"},
         {"TargetDeviceName.1", "lamp-0001"},
         {"SrcVersion.1", "1.0.0"}},
        "iot.firmware.SrcVersionsNotAllowed"},
       {create,
        {{"DnListFileUrl", "http://127.0.0.1:8080/upload/x.csv"}},
        "iot.firmware.TargetDeviceNamesNotAllowed"},
       {create,
        {{"TargetSelection", "SPECIFIC"}, {"DnListFileUrl", "http://127.0.0.1:8080/upload/x.csv"}},
        "iot.firmware.InvalidFirmwareUrl"},
       {create, versions, "iot.firmware.SrcVersionsSizeExceedMax"},
       {create, {{"SrcVersion.1", "2.0.0"}}, "iot.firmware.SrcDestVersionMatched"},
       {create, {{"SrcVersion.1", "0.1"}}, "iot.firmware.NoDeviceCanUpgrade"},
       {create, {{"TargetSelection", "GRAY"}}, "iot.firmware.NullGrayPercent"},
       {create,
        {{"TargetSelection", "GRAY"}, {"GrayPercent", "1.2345"}},
        "iot.firmware.BadlyFormattedGrayPercent"},
       {create,
        {{"TargetSelection", "GRAY"}, {"GrayPercent", "1."}},
        "iot.firmware.BadlyFormattedGrayPercent"},
       {create,
        {{"TargetSelection", "GRAY"}, {"GrayPercent", "-1"}},
        "iot.firmware.BadlyFormattedGrayPercent"},
       {create,
        {{"TargetSelection", "GRAY"}, {"GrayPercent", "0"}},
        "iot.firmware.InvalidGrayPercent"},
       {create,
        {{"TargetSelection", "GRAY"}, {"GrayPercent", "100.001"}},
        "iot.firmware.InvalidGrayPercent"},
       {create, {{"MaximumPerMinute", "9"}}, "iot.firmware.InvalidMaximumPerMinute"},
       {create, {{"MaximumPerMinute", "1001"}}, "iot.firmware.InvalidMaximumPerMinute"},
       {create, {{"TimeoutInMinutes", "0"}}, "iot.firmware.InvalidTimeoutSetting"},
       {create, {{"TimeoutInMinutes", "1441"}}, "iot.firmware.InvalidTimeoutSetting"},
       {create,
        {{"RetryInterval", "11"}, {"RetryCount", "1"}},
        "iot.firmware.InvalidRetryInterval"},
       {create, {{"RetryInterval", "10"}}, "iot.firmware.InvalidRetryCount"},
       {create, {{"RetryInterval", "10"}, {"RetryCount", "3"}}, "iot.firmware.InvalidRetryCount"},
       {create, {{"RetryCount", "1"}}, "iot.firmware.InvalidRetryInterval"},
       {create,
        {{"RetryInterval", "60"}, {"RetryCount", "1"}, {"TimeoutInMinutes", "60"}},
        "iot.firmware.InvalidRetryInterval"},
       {create, {{"OverwriteMode", "3"}}, "iot.firmware.InvalidOverwriteMode"},
       {create,
        {{"OverwriteMode", "2"}, {"MultiModuleMode", "true"}},
        "iot.firmware.InvalidOverwriteMode"},
       {create, {{"ScheduleTime", "1"}}, "iot.firmware.FireTimeMustLargeThanCurrentTime"},
       {create, {{"ScheduleFinishTime", "1"}}, "iot.firmware.ScheduleFinishTimeWithoutStartTime"},
       {create, {{"DownloadProtocol", "MQTT"}}, "iot.common.InvalidFormattedParameter"},
       {create, {{"GroupId", "g"}}, "iot.common.InvalidFormattedParameter"},
       {create,
        {{"Tag.1.Key", "a"}, {"Tag.1.Value", "1"}, {"Tag.2.Key", "a"}, {"Tag.2.Value", "2"}},
        "iot.ota.tag.KeyDuplicated"},
       {create,
        {{"Tag.1.Key", "module"}, {"Tag.1.Value", "1"}},
        "iot.common.InvalidFormattedParameter"},
       {create, {{"Tag.1.Key", "a"}, {"Tag.1.Value", "{"}}, "iot.common.InvalidFormattedParameter"},
       {create, {{"Tag.1.Key", "a"}}, "iot.common.InvalidFormattedParameter"},
       {create, {{"NeedPush", "maybe"}}, "iot.common.InvalidFormattedParameter"},
       {dynamic, {}, "iot.firmware.NullSrcVersions"},
       {dynamic,
        {{"SrcVersion.1", "1.0.0"}, {"DynamicMode", "3"}},
        "iot.firmware.InvalidDynamicMode"},
       {"CreateOTAVerifyJob", {{"TargetDeviceName.1", "nobody"}}, "iot.device.NotExistedDevice"}});
  CHECK(console.Call(create, good).ok());
}

TEST_CASE("a schedule is refused outside its bounds, each with its code", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1);
  std::string package = console.MakePackage(product);
  // The engine's clock is the machine's; the bounds to the millisecond are the engine's to test.
  const int64_t now_ms = int64_t{std::time(nullptr)} * 1'000;
  const int64_t hour_ms = 3'600'000;
  auto code = [&](int64_t start_ms, int64_t end_ms) {
    Parameters order = {{"ProductKey", product},
                        {"FirmwareId", package},
                        {"TargetSelection", "ALL"},
                        {"ScheduleTime", std::to_string(start_ms)}};
    if (end_ms != 0) order["ScheduleFinishTime"] = std::to_string(end_ms);
    return console.Call("CreateOTAStaticUpgradeJob", order).Code();
  };
  int64_t start_ms = now_ms + hour_ms;
  CHECK(code(now_ms + 200'000, 0) == "iot.firmware.FireTimeTooShort");
  CHECK(code(now_ms + 8 * 24 * hour_ms, 0) == "iot.firmware.FireTimeTooLate");
  CHECK(code(start_ms, start_ms - 1) == "iot.firmware.ScheduleFinishTimeEarlierThanStartTime");
  CHECK(code(start_ms, start_ms + hour_ms - 1) == "iot.firmware.ScheduleFinishTimeTooEarly");
  CHECK(code(start_ms, start_ms + 30 * 24 * hour_ms + 1) ==
        "iot.firmware.ScheduleFinishTimeTooLate");
  CHECK(code(start_ms, start_ms + hour_ms).empty());
}

TEST_CASE("wrong calls on batches and tasks are refused, each with its code", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1);
  std::string package = console.MakePackage(product);
  std::string job = console.MakeJob(product, package);
  Parameters eleven = {};
  for (int i = 1; i <= 11; ++i) eleven["TaskId." + std::to_string(i)] = "x";
  Parameters names = {};
  for (int i = 1; i <= 51; ++i) names["DeviceNames." + std::to_string(i)] = LampName(i);
  Parameters devices = {};
  for (int i = 1; i <= 201; ++i) devices["DeviceName." + std::to_string(i)] = LampName(i);
  Parameters good = {{"ProductKey", product}, {"FirmwareId", package}, {"JobId", job}};
  std::string task = console.TaskOf(job, LampName(1));
  CheckAll(
      console, good,
      {{"QueryOTAJob", {{"JobId", "-"}}, "iot.firmware.NullOTAJobId"},
       {"QueryOTAJob", {{"JobId", task}}, "iot.firmware.InvalidOTAJobId"},
       {"UpdateOTAJob", {{"MaximumPerMinute", "9"}}, "iot.firmware.InvalidMaximumPerMinute"},
       {"PauseOTAJob", {{"JobId", "x"}}, "iot.firmware.InvalidOTAJobId"},
       {"ResumeOTAJob", {{"JobId", "x"}}, "iot.firmware.InvalidOTAJobId"},
       {"CancelOTAStrategyByJob", {}, "iot.firmware.NotDynamicJob"},
       {"CancelOTATaskByJob",
        {{"CancelScheduledTask", "true"}},
        "iot.firmware.JobHasNoScheduleTime"},
       {"CancelOTATaskByJob", {{"CancelQueuedTask", "x"}}, "iot.common.InvalidFormattedParameter"},
       {"ListOTATaskByJob", {{"TaskStatus", "LOST"}}, "iot.firmware.InvalidTaskStatus"},
       {"ListOTATaskByJob", {{"PageSize", "101"}}, "iot.common.InvalidPageParams"},
       {"ListOTATaskByJob", {{"NextToken", job}}, "iot.common.InvalidPageParams"},
       {"ListOTATaskByJob", names, "iot.firmware.ParameterSizeExceedMax"},
       {"ListOTATaskByFirmware", {{"FirmwareId", job}}, "iot.firmware.InvalidFirmwareId"},
       {"QueryOTATaskCounts", {{"FirmwareId", "-"}, {"JobId", "-"}}, "iot.firmware.NullOTAJobId"},
       {"ListOTAJobByFirmware",
        {{"CurrentPage", "1"}, {"PageSize", "201"}},
        "iot.common.InvalidPageParams"},
       {"ListOTAJobByDevice",
        {{"CurrentPage", "1"}, {"PageSize", "1"}},
        "iot.device.NullDeviceName"},
       {"ListOTAUnfinishedTaskByDevice",
        {{"DeviceName", "lamp-0001"}, {"TaskStatus", "FAILED"}},
        "iot.firmware.InvalidTaskStatus"},
       {"ListOTAUnfinishedTaskByDevice",
        {{"DeviceName", "lamp-0001"}, {"TaskStatus", "QUEUED"}, {"TaskStatusList.1", "QUEUED"}},
        "iot.firmware.InvalidTaskStatus"},
       {"ListOTAModuleVersionsByDevice", {{"IotId", "x"}}, "iot.device.InvalidIoTId"},
       {"CancelOTATaskByDevice", {{"DeviceName.1", "nobody"}}, "iot.device.NotExistedDevice"},
       {"CancelOTATaskByDevice", devices, "iot.firmware.ParameterSizeExceedMax"},
       {"CancelOTATaskByDevice",
        {{"DeviceName.1", "lamp-0001"}, {"DeviceName.2", "lamp-0001"}},
        "iot.firmware.BatchCancelDeviceUpgradeFailed"},
       {"ConfirmOTATask", {{"TaskId.1", "x"}}, "iot.firmware.InvalidOTATaskId"},
       {"ConfirmOTATask", eleven, "iot.firmware.ParameterSizeExceedMax"},
       {"ConfirmOTATask", {{"TaskId.1", task}}, "iot.firmware.IncorrectDeviceUpgradeJobStatus"},
       {"ReupgradeOTATask", {{"TaskId.1", task}}, "iot.firmware.IncorrectDeviceUpgradeJobStatus"},
       {"ExplainOTATask", {{"TaskId", "x"}}, "iot.firmware.InvalidOTATaskId"},
       {"DeleteOTAFirmware", {}, "iot.firmware.DeleteFirmwareFailure"}});
}

TEST_CASE("wrong products, modules and devices are refused, each with its code", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1);
  Parameters states = {};
  for (int i = 1; i <= 51; ++i) states["DeviceName." + std::to_string(i)] = LampName(i);
  Parameters good = {{"ProductKey", product}};
  CheckAll(
      console, good,
      {{"CreateProduct", {{"NodeType", "0"}}, "iot.prod.NullProductName"},
       {"CreateProduct", {{"NodeType", "2"}, {"ProductName", "name"}}, "iot.prod.InvalidNodeType"},
       {"CreateProduct",
        {{"NodeType", "0"}, {"ProductName", "abc"}},
        "iot.prod.InvalidFormattedProductName"},
       {"CreateProduct",
        {{"NodeType", "0"}, {"ProductName", "street_lamp"}},
        "iot.prod.AlreadyExistedProductName"},
       {"CreateProduct",
        {{"NodeType", "0"}, {"ProductName", "name"}, {"Description", std::string(101, 'x')}},
        "iot.prod.LongProductDesc"},
       {"CreateProduct",
        {{"NodeType", "0"}, {"ProductName", "name"}, {"AuthType", "x509"}},
        "iot.common.InvalidFormattedParameter"},
       {"UpdateProduct", {{"ProductKey", "none"}}, "iot.prod.NotExistedProduct"},
       {"DeleteProduct", {}, "iot.common.QueryProductActionError"},
       {"QueryProductList",
        {{"CurrentPage", "1"}, {"PageSize", "201"}},
        "iot.common.InvalidPageParams"},
       {"CreateOTAModule", {{"ModuleName", "a b"}}, "iot.firmware.IncorrectFormattedModuleName"},
       {"CreateOTAModule",
        {{"ModuleName", std::string(65, 'x')}},
        "iot.ota.CreateOTAModuleParamError"},
       {"UpdateOTAModule", {{"ModuleName", "none"}}, "iot.ota.OTAModuleNotExist"},
       {"ListOTAVersionsInUse", {{"ModuleName", "none"}}, "iot.ota.OTAModuleNotExist"},
       {"ListOTADevicesByVersion", {}, "iot.firmware.NullSrcVersions"},
       {"ListOTADevicesByVersion",
        {{"SrcVersion.1", "1"}, {"NextToken", "x"}},
        "iot.common.InvalidPageParams"},
       {"RegisterDevice", {{"DeviceName", "abc"}}, "iot.device.InvalidFormattedDeviceName"},
       {"RegisterDevice", {{"DeviceName", "lamp-0001"}}, "iot.device.AlreadyExistedDeviceName"},
       {"RegisterDevice", {{"Nickname", "abc"}}, "iot.common.InvalidFormattedParameter"},
       {"QueryDevice", {{"PageSize", "51"}}, "iot.common.InvalidPageParams"},
       {"QueryDeviceDetail", {}, "iot.device.NullDeviceName"},
       {"QueryDeviceDetail", {{"ProductKey", "-"}, {"DeviceName", "x"}}, "iot.prod.NullProductKey"},
       {"QueryDeviceDetail", {{"DeviceName", "nobody"}}, "iot.device.NotExistedDevice"},
       {"GetDeviceStatus", {{"IotId", "x"}}, "iot.device.InvalidIoTId"},
       {"BatchGetDeviceState", {}, "iot.device.NullDeviceName"},
       {"BatchGetDeviceState", {{"IotId.1", "x"}}, "iot.device.InvalidIoTId"},
       {"BatchGetDeviceState", states, "iot.device.DeviceCountExceeded"},
       {"DeleteDevice", {{"DeviceName", "nobody"}}, "iot.device.NotExistedDevice"},
       {"DisableThing", {{"DeviceName", "nobody"}}, "iot.device.NotExistedDevice"},
       {"EnableThing", {{"DeviceName", "nobody"}}, "iot.device.NotExistedDevice"},
       {"BatchRegisterDevice", {{"Count", "0"}}, "iot.device.DeviceCountExceeded"},
       {"BatchCheckDeviceNames", {}, "iot.device.NullDeviceName"},
       {"BatchRegisterDeviceWithApplyId", {{"ApplyId", "7"}}, "iot.device.DeviceApplyIsNotFound"},
       {"BatchRegisterDeviceWithApplyId", {{"ApplyId", "x"}}, "iot.device.InvalidFormattedApplyId"},
       {"QueryPageByApplyId",
        {{"ApplyId", "7"}, {"CurrentPage", "1"}, {"PageSize", "51"}},
        "iot.common.InvalidPageParams"},
       {"UpdateAccessKey", {{"TargetAccessKeyId", "none"}}, "iot.common.InvalidTenant"}});
}

}  // namespace
}  // namespace updraft
