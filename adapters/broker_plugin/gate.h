// The gate: what connected devices may say and hear, and what the engine is told of them. The rules
// are those of README.md, without mosquitto: plugin.cc tells what happens in the broker, and the
// Broker interface is what the gate does to it.
//
// Times are milliseconds of a clock that does not go back. Thread-safety: none, all on the broker's
// one thread. Nothing here waits; files are read in bounded steps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "adapters/broker_plugin/admissions.h"
#include "adapters/broker_plugin/connections.h"
#include "adapters/broker_plugin/gate_stats.h"
#include "adapters/broker_plugin/options.h"
#include "adapters/broker_plugin/rate_limits.h"
#include "adapters/wire/credential_reader.h"

namespace updraft {

// What the gate may do to the broker. Messages leave after the gate has returned, in order.
class Broker {
 public:
  virtual ~Broker() = default;

  // To whoever subscribed.
  virtual void Publish(const std::string& topic, std::string_view payload, int qos,
                       bool retain) = 0;
  // To one client, subscribed or not.
  virtual void Deliver(const std::string& client_id, const std::string& topic,
                       std::string_view payload, int qos) = 0;
  // Gate::Disconnected is called for the connection before this returns.
  virtual void Disconnect(const std::string& client_id) = 0;
  virtual void Warn(const std::string& line) = 0;
};

enum class Access { kPublish, kSubscribe, kReceive };

struct AccessRequest {
  Access access;
  std::string_view topic;
  uint32_t subscriptions = 0;  // That the client has already.
};

// A PUBLISH that Allows() let through.
struct Message {
  std::string_view topic;
  std::string_view payload;
  int qos = 0;
};

enum class Verdict {
  kPass,   // The broker routes it to whoever subscribed.
  kTaken,  // The gate has done what there is to do with it.
  kDeny,
};

class Gate {
 public:
  static constexpr int64_t kTickMs = 100;
  // The most that one tick, or one connect, reads or does.
  static constexpr size_t kCredentialsAtOnce = 4096;
  static constexpr size_t kConnectionsAtOnce = 500;
  static constexpr size_t kRequestBytesMax = 64;

  using Client = Connections::Client;

  // `epoch` names the broker's run, `version` is the plugin's own. `broker` outlives the gate.
  Gate(const GateOptions& options, std::string engine_password, uint64_t epoch,
       std::string_view version, Broker& broker);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  void SetEnginePassword(std::string password) {
    admissions_.SetEnginePassword(std::move(password));
  }

  // An accepted device goes by GateClientId() of its key from now on.
  Admission Connect(Client client, const ConnectRequest& request, int64_t now_ms);
  void Disconnected(Client client);
  bool Knows(Client client);

  bool Allows(Client client, const AccessRequest& request, int64_t now_ms);
  Verdict Publish(Client client, const Message& message, int64_t now_ms);
  bool IsEngine(Client client) const { return engines_.contains(client); }

  // Whenever the broker has a moment; does something each kTickMs.
  void Tick(int64_t now_ms);

 private:
  std::string_view SubscribeDenial(const Connection& device, const AccessRequest& request) const;
  bool CatchUp();
  void CredentialChanged(const CredentialRecord& record);
  bool StillWelcome(const Connection& connection);
  void StepChecks();
  void CloseUnwelcome();

  Verdict PublishFromEngine(const Message& message);
  Verdict PublishFromDevice(Connection& device, const Message& message, int64_t now_ms);
  void StartRoster(std::string_view request);
  void StepRoster();

  void TellOnline(const Connection& connection);
  void TellOffline(const Connection& connection);
  void TellCredentials();
  void TellStats(int64_t now_ms);

  void Refused(const ConnectRequest& request, std::string_view reason, int64_t now_ms);
  void Denied(const Connection& device, std::string_view what, std::string_view topic,
              std::string_view reason, int64_t now_ms);
  // Within the bound of lines a second; tells how many were over it before.
  bool MayWarn(int64_t now_ms);

  // A walk over the live connections, a step a tick.
  struct Walk {
    uint64_t after = 0;
    uint64_t last = 0;
  };

  const GateOptions options_;
  const MessageRate::Rule message_rule_;
  const uint64_t epoch_;
  Broker& broker_;

  CredentialReader credentials_;
  Admissions admissions_;
  Connections connections_;
  std::unordered_set<Client> engines_;
  std::vector<CredentialKey> unwelcome_;  // Devices to close, if live.
  std::optional<Walk> check_;             // Of connections against changed credentials.

  std::optional<Walk> roster_;
  std::string roster_request_;
  uint64_t roster_count_ = 0;

  GateStats stats_;
  LineLimiter lines_;
  int64_t next_tick_ms_ = 0;
  int64_t next_stats_ms_ = 0;
  uint64_t told_generation_ = 0;
  uint64_t told_position_ = 0;
};

}  // namespace updraft
