#include "tests/fleet/mqtt_link.h"

#include <utility>

namespace updraft {

MqttLink::MqttLink(Loop& loop, const BrokerAddress& broker, const MqttLogin& login, User& user)
    : loop_(loop),
      user_(user),
      stream_(std::make_unique<Stream>(loop, broker.ip, broker.port, *this)) {
  stream_->Send(ConnectPacket(login));
}

MqttLink::~MqttLink() {
  stream_->Close();
  loop_.Retire(std::move(stream_));
}

void MqttLink::Publish(std::string_view topic, std::string_view payload) {
  stream_->Send(PublishPacket(topic, payload));
}

void MqttLink::Ping() { stream_->Send(PingPacket()); }

void MqttLink::Disconnect() { stream_->Send(DisconnectPacket()); }

void MqttLink::OnClosed() {
  up_ = false;
  user_.OnLinkDown(this, false);
}

void MqttLink::OnBytes(std::string_view bytes) {
  std::weak_ptr<int> alive = alive_;
  reader_.Feed(bytes);
  while (auto packet = reader_.Next()) {
    if (packet->kind == MqttKind::kConnack) {
      up_ = packet->body.size() == 2 && packet->body[1] == 0;
      if (!up_) return user_.OnLinkDown(this, true);
      user_.OnLinkUp(this);
    } else if (packet->kind == MqttKind::kPublish) {
      auto message = ParsePublish(*packet);
      if (!message) return OnClosed();
      if (message->packet_id != 0) stream_->Send(PubackPacket(message->packet_id));
      user_.OnLinkMessage(this, message->topic, message->payload);
    }
    if (alive.expired()) return;
  }
  if (reader_.broken()) OnClosed();
}

}  // namespace updraft
