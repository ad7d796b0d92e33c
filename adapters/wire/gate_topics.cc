#include "adapters/wire/gate_topics.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "adapters/wire/names.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

constexpr std::string_view kUp = "updraft/up/";
constexpr std::string_view kDown = "updraft/down/";
constexpr std::string_view kPresence = "updraft/presence/";

constexpr std::array<std::pair<UplinkKind, std::string_view>, 6> kKindWords = {{
    {UplinkKind::kInform, "inform"},
    {UplinkKind::kProgress, "progress"},
    {UplinkKind::kFirmwareGet, "get"},
    {UplinkKind::kLegacyRequest, "request"},
    {UplinkKind::kFileDownload, "download"},
    {UplinkKind::kConfigGet, "config"},
}};

std::string_view WordOf(UplinkKind kind) {
  for (const auto& [known, word] : kKindWords) {
    if (known == kind) return word;
  }
  Unreachable();
}

std::optional<UplinkKind> KindOf(std::string_view word) {
  for (const auto& [kind, known] : kKindWords) {
    if (known == word) return kind;
  }
  return std::nullopt;
}

// Takes the text before the next slash and that slash off the front of `text`.
std::string_view TakeLevel(std::string_view& text) {
  size_t slash = text.find('/');
  std::string_view level = text.substr(0, slash);
  text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  return level;
}

}  // namespace

std::string GateUpTopic(const UplinkTopic& topic) {
  return fmt::format("{}{}/{}/{}", kUp, WordOf(topic.kind), topic.product_key, topic.device_name);
}

std::optional<UplinkTopic> ParseGateUpTopic(std::string_view topic) {
  if (!topic.starts_with(kUp)) return std::nullopt;
  topic.remove_prefix(kUp.size());
  std::optional<UplinkKind> kind = KindOf(TakeLevel(topic));
  std::string_view product_key = TakeLevel(topic);
  if (!kind || !IsWireName(product_key) || !IsWireName(topic)) return std::nullopt;
  return UplinkTopic{*kind, product_key, topic};
}

std::string MakeGateDownTopic(const GateDownTopic& topic) {
  return fmt::format("{}{}/{}{}", kDown, topic.product_key, topic.device_name, topic.device_topic);
}

std::optional<GateDownTopic> ParseGateDownTopic(std::string_view topic) {
  if (!topic.starts_with(kDown)) return std::nullopt;
  topic.remove_prefix(kDown.size());
  std::string_view product_key = TakeLevel(topic);
  size_t slash = topic.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  GateDownTopic down = {product_key, topic.substr(0, slash), topic.substr(slash)};
  if (!IsWireName(down.product_key) || !IsWireName(down.device_name)) return std::nullopt;
  return down;
}

std::string MakeGatePresenceTopic(const GatePresenceTopic& topic) {
  return fmt::format("{}{}/{}", kPresence, topic.product_key, topic.device_name);
}

std::optional<GatePresenceTopic> ParseGatePresenceTopic(std::string_view topic) {
  if (!topic.starts_with(kPresence)) return std::nullopt;
  topic.remove_prefix(kPresence.size());
  std::string_view product_key = TakeLevel(topic);
  if (!IsWireName(product_key) || !IsWireName(topic)) return std::nullopt;
  return GatePresenceTopic{product_key, topic};
}

}  // namespace updraft
