#include "adapters/openapi/refusal_codes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/refusals.h"

namespace updraft::openapi {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// The vendor publishes the codes and not what makes them come up; where there is none for a rule,
// the nearest one is used.
constexpr Pair kCodes[] = {
    {refusal::kUnknownProduct, "iot.prod.NotExistedProduct"},
    {refusal::kUnknownModule, "iot.ota.OTAModuleNotExist"},
    {refusal::kUnknownDevice, "iot.device.NotExistedDevice"},
    {refusal::kUnknownPackage, "iot.firmware.FirmwareNotFound"},
    {refusal::kUnknownBatch, "iot.firmware.InvalidOTAJobId"},
    {refusal::kUnknownTask, "iot.firmware.InvalidOTATaskId"},
    {refusal::kUnknownKey, "iot.common.InvalidTenant"},

    {refusal::kProductNameTaken, "iot.prod.AlreadyExistedProductName"},
    {refusal::kProductKeyTaken, "iot.prod.AlreadyExistedProductName"},
    {refusal::kProductNotEmpty, "iot.common.QueryProductActionError"},
    {refusal::kProductNameMalformed, "iot.prod.InvalidFormattedProductName"},
    {refusal::kProductKeyMalformed, "iot.prod.InvalidFormattedProductkey"},
    {refusal::kModuleNameMalformed, "iot.firmware.IncorrectFormattedModuleName"},
    {refusal::kModuleNameTaken, "iot.ota.CreateOTAModuleNameExist"},
    {refusal::kModuleNameReserved, "iot.firmware.ModuleNameReserved"},
    {refusal::kTooManyModules, "iot.ota.CreateOTAModuleExceedLimit"},
    {refusal::kModuleHasPackages, "iot.ota.DeleteOTAModulePackageExist"},
    {refusal::kDefaultModuleStays, "iot.ota.DeleteOtaDefaultModule"},

    {refusal::kDeviceNameMalformed, "iot.device.InvalidFormattedDeviceName"},
    {refusal::kDeviceNameTaken, "iot.device.AlreadyExistedDeviceName"},
    {refusal::kNicknameMalformed, "iot.common.InvalidFormattedParameter"},
    {refusal::kSecretMalformed, "iot.common.InvalidFormattedParameter"},
    {refusal::kTooManyDevices, "iot.device.DeviceCountExceeded"},
    {refusal::kTooManyModulesOnDevice, "iot.firmware.ModuleCountLimitExceeded"},
    {refusal::kVersionMalformed, "iot.firmware.IncorrectFormattedFirmwareVersion"},
    {refusal::kOtherVersionKnown, "iot.common.InvalidFormattedParameter"},
    {refusal::kLastFormalKey, "iot.common.InvalidTenant"},
    {refusal::kKeyTaken, "iot.common.InvalidTenant"},
    {refusal::kFormalUserOnly, "iot.common.AuthActionPermissionDeny"},

    {refusal::kPackageNameMalformed, "iot.firmware.IncorrectFormattedFirmwareName"},
    {refusal::kPackageNameTaken, "iot.firmware.AlreadyExistedFirmwareName"},
    {refusal::kPackageVersionMalformed, "iot.firmware.IncorrectFormattedFirmwareVersion"},
    {refusal::kPackageVersionTaken, "iot.firmware.AlreadyExistedFirmwareVersion"},
    {refusal::kSourceVersionMissing, "iot.firmware.SrcVersionIsMandatory"},
    {refusal::kSourceVersionMalformed, "iot.firmware.IncorrectFormattedSrcVersion"},
    {refusal::kSourceIsTarget, "iot.firmware.SrcDestVersionMatched"},
    {refusal::kPackageFileInvalid, "iot.firmware.EmptyFirmwareFile"},
    {refusal::kDescriptionTooLong, "iot.firmware.FirmwareDescriptionExceedMaxLength"},
    {refusal::kUdiTooLong, "iot.common.InvalidFormattedParameter"},
    {refusal::kUdiMalformed, "iot.common.InvalidFormattedParameter"},
    {refusal::kTooManyPackages, "iot.firmware.FirmwareCountExceedMax"},
    {refusal::kPackageInUse, "iot.firmware.DeleteFirmwareFailure"},
    {refusal::kPackageNotVerified, "iot.firmware.FirmwareNotVerified"},
    {refusal::kVerificationRunning, "iot.firmware.InProgressVerifyJobExisted"},
    {refusal::kAlreadyVerified, "iot.firmware.VerifyFirmwareFailed"},
    {refusal::kPackageOfOtherProduct, "iot.firmware.FirmwareAndProductKeyMismatch"},

    {refusal::kTargetsMissing, "iot.firmware.NullTargetDeviceNames"},
    {refusal::kTargetsNotAllowed, "iot.firmware.TargetDeviceNamesNotAllowed"},
    {refusal::kTooManyTargets, "iot.firmware.ParameterSizeExceedMax"},
    {refusal::kTargetsInvalid, "iot.device.NotExistedDevice"},
    {refusal::kNoDeviceCanUpgrade, "iot.firmware.NoDeviceCanUpgrade"},
    {refusal::kSourceVersionsNotAllowed, "iot.firmware.SrcVersionsNotAllowed"},
    {refusal::kSourceVersionsMissing, "iot.firmware.NullSrcVersions"},
    {refusal::kTooManySourceVersions, "iot.firmware.SrcVersionsSizeExceedMax"},
    {refusal::kDuplicateSourceVersion, "iot.firmware.IncorrectFormattedSrcVersion"},
    {refusal::kMoreThanOneSourceVersion, "iot.firmware.MoreThanOneSrcVersion"},
    {refusal::kSourceVersionMismatch, "iot.firmware.SrcVersionMismatch"},
    {refusal::kDeviceVersionUnknown, "iot.firmware.NonVersionedDeviceInArray"},
    {refusal::kGrayPercentMissing, "iot.firmware.NullGrayPercent"},
    {refusal::kGrayPercentInvalid, "iot.firmware.InvalidGrayPercent"},
    {refusal::kGrayNeedsStatic, "iot.firmware.GrayAppliesToStaticOnly"},
    {refusal::kDynamicNeedsAll, "iot.firmware.DynamicSpecificNotSupported"},
    {refusal::kDynamicBatchExists, "iot.firmware.InProgressDynamicJobExisted"},
    {refusal::kDynamicCannotBeScheduled, "iot.firmware.JobHasNoScheduleTime"},

    {refusal::kPaceInvalid, "iot.firmware.InvalidMaximumPerMinute"},
    {refusal::kTimeoutInvalid, "iot.firmware.InvalidTimeoutSetting"},
    {refusal::kRetryIntervalInvalid, "iot.firmware.InvalidRetryInterval"},
    {refusal::kRetryCountInvalid, "iot.firmware.InvalidRetryCount"},
    {refusal::kRetryNotBelowTimeout, "iot.firmware.InvalidRetryInterval"},
    {refusal::kStartInPast, "iot.firmware.FireTimeMustLargeThanCurrentTime"},
    {refusal::kStartTooSoon, "iot.firmware.FireTimeTooShort"},
    {refusal::kStartTooLate, "iot.firmware.FireTimeTooLate"},
    {refusal::kEndWithoutStart, "iot.firmware.ScheduleFinishTimeWithoutStartTime"},
    {refusal::kEndBeforeStart, "iot.firmware.ScheduleFinishTimeEarlierThanStartTime"},
    {refusal::kEndTooSoon, "iot.firmware.ScheduleFinishTimeTooEarly"},
    {refusal::kEndTooLate, "iot.firmware.ScheduleFinishTimeTooLate"},
    {refusal::kTagsInvalid, "iot.common.InvalidFormattedParameter"},
    {refusal::kDuplicateTag, "iot.ota.tag.KeyDuplicated"},
    {refusal::kOverrideNotWithMultiModule, "iot.firmware.InvalidOverwriteMode"},

    {refusal::kCancelOptionMissing, "iot.firmware.CancelOptionIsMandatory"},
    {refusal::kNotScheduled, "iot.firmware.JobHasNoScheduleTime"},
    {refusal::kNotDynamic, "iot.firmware.NotDynamicJob"},
    {refusal::kAlreadyCanceled, "iot.firmware.JobAlreadyCanceled"},
    {refusal::kBatchEnded, "iot.firmware.JobAlreadyCanceled"},
    {refusal::kTooManyTasks, "iot.firmware.ParameterSizeExceedMax"},
    {refusal::kDuplicateDevice, "iot.firmware.BatchCancelDeviceUpgradeFailed"},
    {refusal::kNoSuchUpgrade, "iot.firmware.DeviceUpgradeRecordNotFound"},
    {refusal::kWrongTaskState, "iot.firmware.IncorrectDeviceUpgradeJobStatus"},
    {refusal::kOutsideSchedule, "iot.firmware.InvalidTaskStatus"},
    {refusal::kOtherTaskOpen, "iot.firmware.IncorrectDeviceUpgradeJobStatus"},

    {refusal::kTokenOfOtherOrder, "IdempotentParameterMismatch"},
    {refusal::kCreatedIsGone, "IdempotentResourceNotFound"},

    {refusal::kNoOpenTask, "iot.firmware.DeviceUpgradeRecordNotFound"},
    {refusal::kNotPushed, "iot.firmware.IncorrectDeviceUpgradeJobStatus"},

    {refusal::kInboxFull, "ServiceUnavailable"},
    {refusal::kEngineStopped, "ServiceUnavailable"},
    {refusal::kLogFailed, "ServiceUnavailable"},
    {refusal::kClockHeld, "iot.firmware.SystemBusy"},
};

}  // namespace

std::string_view CodeOfRefusal(std::string_view name) {
  auto found = std::find_if(std::begin(kCodes), std::end(kCodes),
                            [&](const Pair& pair) { return pair.first == name; });
  return found == std::end(kCodes) ? std::string_view() : found->second;
}

}  // namespace updraft::openapi
