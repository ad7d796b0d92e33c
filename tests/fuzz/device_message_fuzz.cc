// What a device can send: any bytes, on any topic, over the broker's own path or the gate's. The
// input is a run of messages, each `topic payload` and a line break; it is also given whole to each
// parser, since a line has not all bytes.
//
// A first line `direct` stands for a broker without the gate. What comes of such messages over time
// is device_session's.
#include <string>

#include "adapters/mqtt/intake.h"
#include "adapters/wire/device_payload.h"
#include "adapters/wire/topics.h"
#include "events/base/assert.h"
#include "events/base/bytes.h"
#include "tests/fuzz/fuzz.h"

namespace updraft {
namespace {

void Parse(std::string_view text) {
  (void)ParseInform(text);
  (void)ParsePull(text);
  (void)ParseLegacyRequest(text);
  Result<ProgressMessage> progress = ParseProgress(text);
  if (progress.ok()) Assert(progress->step >= -4 && progress->step <= 100, "a step is in bounds");
  std::optional<UplinkTopic> topic = ParseUplinkTopic(text);
  if (!topic) return;
  Assert(TopicName(topic->kind, topic->product_key, topic->device_name) == text,
         "a topic that is read is written the same");
  Assert(!MaySubscribe("someone", "else", text), "a device's topic is its own");
}

// What may not reach the engine, whatever was sent.
void CheckCommand(const Command& command) {
  if (const auto* progress = std::get_if<ReportProgress>(&command)) {
    Assert(progress->step >= -4 && progress->step <= 100, "a step is in its bounds");
    Assert(IsValidUtf8(progress->text), "a device's words are text");
  }
  if (const auto* version = std::get_if<ReportVersion>(&command)) {
    Assert(!version->version.empty() && version->version.size() <= kVersionMaxBytes,
           "a version is bounded");
    Assert(version->module.size() <= kModuleMaxBytes, "so is a module");
  }
}

void TakeAll(std::string_view messages, MqttPath path) {
  while (!messages.empty()) {
    std::string_view payload = TakeUntil(messages, "\n");
    std::string_view topic = TakeUntil(payload, " ");
    Taken taken = TakeIn(path, topic, payload);
    if (const auto* command = std::get_if<DeviceCommand>(&taken)) CheckCommand(command->command);
    if (const auto* not_taken = std::get_if<NotTaken>(&taken)) {
      Assert(!not_taken->reason.empty(), "what is not taken has a reason");
    }
  }
}

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view text = Text(data, size);
  Parse(text);
  constexpr std::string_view kDirect = "direct\n";
  bool direct = text.starts_with(kDirect);
  if (direct) text.remove_prefix(kDirect.size());
  TakeAll(text, direct ? MqttPath::kDirect : MqttPath::kGate);
  return 0;
}
