#include "adapters/openapi/strategy.h"

#include <fmt/format.h>

#include "adapters/wire/upgrade_notice.h"

namespace updraft::openapi {

Parameter PushRateParameter() {
  return Number("MaximumPerMinute", "How many devices are told in a minute.", kPushPerMinuteMin,
                kPushPerMinuteMax)
      .Codes("", "iot.firmware.InvalidMaximumPerMinute")
      .Example("100");
}

Parameter TimeoutParameter() {
  return Number("TimeoutInMinutes", "Counted from a device's first progress report.", 1, 1'440)
      .Codes("", "iot.firmware.InvalidTimeoutSetting")
      .Example("60");
}

Parameter SourceVersionsParameter() {
  return Texts("SrcVersion", "Only devices that run one of these versions; at most 10.", 10)
      .Codes("iot.firmware.NullSrcVersions", "iot.firmware.SrcVersionsSizeExceedMax")
      .Example("1.0.0");
}

Parameter TagsParameter() {
  return Pairs("Tag", "Goes to devices with the notice; at most 10.", "Key", "Value", 10);
}

Result<std::vector<std::pair<std::string, std::string>>> ReadTags(const Call& call) {
  for (const auto& [key, value] : call.arguments.Pairs("Tag")) {
    if (IsReservedName(key)) {
      return ApiError("iot.common.InvalidFormattedParameter",
                      fmt::format("the tag '{}' cannot be: devices in the field take it for a "
                                  "field of the upgrade notice",
                                  key));
    }
    if (!HasSafeBraces(value)) {
      return ApiError("iot.common.InvalidFormattedParameter",
                      fmt::format("the braces in the value of tag '{}' do not match; devices in "
                                  "the field count them",
                                  key));
    }
  }
  return call.arguments.Pairs("Tag");
}

}  // namespace updraft::openapi
