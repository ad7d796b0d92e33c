// The connection to the broker, kept up: one thread that polls the broker's socket, the relay
// (relay.h), libmosquitto and what the engine answers, and drives a session with it.
//
// A message of the broker is acknowledged when what it asked for is durable. When that takes more
// than half the keepalive, the connection is closed, so that the broker sends the message again;
// and there is none until the engine has answered all that the last one brought.
//
// Thread-safety: any thread may call. Callbacks of the engine come on its completion thread and are
// handed over.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "adapters/mqtt/backoff.h"
#include "adapters/mqtt/broker_client.h"
#include "adapters/mqtt/mailbox.h"
#include "adapters/mqtt/relay.h"
#include "adapters/mqtt/session.h"
#include "engine/clock.h"
#include "engine/updraft.h"

namespace updraft {

struct LinkOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 1883;
  BrokerClient::Options client;
  MqttSession::Options session;
};

struct LinkStats {
  bool connected = false;    // And subscribed.
  uint64_t connections = 0;  // So far.
  uint64_t stalls = 0;       // Closed because the engine took too long.
  std::string last_error;    // Why the last connection ended, or did not come to be.
  SessionStats session;
};

class BrokerLink final : private BrokerEvents, private BrokerSide {
 public:
  // Resolves the broker's name and starts the thread. `engine` and `clock` outlive it.
  static Result<std::unique_ptr<BrokerLink>> Start(LinkOptions options, Engine& engine,
                                                   const Clock& clock);
  ~BrokerLink();

  // Closes the connection. What was not acknowledged the broker keeps. Idempotent.
  void Stop();

  LinkStats Stats() const;

 private:
  enum class State { kDown, kDialing, kOpening, kUp };
  class EnginePort;

  BrokerLink(LinkOptions options, Engine& engine, const Clock& clock);

  void Run();
  void Turn();
  void TurnOnce();
  bool MayRead() const;
  Status Step();
  Status StepDialing();
  Status StepConnected();
  Status ReadClient();
  void Poll();
  void Dial();
  void Drop(const Status& why);
  int64_t TimeoutMs() const;
  int64_t NowMs() const { return clock_.MonotonicUs() / 1'000; }

  void OnConnack(std::string_view refusal) override;
  void OnSuback(bool granted) override;
  void OnMessage(std::string_view topic, std::string_view payload) override;
  void OnPuback(int message) override;
  int Publish(const OutMessage& message, int qos) override;

  const LinkOptions options_;
  const Clock& clock_;
  const std::shared_ptr<Mailbox> mailbox_;
  const std::unique_ptr<EnginePort> engine_;
  ResolvedAddress address_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<BrokerClient> client_;

  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;  // Over all below; the thread holds it but while it polls.
  MqttSession session_;
  uint64_t handed_over_ = 0;      // What session_.taken() was when the engine was last given some.
  std::deque<uint64_t> batches_;  // The same after each time that it has not answered all of.
  State state_ = State::kDown;
  Backoff backoff_;
  int64_t next_dial_ms_ = 0;
  int64_t open_before_ms_ = 0;  // While dialing or opening: when that has failed.
  int64_t next_keepalive_ms_ = 0;
  bool connack_ = false;  // Came, and is not acted on yet.
  bool suback_ = false;   // Likewise.
  Status refused_;        // By the broker, in one of them.
  LinkStats stats_;

  std::once_flag stopped_;
  std::thread thread_;
};

}  // namespace updraft
