// The keys of the sidecar. A key is a byte for its kind, the id that it belongs to, and for some
// kinds the number of an event, all big-endian: all that is kept of one id is one prefix a kind,
// and no id's prefix begins another's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/base/ids.h"

namespace updraft {

enum class SideKind : char {
  kDevice = 'd',      // Name, secret, nickname and salt of a device.
  kDeviceText = 't',  // A device's words in its report, by the event's number.
  kProductSecret = 'p',
  kAccessKeySecret = 'k',
};

// A key taken apart.
struct SideKey {
  SideKind kind;
  uint32_t id = 0;
  Seq seq;  // 0 but for kDeviceText.

  friend bool operator==(const SideKey&, const SideKey&) = default;
};

std::string DeviceSideKey(DeviceId device);
std::string DeviceTextSideKey(DeviceId device, Seq event);
// What all keys of the device's words begin with, for scans and erasing.
std::string DeviceTextsPrefix(DeviceId device);
std::string ProductSecretSideKey(ProductId product);
std::string AccessKeySideKey(KeyId key);

// Nothing when it is no key of a kind above.
std::optional<SideKey> ParseSideKey(std::string_view key);

}  // namespace updraft
