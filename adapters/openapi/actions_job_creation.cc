// Creating batches (升级批次, `Job` in the API): verification, static and dynamic ones.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "adapters/openapi/actions.h"
#include "adapters/openapi/device_list.h"
#include "adapters/openapi/lookups.h"
#include "adapters/openapi/strategy.h"
#include "adapters/openapi/uploads.h"
#include "engine/refusals.h"

namespace updraft::openapi {
namespace {

// The bad rows of a device list, the first of them in the message, all behind a link.
Status TellBadRows(const Call& call, const std::vector<ListedDevice>& list,
                   const TargetProblems& problems) {
  BadRows bad = DescribeBadRows(list, problems);
  const OpenApiOptions& options = call.service.options;
  std::string name = call.service.list_reports.Add(std::move(bad.csv));
  return ApiError("iot.device.InvalidFormattedDeviceName",
                  fmt::format("{} All of them: {}{}/{}", bad.message, options.public_url(),
                              options.device_lists_path, name));
}

// `list` is where the command's names are from; empty when they are the call's own.
void SubmitBatch(const CallPtr& call, CreateBatch command, std::vector<ListedDevice> list = {}) {
  auto on_outcome = [call, list = std::move(list)](const Outcome& outcome) {
    if (const auto* problems = std::get_if<TargetProblems>(&outcome.answer); problems != nullptr) {
      return call->Refuse(list.empty() ? outcome.status : TellBadRows(*call, list, *problems));
    }
    if (outcome.status.reason() == refusal::kSourceVersionMismatch) {
      // It is SrcVersion that does not fit, and no device.
      return call->Refuse("iot.firmware.UpgradeSrcVersionMismatch", outcome.status.message());
    }
    if (!outcome.ok()) return call->Refuse(outcome.status);
    const auto& created = std::get<CreatedBatch>(outcome.answer);
    Json data = {{"JobId", call->service.ids.Show(created.batch)},
                 {"UtcCreate", UtcTime(outcome.time_ms)}};
    PutText(data, "Warning", created.warning);
    call->Answer({{"Data", data}});
  };
  Status status =
      call->service.engine.Submit(std::move(command), std::move(on_outcome), call->origin);
  if (!status.ok()) call->Refuse(status);
}

// What all three kinds have in common.
Result<CreateBatch> ReadBatchOrder(const Call& call) {
  const Arguments& given = call.arguments;
  CreateBatch command;
  command.product_key = given.Text("ProductKey");
  ASSIGN_OR_RETURN(command.package, ReadPackage(call));
  command.timeout_minutes = static_cast<uint32_t>(given.Number("TimeoutInMinutes").value_or(0));
  command.need_push = *given.Flag("NeedPush");
  command.need_confirm = *given.Flag("NeedConfirm");
  ASSIGN_OR_RETURN(command.tags, ReadTags(call));
  return command;
}

// What a static and a dynamic one have in common beyond that.
Result<CreateBatch> ReadUpgradeOrder(const Call& call) {
  const Arguments& given = call.arguments;
  ASSIGN_OR_RETURN(CreateBatch command, ReadBatchOrder(call));
  command.source_versions = given.Texts("SrcVersion");
  command.push_per_minute = static_cast<uint32_t>(*given.Number("MaximumPerMinute"));
  if (std::optional<int64_t> minutes = given.Number("RetryInterval")) {
    command.retry_minutes = static_cast<uint32_t>(*minutes);
  }
  command.retry_count = static_cast<uint32_t>(given.Number("RetryCount").value_or(0));
  command.override_others = given.Number("OverwriteMode") == 2;
  command.multi_module = *given.Flag("MultiModuleMode");
  return command;
}

void OnCreateVerifyJob(const CallPtr& call) {
  Result<CreateBatch> command = ReadBatchOrder(*call);
  if (!command.ok()) return call->Refuse(command.status());
  command->verification = true;
  command->device_names = call->arguments.Texts("TargetDeviceName");
  SubmitBatch(call, *std::move(command));
}

void OnCreateDynamicJob(const CallPtr& call) {
  Result<CreateBatch> command = ReadUpgradeOrder(*call);
  if (!command.ok()) return call->Refuse(command.status());
  command->dynamic = true;
  command->only_new_reports = call->arguments.Number("DynamicMode") == 2;
  SubmitBatch(call, *std::move(command));
}

// `33.333` to 33,333 thousandths; nothing for anything but digits with at most three decimals.
std::optional<uint32_t> ToThousandths(std::string_view percent) {
  size_t point = std::min(percent.find('.'), percent.size());
  std::string_view whole = percent.substr(0, point);
  std::string_view decimals = percent.substr(std::min(point + 1, percent.size()));
  bool has_point = point < percent.size();
  if (whole.empty() || whole.size() > 3 || decimals.size() > 3 || (has_point && decimals.empty())) {
    return std::nullopt;
  }
  std::string digits = std::string(whole) + std::string(decimals);
  digits.append(3 - decimals.size(), '0');
  uint32_t thousandths = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), thousandths);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return thousandths;
}

Status ReadGray(const Arguments& given, CreateBatch& command) {
  if (!given.Has("GrayPercent")) {
    return ApiError("iot.firmware.NullGrayPercent", "a gray batch needs GrayPercent");
  }
  std::optional<uint32_t> thousandths = ToThousandths(given.Text("GrayPercent"));
  if (!thousandths) {
    return ApiError("iot.firmware.BadlyFormattedGrayPercent",
                    "GrayPercent is a number with at most three decimals, such as 33.33");
  }
  command.scope = Scope::kGray;
  command.gray_thousandths = *thousandths;
  return OkStatus();
}

Status ReadTargets(const Call& call, CreateBatch& command) {
  const Arguments& given = call.arguments;
  const std::string& selection = given.Text("TargetSelection");
  command.device_names = given.Texts("TargetDeviceName");
  bool by_file = given.Has("DnListFileUrl");
  if (by_file && (selection != "SPECIFIC" || !command.device_names.empty())) {
    return ApiError("iot.firmware.TargetDeviceNamesNotAllowed",
                    "a device list goes with TargetSelection=SPECIFIC, and in place of names");
  }
  if (selection == "GRAY") return ReadGray(given, command);
  if (selection == "SPECIFIC") command.scope = Scope::kSpecific;
  return OkStatus();
}

void SubmitBatchOverList(const CallPtr& call, CreateBatch command) {
  Result<std::string> text = ReadUploadedDeviceList(*call, call->arguments.Text("DnListFileUrl"));
  if (!text.ok() && call->repeat) text = std::string();
  if (!text.ok()) return call->Refuse(text.status());
  std::vector<ListedDevice> list = ParseDeviceList(*text);
  if (list.size() > kDeviceListRowsMax) {
    return call->Refuse(
        "iot.firmware.ParameterSizeExceedMax",
        fmt::format("the device list has {} rows of at most {}", list.size(), kDeviceListRowsMax));
  }
  command.names_from_file = true;
  for (const ListedDevice& device : list) command.device_names.push_back(device.name);
  SubmitBatch(call, std::move(command), std::move(list));
}

void OnCreateStaticJob(const CallPtr& call) {
  Result<CreateBatch> command = ReadUpgradeOrder(*call);
  if (!command.ok()) return call->Refuse(command.status());
  command->start_ms = call->arguments.Number("ScheduleTime").value_or(0);
  command->end_ms = call->arguments.Number("ScheduleFinishTime").value_or(0);
  if (Status status = ReadTargets(*call, *command); !status.ok()) return call->Refuse(status);
  if (call->arguments.Has("DnListFileUrl")) {
    SubmitBatchOverList(call, *std::move(command));
  } else {
    SubmitBatch(call, *std::move(command));
  }
}

std::vector<Parameter> BatchParameters() {
  return {
      FirmwareIdParameter().Required(),
      ProductKeyParameter().Required(),
      TimeoutParameter(),
      Flag("NeedPush", "false: devices must ask by themselves.").Default("true"),
      Flag("NeedConfirm", "true: each task waits for ConfirmOTATask.").Default("false"),
      Choice("DownloadProtocol", "Downloads over MQTT are not built.", "HTTPS").Default("HTTPS"),
      TagsParameter(),
      ClientTokenParameter()};
}

std::vector<Parameter> UpgradeParameters() {
  return Join(
      BatchParameters(),
      {SourceVersionsParameter(), PushRateParameter().Default("1000"),
       Number("RetryInterval",
              "Minutes until a failed upgrade is tried again: 0, 10, 30, 60 or "
              "1440; below the timeout.",
              0, 1'440)
           .Codes("", "iot.firmware.InvalidRetryInterval"),
       Number("RetryCount", "1, 2 or 5; with RetryInterval.", 1, 5)
           .Codes("", "iot.firmware.InvalidRetryCount"),
       Number("OverwriteMode",
              "1: a device with another open task is left to it. 2: "
              "the other one is cancelled unless the device is upgrading.",
              1, 2)
           .Codes("", "iot.firmware.InvalidOverwriteMode")
           .Default("1"),
       Flag("MultiModuleMode", "Accepted; modules of a device are independent in any case.")
           .Default("false"),
       NotBuilt("GroupId", "device groups are not built; name devices or choose by version"),
       NotBuilt("GroupType", "device groups are not built; name devices or choose by version")});
}

}  // namespace

const std::vector<Action>& JobCreationActions() {
  static const std::vector<Action> kActions = {
      {.name = "CreateOTAVerifyJob",
       .about = "Verifies a package on 1 to 10 named devices. When all succeed it is verified.",
       .run = OnCreateVerifyJob,
       .parameters = Join(BatchParameters(), {Texts("TargetDeviceName", "Names of devices.", 10)
                                                  .Codes("iot.firmware.NullTargetDeviceNames",
                                                         "iot.firmware.ParameterSizeExceedMax")
                                                  .Required()
                                                  .Example("lamp-0001")})},
      {.name = "CreateOTAStaticUpgradeJob",
       .about = "Upgrades the devices that match now: all of them, named ones or a part of them.",
       .calls_per_second = 20,
       .run = OnCreateStaticJob,
       .parameters = Join(
           UpgradeParameters(),
           {Choice("TargetSelection", "Groups of devices are not built.", "ALL|SPECIFIC|GRAY")
                .Codes("iot.firmware.NullTargetSelection", "iot.firmware.InvalidTargetSelection")
                .Required()
                .Example("ALL"),
            Texts("TargetDeviceName", "With SPECIFIC: up to 200 names.", 200)
                .Codes("", "iot.firmware.ParameterSizeExceedMax"),
            Text("DnListFileUrl",
                 "With SPECIFIC, in place of names: from "
                 "GenerateDeviceNameListURL, once a .csv is posted.",
                 1, 2'000),
            Text("GrayPercent", "With GRAY: above 0 to 100, at most three decimals.", 1, 16)
                .Codes("", "iot.firmware.BadlyFormattedGrayPercent"),
            Number("ScheduleTime",
                   "When it starts, in milliseconds since 1970: 5 minutes to 7 "
                   "days ahead.",
                   1, kTimeMsMax),
            Number("ScheduleFinishTime", "When it ends: 1 hour to 30 days after the start.", 1,
                   kTimeMsMax)})},
      {.name = "CreateOTADynamicUpgradeJob",
       .about = "Upgrades the devices that match now and those that match later.",
       .calls_per_second = 20,
       .run = OnCreateDynamicJob,
       .parameters =
           Join(UpgradeParameters(), {Number("DynamicMode",
                                             "1: present devices and later ones. 2: only "
                                             "devices that report another version from now on.",
                                             1, 2)
                                          .Codes("", "iot.firmware.InvalidDynamicMode")
                                          .Default("1")})},
  };
  return kActions;
}

}  // namespace updraft::openapi
