// What the engine and the broker say to each other, without sockets, threads or clocks: messages
// become commands, notices become messages, and both sides' acknowledgements find what they are of.
// The link (link.h) drives it with real ones, a simulation with its own.
//
// Commands of devices are numbered from 1 in the order they were taken. taken() and answered() tell
// how far the engine is: what the broker is told of a message must wait until answered() has
// reached what taken() was when the message had been handled.
//
// Bounds: pushes by the window; commands that wait for room in the engine's inbox by the caller,
// who hands over no more messages while Full(); answers to pulls by the commands taken.
//
// Times are milliseconds of a clock that does not go back. Thread-safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "adapters/mqtt/intake.h"
#include "adapters/mqtt/outlet.h"
#include "adapters/mqtt/push_window.h"
#include "adapters/mqtt/roster.h"
#include "engine/commands.h"

namespace updraft {

// The engine, as a session uses it. What it calls back it calls on the session's thread.
class EngineSide {
 public:
  using Callback = std::function<void(const Outcome&)>;

  virtual ~EngineSide() = default;
  // As Engine::Submit. A null callback is fine.
  virtual Status Submit(const Command& command, Callback callback) = 0;
  // As Engine::Read; `then` gets an empty page where the engine failed meanwhile.
  virtual Status Read(std::function<RosterPage(const World&)> look,
                      std::function<void(RosterPage)> then) = 0;
};

// The connection to the broker, as a session uses it while it is connected.
class BrokerSide {
 public:
  virtual ~BrokerSide() = default;
  // The message's number in OnPuback, or 0 when it can never be sent. A message of QoS 1 is sent
  // again by itself on a later connection until the broker has it.
  virtual int Publish(const OutMessage& message, int qos) = 0;
};

struct SessionStats {
  uint64_t messages = 0;             // Taken from the broker.
  uint64_t commands = 0;             // Of them, those that asked the engine for something.
  uint64_t answered = 0;             // Of those, the ones that the engine has decided.
  uint64_t pushes = 0;               // Handed to the broker.
  uint64_t pulls = 0;                // Answers to pulls handed to the broker.
  uint32_t pushes_open = 0;          // Not acknowledged by the broker yet.
  uint64_t gone_by_roster = 0;       // Devices found gone after a connection began.
  GateCredentials gate_credentials;  // As the gate last told.
  std::string gate_figures;          // Likewise, JSON; empty until it did.
  // Messages and notices that came to nothing, or were odd, by reason. The engine's refusals are in
  // lower case.
  std::map<std::string, uint64_t, std::less<>> reasons;
};

class MqttSession {
 public:
  // Devices that one look at the world goes through.
  static constexpr uint32_t kRosterPageDevices = 4'096;
  // When the engine's inbox was full.
  static constexpr int64_t kAskAgainMs = 10;

  struct Options {
    OutletOptions outlet;
    uint32_t push_window = 256;  // Pushes that the broker may not have yet.
    std::string name;            // Tells this run's roster requests from those of others.
  };

  // Both sides outlive it, and call nothing back once it is gone.
  MqttSession(Options options, EngineSide& engine, BrokerSide& broker);

  // Connected and subscribed.
  void OnConnected(int64_t now_ms);
  void OnDisconnected();
  void OnMessage(std::string_view topic, std::string_view payload, int64_t now_ms);
  void OnPuback(int message, int64_t now_ms);
  // Does what is due. Nothing else may be called from within.
  void Tick(int64_t now_ms);
  // When Tick is next needed although nothing happens; nothing: not by itself.
  std::optional<int64_t> NextTickMs() const;

  bool Full() const { return !waiting_.empty(); }
  uint64_t taken() const { return taken_; }
  uint64_t answered() const { return stats_.answered; }
  // The engine has decided all that was taken, and it is durable.
  bool Idle() const { return answered() == taken_; }
  // Why the engine takes no more; OK while it does. Nothing more may be acknowledged then.
  const Status& failure() const { return failure_; }

  SessionStats Stats() const;

 private:
  struct Outgoing {
    OutMessage message;
    PushNumber push;  // 0: the answer to a pull.
  };
  // The devices that the roster did not name, being looked for.
  struct Sweep {
    std::shared_ptr<const NamedDevices> named;
    NamedDevices since;  // Heard of after the roster, and so not gone whatever a look saw.
    uint64_t epoch = 0;
    DeviceId next = DeviceId(1);
    std::deque<ReportPresence> gone;
    bool reading = false;
  };

  void Take(DeviceCommand command);
  void SubmitWaiting(int64_t now_ms);
  void OnOutcome(const std::optional<PullReturn>& pull, const Outcome& outcome);
  void AskForPushes(int64_t now_ms);
  void OnPushes(const Outcome& outcome);
  void Send(Outgoing outgoing);
  void Flush();
  void TellWatermark(int64_t now_ms);
  void BeginSweep(const RosterAnswer& answer);
  void StepSweep(int64_t now_ms);
  void NoteRefused(const Status& status, int64_t now_ms);
  void Count(std::string_view reason);

  const Options options_;
  EngineSide& engine_;
  BrokerSide& broker_;

  bool connected_ = false;
  Status failure_;
  int64_t now_ms_ = 0;  // Of the last call that said.
  std::optional<int64_t> ask_again_ms_;

  std::deque<DeviceCommand> waiting_;  // Taken, and not submitted yet.
  uint64_t taken_ = 0;

  PushWindow window_;
  bool asking_for_pushes_ = false;
  std::deque<Outgoing> outbox_;  // Waits for a connection.
  std::unordered_map<int, PushNumber> push_of_message_;

  Roster roster_;
  uint32_t roster_requests_ = 0;
  std::optional<Sweep> sweep_;

  SessionStats stats_;
};

}  // namespace updraft
