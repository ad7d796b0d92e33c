// What the sidecar holds, as keys and values. An event names the record; here is what must not
// stand in an event: names, secrets, words of devices.
//
// Keys begin with a letter for the kind and the id in four bytes, big-endian, so that all about one
// device can be erased by a prefix.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/base/ids.h"

namespace updraft {

struct DevicePrivate {
  std::string salt;  // 16 random bytes, so that the commitment cannot be guessed from a name.
  std::string name;
  std::string secret;
  std::string nickname;

  // The head of SHA-256 over all of it: what the events hold in its place.
  std::string Commitment() const;  // 16 bytes.
};

std::string SideKeyOfDevice(DeviceId device);
std::string SideKeyOfProduct(ProductId product);  // The value is the product's secret.
std::string SideKeyOfKey(KeyId key);              // The value is the access key's secret.
// A device's words with one event. The empty `event` gives the prefix of all its words.
std::string SideKeyOfText(DeviceId device, std::optional<Seq> event);

// The device of a key made by SideKeyOfDevice; 0 for any other key.
DeviceId DeviceOfSideKey(std::string_view key);

std::string EncodeDevicePrivate(const DevicePrivate& value);
std::optional<DevicePrivate> DecodeDevicePrivate(std::string_view bytes);
// Its name alone, within `bytes`.
std::optional<std::string_view> NameInDevicePrivate(std::string_view bytes);

}  // namespace updraft
