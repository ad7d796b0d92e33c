// One message of the broker in; what it asks for out. The messages come from the gate, which says
// who they are of (adapters/broker_plugin/README.md), or, where the broker has no gate, on the
// devices' own topics.
//
// Errors: what cannot be used is NotTaken, with a reason word for a metric: a reason of
// adapters/wire/device_payload.h, or
//   unknown_topic   no topic that the engine subscribes to
//   unsupported     a request that is not served: a file over MQTT, remote configuration
//   bad_gate_json   not what the gate writes
// Thread-safety: any thread; each has its own memory for parsing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "engine/commands.h"

namespace updraft {

// How devices' messages reach the engine.
enum class MqttPath {
  kGate,    // By the plugin's topics, which tell of presence too.
  kDirect,  // By the devices' own topics: whoever speaks is online, and nobody ever leaves.
};

// Where the answer to a pull goes.
struct PullReturn {
  std::string product_key;
  std::string device_name;
  bool legacy = false;  // Asked on `/ota/device/request/…`, and is answered there.
  std::string id_json;  // The request's id as JSON text; empty for none.
};

// A command of a device. Its refusals are counted, and told to nobody.
struct DeviceCommand {
  Command command;
  std::optional<PullReturn> pull;
  std::string_view remark;  // Taken, but odd: step_above_100 or desc_cut. Empty as a rule.
};

// The gate has named every live connection since the request of that name.
struct RosterAnswer {
  std::string request;
  uint64_t epoch = 0;
};
// The credentials that the gate now decides by.
struct GateCredentials {
  uint64_t generation = 0;
  uint64_t position = 0;
};
// The gate's own counters, JSON as it came.
struct GateFigures {
  std::string json;
};
struct NotTaken {
  std::string_view reason;
};

using Taken = std::variant<DeviceCommand, RosterAnswer, GateCredentials, GateFigures, NotTaken>;

Taken TakeIn(MqttPath path, std::string_view topic, std::string_view payload);

}  // namespace updraft
