// What the engine has to tell a device, as an MQTT message.
//
// Errors: INVALID_ARGUMENT of MakeDownloadUrl, when the public URL leaves no room for a link that
// every client can hold. Thread-safety: pure.
#pragma once

#include <optional>
#include <string>

#include "adapters/mqtt/intake.h"
#include "engine/commands.h"
#include "events/base/status.h"

namespace updraft {

struct OutletOptions {
  MqttPath path = MqttPath::kGate;
  std::string public_url;  // What devices download from, `http://ota.example.com:8080`.
  std::string link_key;    // Of signed_url.h.
};

// How long a download link that a device was told is good.
inline constexpr int64_t kLinkLifeMs = int64_t{24} * 3'600'000;

struct OutMessage {
  std::string topic;
  std::string payload;
};

Result<OutMessage> RenderPush(const OutletOptions& options, const Notice& notice);

// Nothing where nothing is to be said: clients of the legacy request know no empty answer.
Result<std::optional<OutMessage>> RenderPullAnswer(const OutletOptions& options,
                                                   const PullReturn& pull,
                                                   const PulledNotice& pulled);

}  // namespace updraft
