#include "adapters/openapi/service.h"

#include "events/log/event_log.h"

namespace updraft::openapi {

std::string Service::Side(const std::string& key) const {
  Result<std::string> value = engine.log().ReadSide(key);
  return value.ok() ? *std::move(value) : std::string();
}

DevicePrivate Service::PrivateOf(DeviceId device) const {
  return DecodeDevicePrivate(Side(SideKeyOfDevice(device))).value_or(DevicePrivate{});
}

}  // namespace updraft::openapi
