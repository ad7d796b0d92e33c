// What devices send over time: a run of messages, each `topic payload` and a line break, which
// reach an engine with a small fleet through the adapter's own session; before each the time goes
// on.
//
// A first line `direct` stands for a broker without the gate.
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/mqtt/session.h"
#include "events/base/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/small_fleet.h"

namespace updraft {
namespace {

class NoBroker final : public BrokerSide {
 public:
  int Publish(const OutMessage& message, int) override {
    Assert(!message.topic.empty(), "a message has a topic");
    return ++published_;
  }

 private:
  int published_ = 0;
};

// Decides at once and answers when the session has returned, as an engine's threads do.
class CoreSide final : public EngineSide {
 public:
  explicit CoreSide(SmallFleet& fleet) : fleet_(fleet) {}

  Status Submit(const Command& command, Callback callback) override {
    if (const auto* take = std::get_if<TakePushes>(&command)) {
      taker_.emplace(take->max, std::move(callback));
    } else {
      Answer(std::move(callback), fleet_.Ask(command));
    }
    return OkStatus();
  }
  Status Read(std::function<RosterPage(const World&)> look,
              std::function<void(RosterPage)> then) override {
    answers_.push_back(
        [then = std::move(then), page = look(fleet_.world())]() mutable { then(std::move(page)); });
    return OkStatus();
  }

  void Deliver() {
    if (taker_) {
      std::vector<Push> pushes = fleet_.TakePushes(taker_->first);
      if (!pushes.empty()) {
        Answer(std::move(std::exchange(taker_, std::nullopt)->second),
               Outcome{OkStatus(), TakenPushes{std::move(pushes)}, fleet_.now_ms()});
      }
    }
    while (!answers_.empty()) {
      std::function<void()> answer = std::move(answers_.front());
      answers_.pop_front();
      answer();
    }
  }

 private:
  void Answer(Callback callback, Outcome outcome) {
    if (!callback) return;
    answers_.push_back(
        [callback = std::move(callback), outcome = std::move(outcome)] { callback(outcome); });
  }

  SmallFleet& fleet_;
  std::optional<std::pair<uint32_t, Callback>> taker_;
  std::deque<std::function<void()>> answers_;
};

void SendAll(std::string_view messages, MqttPath path) {
  SmallFleet fleet;
  CoreSide engine(fleet);
  NoBroker broker;
  MqttSession session({.outlet = {path, "http://127.0.0.1:1", std::string(32, 'k')},
                       .push_window = 4,
                       .name = "fuzz"},
                      engine, broker);
  session.OnConnected(fleet.now_ms());
  while (!messages.empty()) {
    std::string_view payload = TakeUntil(messages, "\n");
    std::string_view topic = TakeUntil(payload, " ");
    fleet.Pass(500);
    session.OnMessage(topic, payload, fleet.now_ms());
    session.Tick(fleet.now_ms());
    engine.Deliver();
  }
  Assert(session.Idle(), "what was taken is answered");
  fleet.Check();
}

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view text = Text(data, size);
  constexpr std::string_view kDirect = "direct\n";
  bool direct = text.starts_with(kDirect);
  if (direct) text.remove_prefix(kDirect.size());
  SendAll(text, direct ? MqttPath::kDirect : MqttPath::kGate);
  return 0;
}
