// libmosquitto, as the link uses it: one MQTT 3.1.1 client with a persistent session that talks
// through a unix socket and is driven by a poll loop. What it has published at QoS 1 it sends again
// on later connections until the broker has it.
//
// Errors: UNAVAILABLE where the connection is over. Thread-safety: none; one thread, which has
// SIGPIPE blocked.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "events/base/status.h"

struct mosquitto;

namespace updraft {

// What happens on the connection. Called from within Read(); nothing may be published from there.
class BrokerEvents {
 public:
  virtual ~BrokerEvents() = default;
  // `refusal` is empty when the broker took the connection.
  virtual void OnConnack(std::string_view refusal) = 0;
  virtual void OnSuback(bool granted) = 0;
  virtual void OnMessage(std::string_view topic, std::string_view payload) = 0;
  virtual void OnPuback(int message) = 0;
};

class BrokerClient {
 public:
  struct Options {
    std::string client_id;
    std::string user;  // Empty: none, and no password.
    std::string password;
    int keepalive_seconds = 60;
    // Messages of QoS 1 that may be with the broker at a time; more wait here.
    int in_flight_max = 1'000;
  };

  static Result<std::unique_ptr<BrokerClient>> Create(const Options& options, BrokerEvents& events);
  ~BrokerClient();
  BrokerClient(const BrokerClient&) = delete;
  BrokerClient& operator=(const BrokerClient&) = delete;

  // Connects to the socket at `path` and sends CONNECT. What was open before is closed.
  Status Open(const std::string& path);
  int fd() const;

  // Handles the bytes that have come, about one message; false when there are no more of them for
  // now. Also finds the end of the connection.
  Result<bool> Read();
  bool WantsToWrite() const;
  Status Write();
  // Keeps the connection alive; at least once a second.
  Status KeepAlive();

  Status Subscribe(const std::vector<std::string>& filters);
  // The message's number in OnPuback; 0 when it can never be sent.
  int Publish(const std::string& topic, std::string_view payload, int qos);

 private:
  BrokerClient(const Options& options, BrokerEvents& events);

  struct Callbacks;

  const Options options_;
  BrokerEvents& events_;
  mosquitto* client_ = nullptr;
  bool opened_ = false;
  bool handled_ = false;  // A callback came during the Read that runs.
};

}  // namespace updraft
