#include "adapters/mqtt/intake.h"

#include <utility>

#include <simdjson.h>

#include "adapters/wire/device_payload.h"
#include "adapters/wire/gate_topics.h"
#include "adapters/wire/topics.h"

namespace updraft {
namespace {

using simdjson::dom::object;

constexpr NotTaken kBadGateJson{"bad_gate_json"};

DeviceRef RefOf(std::string_view product_key, std::string_view device_name) {
  return {.product_key = std::string(product_key), .name = std::string(device_name)};
}

Taken TakeInform(const UplinkTopic& topic, std::string_view payload, bool implies_online) {
  Result<InformMessage> inform = ParseInform(payload);
  if (!inform.ok()) return NotTaken{inform.status().reason()};
  return DeviceCommand{.command =
                           ReportVersion{.device = RefOf(topic.product_key, topic.device_name),
                                         .module = std::move(inform->module),
                                         .version = std::move(inform->version),
                                         .implies_online = implies_online}};
}

Taken TakeProgress(const UplinkTopic& topic, std::string_view payload, bool implies_online) {
  Result<ProgressMessage> progress = ParseProgress(payload);
  if (!progress.ok()) return NotTaken{progress.status().reason()};
  return DeviceCommand{
      .command = ReportProgress{.device = RefOf(topic.product_key, topic.device_name),
                                .module = std::move(progress->module),
                                .step = progress->step,
                                .text = std::move(progress->desc),
                                .implies_online = implies_online},
      .remark = progress->step_was_above_100 ? "step_above_100"
                : progress->desc_was_cut     ? "desc_cut"
                                             : ""};
}

Taken TakePull(const UplinkTopic& topic, std::string_view payload, bool implies_online) {
  bool legacy = topic.kind == UplinkKind::kLegacyRequest;
  Result<PullMessage> pull = legacy ? ParseLegacyRequest(payload) : ParsePull(payload);
  if (!pull.ok()) return NotTaken{pull.status().reason()};
  return DeviceCommand{
      .command = RequestPackage{.device = RefOf(topic.product_key, topic.device_name),
                                .module = std::move(pull->module),
                                .implies_online = implies_online},
      .pull = PullReturn{.product_key = std::string(topic.product_key),
                         .device_name = std::string(topic.device_name),
                         .legacy = legacy,
                         .id_json = std::move(pull->id_json)}};
}

Taken TakeUplink(const UplinkTopic& topic, std::string_view payload, bool implies_online) {
  switch (topic.kind) {
    case UplinkKind::kInform:
      return TakeInform(topic, payload, implies_online);
    case UplinkKind::kProgress:
      return TakeProgress(topic, payload, implies_online);
    case UplinkKind::kFirmwareGet:
    case UplinkKind::kLegacyRequest:
      return TakePull(topic, payload, implies_online);
    case UplinkKind::kFileDownload:
    case UplinkKind::kConfigGet:
      return NotTaken{"unsupported"};
  }
  return NotTaken{"unknown_topic"};
}

// Valid until this thread parses the next message.
std::optional<object> ParseGateJson(std::string_view payload) {
  constexpr size_t kGateJsonMaxBytes = 4096;
  thread_local simdjson::dom::parser parser;
  object root;
  if (payload.size() > kGateJsonMaxBytes) return std::nullopt;
  if (parser.parse(payload.data(), payload.size()).get(root)) return std::nullopt;
  return root;
}

Taken TakePresence(const GatePresenceTopic& topic, std::string_view payload) {
  std::optional<object> root = ParseGateJson(payload);
  std::string_view state;
  uint64_t epoch = 0;
  uint64_t generation = 0;
  if (!root || (*root)["state"].get(state) || (*root)["epoch"].get(epoch) ||
      (*root)["generation"].get(generation) || generation > UINT32_MAX ||
      (state != "online" && state != "offline")) {
    return kBadGateJson;
  }
  return DeviceCommand{.command =
                           ReportPresence{.device = RefOf(topic.product_key, topic.device_name),
                                          .online = state == "online",
                                          .broker_epoch = epoch,
                                          .generation = static_cast<uint32_t>(generation)}};
}

Taken TakeBroker(std::string_view payload) {
  std::optional<object> root = ParseGateJson(payload);
  uint64_t epoch = 0;
  if (!root || (*root)["epoch"].get(epoch)) return kBadGateJson;
  return DeviceCommand{.command = BrokerStarted{epoch}};
}

Taken TakeRoster(std::string_view payload) {
  std::optional<object> root = ParseGateJson(payload);
  std::string_view request;
  uint64_t epoch = 0;
  if (!root || (*root)["request"].get(request) || (*root)["epoch"].get(epoch)) return kBadGateJson;
  return RosterAnswer{std::string(request), epoch};
}

Taken TakeCredentials(std::string_view payload) {
  std::optional<object> root = ParseGateJson(payload);
  GateCredentials told;
  if (!root || (*root)["generation"].get(told.generation) ||
      (*root)["position"].get(told.position)) {
    return kBadGateJson;
  }
  return told;
}

Taken TakeFromGate(std::string_view topic, std::string_view payload) {
  if (std::optional<UplinkTopic> up = ParseGateUpTopic(topic)) {
    return TakeUplink(*up, payload, /*implies_online=*/false);
  }
  if (std::optional<GatePresenceTopic> presence = ParseGatePresenceTopic(topic)) {
    return TakePresence(*presence, payload);
  }
  if (topic == kGateBrokerTopic) return TakeBroker(payload);
  if (topic == kGateRosterTopic) return TakeRoster(payload);
  if (topic == kGateCredentialsTopic) return TakeCredentials(payload);
  if (topic == kGateStatsTopic) {
    if (!ParseGateJson(payload)) return kBadGateJson;
    return GateFigures{std::string(payload)};
  }
  return NotTaken{"unknown_topic"};
}

}  // namespace

Taken TakeIn(MqttPath path, std::string_view topic, std::string_view payload) {
  if (path == MqttPath::kGate) return TakeFromGate(topic, payload);
  std::optional<UplinkTopic> up = ParseUplinkTopic(topic);
  if (!up) return NotTaken{"unknown_topic"};
  return TakeUplink(*up, payload, /*implies_online=*/true);
}

}  // namespace updraft
