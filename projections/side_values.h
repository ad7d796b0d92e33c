// What the sidecar holds under its keys. An event names the record; here is what must not stand in
// an event: names and secrets of devices. A product's and an access key's secret, and the words of
// devices, lie under their keys as they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "events/log/side_keys.h"

namespace updraft {

struct DevicePrivate {
  std::string salt;  // 16 random bytes, so that the commitment cannot be guessed from a name.
  std::string name;
  std::string secret;
  std::string nickname;

  // The head of SHA-256 over all of it: what the events hold in its place.
  std::string Commitment() const;  // 16 bytes.
};

std::string EncodeDevicePrivate(const DevicePrivate& value);
std::optional<DevicePrivate> DecodeDevicePrivate(std::string_view bytes);
// Its name alone, within `bytes`.
std::optional<std::string_view> NameInDevicePrivate(std::string_view bytes);

}  // namespace updraft
