// The MQTT topics of the device protocol: read, made, and who may use them.
//
// A device's topics carry its product key and name, `/ota/device/inform/{pk}/{dn}` or
// `/sys/{pk}/{dn}/thing/ota/firmware/get`, and are its alone.
//
// Errors: what is no topic of ours is nothing, never a fault. Thread-safety: pure; parsing and
// permission do not allocate. Lifetime: an UplinkTopic points into the topic it was parsed from.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace updraft {

// What a device may say to us.
enum class UplinkKind {
  kInform,         // Its module's version.
  kProgress,       // How far an upgrade is, or that it failed.
  kFirmwareGet,    // Pull: is there a package for me?
  kLegacyRequest,  // The same, of old clients; our answer goes to the same topic.
  kFileDownload,   // One block of a file over MQTT.
  kConfigGet,      // Remote configuration.
};

// What we may say to a device.
enum class DownlinkKind {
  kUpgrade,
  kFirmwareGetReply,
  kLegacyRequest,
  kFileDownloadReply,
  kConfigPush,
  kConfigGetReply,
};

struct UplinkTopic {
  UplinkKind kind;
  std::string_view product_key;
  std::string_view device_name;
};

// Both names are wire names (names.h); whether they exist is asked elsewhere.
std::optional<UplinkTopic> ParseUplinkTopic(std::string_view topic);

std::string TopicName(UplinkKind kind, std::string_view product_key, std::string_view device_name);
std::string TopicName(DownlinkKind kind, std::string_view product_key,
                      std::string_view device_name);

// May the device publish to `topic`? Only to its own, and of the service's topics only to those
// that lead upwards: version, progress, pull, file and configuration requests, device information
// and events. `/{pk}/{dn}/user/…` is the device's own to use as it likes.
//
// Both names must be wire names: a wildcard in them would reach other devices.
bool MayPublish(std::string_view product_key, std::string_view device_name, std::string_view topic);

// May the device subscribe to `filter`, or be delivered a message of that topic? Whatever can match
// its own topics alone may be subscribed, wildcards included, but for the topics that lead upwards
// only. `/sys/{pk}/{dn}/#` is granted so, and yet the device's own reports are not delivered to it.
// Nothing that begins with `$` is granted: neither the broker's own topics nor shared
// subscriptions.
bool MaySubscribe(std::string_view product_key, std::string_view device_name,
                  std::string_view filter);

}  // namespace updraft
