#include "adapters/openapi/not_built.h"

namespace updraft::openapi {
namespace {

// Parts of the published API that go with upgrades where they come from, by what their actions'
// names have in them.
struct NotBuiltPart {
  std::string_view in_name;
  std::string_view why;
};
constexpr NotBuiltPart kNotBuilt[] = {
    {"DeviceGroup",
     "device groups are not built; name devices in a batch, or choose them by version"},
    {"ThingModel", "thing models are not built"},
    {"Publish", "there is nothing to publish here; devices get upgrade notices only"},
    {"Pub", "messages of one's own to devices are not built; devices get upgrade notices only"},
    {"RRpc", "messages of one's own to devices are not built; devices get upgrade notices only"},
    {"ThingTemplate", "thing models are not built"},
    {"ThingService", "thing models are not built"},
    {"DeviceProperty", "thing models are not built"},
    {"DesiredProperty", "thing models are not built"},
    {"ThingTopo", "gateways with devices behind them are not built; each device connects itself"},
    {"Subscribe", "subscriptions are not built; follow the events, GET /events"},
    {"ConsumerGroup", "subscriptions are not built; follow the events, GET /events"},
};

}  // namespace

std::string_view WhyNotBuilt(std::string_view action) {
  for (const NotBuiltPart& part : kNotBuilt) {
    if (action.find(part.in_name) != action.npos) return part.why;
  }
  return "";
}

}  // namespace updraft::openapi
