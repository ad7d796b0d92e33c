// The stable names of the rules that refuse a command. Scripts and adapters match on them: they are
// never renamed. What each means, and what to do, is in the message that comes with it.
#pragma once

#include <string_view>

namespace updraft::refusal {

using Name = const std::string_view;

// Lookups.
inline constexpr Name kUnknownProduct = "UNKNOWN_PRODUCT";
inline constexpr Name kUnknownModule = "UNKNOWN_MODULE";
inline constexpr Name kUnknownDevice = "UNKNOWN_DEVICE";
inline constexpr Name kUnknownPackage = "UNKNOWN_PACKAGE";
inline constexpr Name kUnknownBatch = "UNKNOWN_BATCH";
inline constexpr Name kUnknownTask = "UNKNOWN_TASK";
inline constexpr Name kUnknownKey = "UNKNOWN_KEY";

// Products and modules.
inline constexpr Name kProductNameTaken = "PRODUCT_NAME_TAKEN";
inline constexpr Name kProductKeyTaken = "PRODUCT_KEY_TAKEN";
inline constexpr Name kProductNotEmpty = "PRODUCT_NOT_EMPTY";
inline constexpr Name kProductNameMalformed = "PRODUCT_NAME_MALFORMED";
inline constexpr Name kProductKeyMalformed = "PRODUCT_KEY_MALFORMED";
inline constexpr Name kModuleNameMalformed = "MODULE_NAME_MALFORMED";
inline constexpr Name kModuleNameTaken = "MODULE_NAME_TAKEN";
inline constexpr Name kModuleNameReserved = "MODULE_NAME_RESERVED";
inline constexpr Name kTooManyModules = "TOO_MANY_MODULES";
inline constexpr Name kModuleHasPackages = "MODULE_HAS_PACKAGES";
inline constexpr Name kDefaultModuleStays = "DEFAULT_MODULE_STAYS";

// Devices and keys.
inline constexpr Name kDeviceNameMalformed = "DEVICE_NAME_MALFORMED";
inline constexpr Name kDeviceNameTaken = "DEVICE_NAME_TAKEN";
inline constexpr Name kNicknameMalformed = "NICKNAME_MALFORMED";
inline constexpr Name kSecretMalformed = "SECRET_MALFORMED";
inline constexpr Name kTooManyDevices = "TOO_MANY_DEVICES";
inline constexpr Name kTooManyModulesOnDevice = "TOO_MANY_MODULES_ON_DEVICE";
inline constexpr Name kVersionMalformed = "VERSION_MALFORMED";
inline constexpr Name kOtherVersionKnown = "OTHER_VERSION_KNOWN";
inline constexpr Name kLastFormalKey = "LAST_FORMAL_KEY";
inline constexpr Name kKeyTaken = "KEY_TAKEN";
inline constexpr Name kFormalUserOnly = "FORMAL_USER_ONLY";

// Packages.
inline constexpr Name kPackageNameMalformed = "PACKAGE_NAME_MALFORMED";
inline constexpr Name kPackageNameTaken = "PACKAGE_NAME_TAKEN";
inline constexpr Name kPackageVersionMalformed = "PACKAGE_VERSION_MALFORMED";
inline constexpr Name kPackageVersionTaken = "PACKAGE_VERSION_TAKEN";
inline constexpr Name kSourceVersionMissing = "SOURCE_VERSION_MISSING";
inline constexpr Name kSourceVersionMalformed = "SOURCE_VERSION_MALFORMED";
inline constexpr Name kSourceIsTarget = "SOURCE_IS_TARGET";
inline constexpr Name kPackageFileInvalid = "PACKAGE_FILE_INVALID";
inline constexpr Name kDescriptionTooLong = "DESCRIPTION_TOO_LONG";
inline constexpr Name kUdiTooLong = "UDI_TOO_LONG";
inline constexpr Name kUdiMalformed = "UDI_MALFORMED";
inline constexpr Name kTooManyPackages = "TOO_MANY_PACKAGES";
inline constexpr Name kPackageInUse = "PACKAGE_IN_USE";
inline constexpr Name kPackageNotVerified = "PACKAGE_NOT_VERIFIED";
inline constexpr Name kVerificationRunning = "VERIFICATION_RUNNING";
inline constexpr Name kAlreadyVerified = "ALREADY_VERIFIED";
inline constexpr Name kPackageOfOtherProduct = "PACKAGE_OF_OTHER_PRODUCT";

// Batches: what they aim at.
inline constexpr Name kTargetsMissing = "TARGETS_MISSING";
inline constexpr Name kTargetsNotAllowed = "TARGETS_NOT_ALLOWED";
inline constexpr Name kTooManyTargets = "TOO_MANY_TARGETS";
inline constexpr Name kTargetsInvalid = "TARGETS_INVALID";
inline constexpr Name kNoDeviceCanUpgrade = "NO_DEVICE_CAN_UPGRADE";
inline constexpr Name kSourceVersionsNotAllowed = "SOURCE_VERSIONS_NOT_ALLOWED";
inline constexpr Name kSourceVersionsMissing = "SOURCE_VERSIONS_MISSING";
inline constexpr Name kTooManySourceVersions = "TOO_MANY_SOURCE_VERSIONS";
inline constexpr Name kDuplicateSourceVersion = "DUPLICATE_SOURCE_VERSION";
inline constexpr Name kMoreThanOneSourceVersion = "MORE_THAN_ONE_SOURCE_VERSION";
inline constexpr Name kSourceVersionMismatch = "SOURCE_VERSION_MISMATCH";
inline constexpr Name kDeviceVersionUnknown = "DEVICE_VERSION_UNKNOWN";
inline constexpr Name kGrayPercentMissing = "GRAY_PERCENT_MISSING";
inline constexpr Name kGrayPercentInvalid = "GRAY_PERCENT_INVALID";
inline constexpr Name kGrayNeedsStatic = "GRAY_NEEDS_STATIC";
inline constexpr Name kDynamicNeedsAll = "DYNAMIC_NEEDS_ALL";
inline constexpr Name kDynamicBatchExists = "DYNAMIC_BATCH_EXISTS";
inline constexpr Name kDynamicCannotBeScheduled = "DYNAMIC_CANNOT_BE_SCHEDULED";

// Batches: their strategy.
inline constexpr Name kPaceInvalid = "PACE_INVALID";
inline constexpr Name kTimeoutInvalid = "TIMEOUT_INVALID";
inline constexpr Name kRetryIntervalInvalid = "RETRY_INTERVAL_INVALID";
inline constexpr Name kRetryCountInvalid = "RETRY_COUNT_INVALID";
inline constexpr Name kRetryNotBelowTimeout = "RETRY_NOT_BELOW_TIMEOUT";
inline constexpr Name kStartInPast = "START_IN_PAST";
inline constexpr Name kStartTooSoon = "START_TOO_SOON";
inline constexpr Name kStartTooLate = "START_TOO_LATE";
inline constexpr Name kEndWithoutStart = "END_WITHOUT_START";
inline constexpr Name kEndBeforeStart = "END_BEFORE_START";
inline constexpr Name kEndTooSoon = "END_TOO_SOON";
inline constexpr Name kEndTooLate = "END_TOO_LATE";
inline constexpr Name kTagsInvalid = "TAGS_INVALID";
inline constexpr Name kDuplicateTag = "DUPLICATE_TAG";
inline constexpr Name kOverrideNotWithMultiModule = "OVERRIDE_NOT_WITH_MULTI_MODULE";

// Batches and tasks that are there.
inline constexpr Name kCancelOptionMissing = "CANCEL_OPTION_MISSING";
inline constexpr Name kNotScheduled = "NOT_SCHEDULED";
inline constexpr Name kNotDynamic = "NOT_DYNAMIC";
inline constexpr Name kAlreadyCanceled = "ALREADY_CANCELED";
inline constexpr Name kBatchEnded = "BATCH_ENDED";
inline constexpr Name kTooManyTasks = "TOO_MANY_TASKS";
inline constexpr Name kDuplicateDevice = "DUPLICATE_DEVICE";
inline constexpr Name kNoSuchUpgrade = "NO_SUCH_UPGRADE";
inline constexpr Name kWrongTaskState = "WRONG_TASK_STATE";
inline constexpr Name kOutsideSchedule = "OUTSIDE_SCHEDULE";
inline constexpr Name kOtherTaskOpen = "OTHER_TASK_OPEN";

// Calls that are sent again.
inline constexpr Name kTokenOfOtherOrder = "TOKEN_OF_OTHER_ORDER";
inline constexpr Name kCreatedIsGone = "CREATED_IS_GONE";

// Reports of devices.
inline constexpr Name kNoOpenTask = "NO_OPEN_TASK";
inline constexpr Name kNotPushed = "NOT_PUSHED";

// The engine itself.
inline constexpr Name kInboxFull = "INBOX_FULL";
inline constexpr Name kEngineStopped = "ENGINE_STOPPED";
inline constexpr Name kLogFailed = "LOG_FAILED";
inline constexpr Name kClockHeld = "CLOCK_HELD";

}  // namespace updraft::refusal
