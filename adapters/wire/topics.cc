#include "adapters/wire/topics.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "adapters/wire/names.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

// A topic is `before` pk "/" dn `after`.
struct Shape {
  std::string_view before;
  std::string_view after;
};

constexpr Shape ShapeOf(UplinkKind kind) {
  switch (kind) {
    case UplinkKind::kInform:
      return {"/ota/device/inform/", ""};
    case UplinkKind::kProgress:
      return {"/ota/device/progress/", ""};
    case UplinkKind::kFirmwareGet:
      return {"/sys/", "/thing/ota/firmware/get"};
    case UplinkKind::kLegacyRequest:
      return {"/ota/device/request/", ""};
    case UplinkKind::kFileDownload:
      return {"/sys/", "/thing/file/download"};
    case UplinkKind::kConfigGet:
      return {"/sys/", "/thing/config/get"};
  }
  Unreachable();
}

constexpr Shape ShapeOf(DownlinkKind kind) {
  switch (kind) {
    case DownlinkKind::kUpgrade:
      return {"/ota/device/upgrade/", ""};
    case DownlinkKind::kFirmwareGetReply:
      return {"/sys/", "/thing/ota/firmware/get_reply"};
    case DownlinkKind::kLegacyRequest:
      return {"/ota/device/request/", ""};
    case DownlinkKind::kFileDownloadReply:
      return {"/sys/", "/thing/file/download_reply"};
    case DownlinkKind::kConfigPush:
      return {"/sys/", "/thing/config/push"};
    case DownlinkKind::kConfigGetReply:
      return {"/sys/", "/thing/config/get_reply"};
  }
  Unreachable();
}

// The most frequent first.
constexpr std::array kUplinkKinds = {UplinkKind::kProgress,     UplinkKind::kInform,
                                     UplinkKind::kFirmwareGet,  UplinkKind::kLegacyRequest,
                                     UplinkKind::kFileDownload, UplinkKind::kConfigGet};

std::string MakeName(const Shape& shape, std::string_view product_key,
                     std::string_view device_name) {
  return fmt::format("{}{}/{}{}", shape.before, product_key, device_name, shape.after);
}

// Takes `prefix` off the front of `text`, if it is there.
bool Take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Takes one level and the slash behind it off the front of `text`.
std::optional<std::string_view> TakeLevel(std::string_view& text) {
  size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string_view level = text.substr(0, slash);
  text.remove_prefix(slash + 1);
  return level;
}

// Where a device's own topics lie.
enum class Family {
  kOta,     // /ota/device/{name}/{pk}/{dn}
  kSystem,  // /sys/{pk}/{dn}/{name}
  kOther,   // /shadow/{name}/{pk}/{dn} and /ext/{service}/{pk}/{dn}/{name}
  kCustom,  // /{pk}/{dn}/{name}
};

struct OwnTopic {
  Family family;
  std::string_view name;
};

// The topic or filter as one of the device's own. Its product key and name stand there literally
// and where they belong, so that no wildcard elsewhere can reach another device.
std::optional<OwnTopic> FindOwn(std::string_view product_key, std::string_view device_name,
                                std::string_view topic) {
  auto take_own = [&](std::string_view& text) {
    return Take(text, product_key) && Take(text, "/") && Take(text, device_name);
  };
  std::string_view rest = topic;
  if (Take(rest, "/ota/device/")) {
    std::optional<std::string_view> name = TakeLevel(rest);
    if (!name || !take_own(rest) || !rest.empty()) return std::nullopt;
    return OwnTopic{Family::kOta, *name};
  }
  if (Take(rest, "/shadow/")) {
    std::optional<std::string_view> name = TakeLevel(rest);
    if (!name || !take_own(rest) || !rest.empty()) return std::nullopt;
    return OwnTopic{Family::kOther, *name};
  }
  if (Take(rest, "/ext/")) {
    if (!TakeLevel(rest) || !take_own(rest) || !Take(rest, "/")) return std::nullopt;
    return OwnTopic{Family::kOther, rest};
  }
  if (Take(rest, "/sys/")) {
    if (!take_own(rest) || !Take(rest, "/")) return std::nullopt;
    return OwnTopic{Family::kSystem, rest};
  }
  if (!Take(rest, "/") || !take_own(rest) || !Take(rest, "/")) return std::nullopt;
  return OwnTopic{Family::kCustom, rest};
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A topic of the service that leads upwards and nowhere else.
bool LeadsUpOnly(const OwnTopic& topic) {
  switch (topic.family) {
    case Family::kOta:
      return IsOneOf(topic.name, {"inform", "progress"});
    case Family::kSystem:
      return IsOneOf(topic.name,
                     {"thing/ota/firmware/get", "thing/file/download", "thing/config/get",
                      "thing/deviceinfo/update", "thing/deviceinfo/delete"}) ||
             (topic.name.starts_with("thing/event/") && topic.name.ends_with("/post"));
    case Family::kOther:
    case Family::kCustom:
      return false;
  }
  Unreachable();
}

// A topic that a device both publishes to and, in some SDK, subscribes to.
bool LeadsBothWays(const OwnTopic& topic) {
  switch (topic.family) {
    case Family::kOta:
      return topic.name == "request";
    case Family::kSystem:
      return topic.name == "thing/config/push_reply";
    case Family::kOther:
      return false;
    case Family::kCustom:
      return topic.name.starts_with("user/");
  }
  Unreachable();
}

}  // namespace

std::optional<UplinkTopic> ParseUplinkTopic(std::string_view topic) {
  for (UplinkKind kind : kUplinkKinds) {
    const Shape shape = ShapeOf(kind);
    std::string_view names = topic;
    if (!Take(names, shape.before) || !names.ends_with(shape.after)) continue;
    names.remove_suffix(shape.after.size());
    std::optional<std::string_view> product_key = TakeLevel(names);
    if (!product_key || !IsWireName(*product_key) || !IsWireName(names)) continue;
    return UplinkTopic{kind, *product_key, names};
  }
  return std::nullopt;
}

std::string TopicName(UplinkKind kind, std::string_view product_key, std::string_view device_name) {
  return MakeName(ShapeOf(kind), product_key, device_name);
}

std::string TopicName(DownlinkKind kind, std::string_view product_key,
                      std::string_view device_name) {
  return MakeName(ShapeOf(kind), product_key, device_name);
}

bool MayPublish(std::string_view product_key, std::string_view device_name,
                std::string_view topic) {
  std::optional<OwnTopic> own = FindOwn(product_key, device_name, topic);
  return own && (LeadsUpOnly(*own) || LeadsBothWays(*own));
}

bool MaySubscribe(std::string_view product_key, std::string_view device_name,
                  std::string_view filter) {
  std::optional<OwnTopic> own = FindOwn(product_key, device_name, filter);
  return own && !LeadsUpOnly(*own);
}

}  // namespace updraft
