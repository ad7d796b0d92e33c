// The engine's side of MQTT: keeps a connection to the broker, brings the engine what devices say
// and devices what the engine has to tell them, and writes the credentials that the broker's gate
// decides by.
//
//   Result<std::unique_ptr<MqttAdapter>> mqtt = MqttAdapter::Start(engine, options);
//
// An engine has one adapter as long as it is open: notices that the broker has not acknowledged
// when the adapter ends are sent again by the next engine on the log, not by a second adapter.
//
// Thread-safety: any thread may call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "adapters/mqtt/credentials_feed.h"
#include "adapters/mqtt/intake.h"
#include "adapters/mqtt/link.h"
#include "engine/clock.h"
#include "engine/updraft.h"
#include "events/base/ids.h"
#include "events/base/status.h"

namespace updraft {

struct MqttOptions {
  // Whether the broker runs the gate. Without it the engine knows no presence but that a device
  // speaks, every client may say anything, and devices must subscribe to what they want to hear.
  MqttPath path = MqttPath::kGate;

  // The broker. A name is resolved once, at the start.
  std::string host = "127.0.0.1";
  uint16_t port = 1883;
  // The account; with the gate `updraft-engine` (kEngineUserName). Empty: no user, no password.
  std::string user;
  std::string password;
  // The client id is `updraft-engine-` and this. Two engines with one id would take the connection
  // from each other for ever.
  uint16_t engine_number = 1;
  // Also how long an unacknowledged message may wait: twice the longest that the engine may take to
  // make one durable. In seconds, at least 5.
  int keepalive_seconds = 60;

  // Notices that the broker may not have acknowledged yet; more wait in the engine. At least 1.
  uint32_t push_window = 256;

  // What devices download from, `http://ota.example.com:8080`, and the key that signs the links.
  std::string public_url;
  std::string link_key;

  // Where the gate's credential files are written; empty: nowhere.
  std::string credentials_dir;
};

struct MqttStats {
  LinkStats link;
  CredentialsStats credentials;  // As written; what the gate uses is in link.session.
  // The gate decides by all that was written: ready for devices. True where none is written.
  bool credentials_in_step = true;
};

class MqttAdapter {
 public:
  // Starts the threads; whether there is a broker shows in Stats(). `engine` and `clock` outlive
  // the adapter. INVALID_ARGUMENT for options that cannot work, UNAVAILABLE where the broker's
  // name cannot be resolved.
  static Result<std::unique_ptr<MqttAdapter>> Start(Engine& engine, const MqttOptions& options,
                                                    const Clock& clock = SystemClock());
  // Stops.
  ~MqttAdapter();

  // Ends the connection and the threads. Before Engine::Stop. Idempotent.
  void Stop();

  // To be called from EngineOptions::on_commit. Quick.
  void OnCommit(Seq last);

  MqttStats Stats() const;

 private:
  MqttAdapter() = default;

  std::unique_ptr<CredentialsFeed> credentials_;  // Null: none are written.
  std::unique_ptr<BrokerLink> link_;
};

}  // namespace updraft
