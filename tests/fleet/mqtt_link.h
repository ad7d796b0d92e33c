// A device's connection to the broker: logs in, takes messages, acknowledges them, hears of the
// end. Thread-safety: the loop's thread. Lifetime: `user` outlives it; it may be destroyed from
// within the calls to the user.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/fleet/loop.h"
#include "tests/fleet/mqtt_packets.h"
#include "tests/fleet/stream.h"

namespace updraft {

struct BrokerAddress {
  std::string ip;
  uint16_t port = 1883;
};

class MqttLink : public Stream::User {
 public:
  class User {
   public:
    virtual ~User() = default;
    virtual void OnLinkUp(MqttLink* link) = 0;
    virtual void OnLinkMessage(MqttLink* link, std::string_view topic,
                               std::string_view payload) = 0;
    // `refused`: the broker did not want this login.
    virtual void OnLinkDown(MqttLink* link, bool refused) = 0;
  };

  MqttLink(Loop& loop, const BrokerAddress& broker, const MqttLogin& login, User& user);
  ~MqttLink() override;

  bool up() const { return up_; }
  void Publish(std::string_view topic, std::string_view payload);
  void Ping();
  // Says goodbye; the broker closes, and the user hears of it.
  void Disconnect();

 private:
  void OnBytes(std::string_view bytes) override;
  void OnClosed() override;

  Loop& loop_;
  User& user_;
  MqttReader reader_;
  std::unique_ptr<Stream> stream_;
  bool up_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // Gone with this.
};

}  // namespace updraft
