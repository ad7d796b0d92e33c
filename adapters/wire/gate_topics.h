// The topics between the engine and the gate, the broker's plugin: what devices say on its way up,
// what is said to them on its way down, and who is online. Payloads, order and QoS are told in
// adapters/broker_plugin/README.md.
//
// Errors: what is no topic of these is nothing. Thread-safety: pure. Lifetime: parsed views point
// into the topic.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/wire/topics.h"

namespace updraft {

// The one account that may use these topics.
inline constexpr std::string_view kEngineUserName = "updraft-engine";
inline constexpr std::string_view kGateAllFilter = "updraft/#";

inline constexpr std::string_view kGateBrokerTopic = "updraft/broker";
inline constexpr std::string_view kGateRosterGetTopic = "updraft/roster/get";
inline constexpr std::string_view kGateRosterTopic = "updraft/roster";
inline constexpr std::string_view kGateCredentialsTopic = "updraft/credentials";
inline constexpr std::string_view kGateStatsTopic = "updraft/broker/stats";

// updraft/up/{kind}/{pk}/{dn}
std::string GateUpTopic(const UplinkTopic& topic);
std::optional<UplinkTopic> ParseGateUpTopic(std::string_view topic);

// updraft/down/{pk}/{dn}{device topic}: the gate delivers the payload to that device on that topic.
struct GateDownTopic {
  std::string_view product_key;
  std::string_view device_name;
  std::string_view device_topic;  // Begins with a slash.
};
std::string MakeGateDownTopic(const GateDownTopic& topic);
std::optional<GateDownTopic> ParseGateDownTopic(std::string_view topic);

// updraft/presence/{pk}/{dn}
struct GatePresenceTopic {
  std::string_view product_key;
  std::string_view device_name;
};
std::string MakeGatePresenceTopic(const GatePresenceTopic& topic);
std::optional<GatePresenceTopic> ParseGatePresenceTopic(std::string_view topic);

}  // namespace updraft
