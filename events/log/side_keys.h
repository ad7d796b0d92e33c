// The keys of the sidecar. A key is a byte for its kind, the id that it belongs to, and for a
// device's words the number of an event, all big-endian: all that is kept of one id is one prefix a
// kind, and no id's prefix begins another's. What lies under a key its writer knows; see
// projections/side_values.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "events/base/ids.h"

namespace updraft {

// What all keys of SideKeyOfDevice begin with, and no others, for scans.
inline constexpr std::string_view kDeviceSideKeys = "d";

std::string SideKeyOfDevice(DeviceId device);     // Name, secret, nickname and salt.
std::string SideKeyOfProduct(ProductId product);  // The product's secret.
std::string SideKeyOfKey(KeyId key);              // The access key's secret.
// A device's words with one event. The empty `event` gives the prefix of all its words.
std::string SideKeyOfText(DeviceId device, std::optional<Seq> event);

// The device of a key made by SideKeyOfDevice; 0 for any other key.
DeviceId DeviceOfSideKey(std::string_view key);

}  // namespace updraft
