#include "adapters/mqtt/broker_client.h"

#include <cerrno>

#include <fmt/format.h>
#include <mosquitto.h>

namespace updraft {
namespace {

Status StatusOf(int error) {
  if (error == MOSQ_ERR_SUCCESS) return OkStatus();
  return Status(StatusCode::kUnavailable, mosquitto_strerror(error));
}

}  // namespace

struct BrokerClient::Callbacks {
  static BrokerEvents& EventsOf(void* self) {
    auto* client = static_cast<BrokerClient*>(self);
    client->handled_ = true;
    return client->events_;
  }

  static void OnConnect(mosquitto*, void* self, int code) {
    EventsOf(self).OnConnack(code == 0 ? "" : mosquitto_connack_string(code));
  }
  static void OnSubscribe(mosquitto*, void* self, int, int count, const int* granted) {
    bool all = true;
    for (int i = 0; i < count; ++i) all = all && granted[i] == 1;
    EventsOf(self).OnSuback(all);
  }
  static void OnMessage(mosquitto*, void* self, const mosquitto_message* message) {
    EventsOf(self).OnMessage(message->topic,
                             std::string_view(static_cast<const char*>(message->payload),
                                              static_cast<size_t>(message->payloadlen)));
  }
  static void OnPublish(mosquitto*, void* self, int message) { EventsOf(self).OnPuback(message); }
};

Result<std::unique_ptr<BrokerClient>> BrokerClient::Create(const Options& options,
                                                           BrokerEvents& events) {
  mosquitto_lib_init();
  std::unique_ptr<BrokerClient> self(new BrokerClient(options, events));
  self->client_ = mosquitto_new(options.client_id.c_str(), /*clean_session=*/false, self.get());
  if (self->client_ == nullptr) return Status(StatusCode::kInternal, "no memory for libmosquitto");
  if (!options.user.empty()) {
    RETURN_IF_ERROR(StatusOf(
        mosquitto_username_pw_set(self->client_, options.user.c_str(), options.password.c_str())));
  }
  RETURN_IF_ERROR(
      StatusOf(mosquitto_int_option(self->client_, MOSQ_OPT_SEND_MAXIMUM, options.in_flight_max)));
  mosquitto_connect_callback_set(self->client_, Callbacks::OnConnect);
  mosquitto_subscribe_callback_set(self->client_, Callbacks::OnSubscribe);
  mosquitto_message_callback_set(self->client_, Callbacks::OnMessage);
  mosquitto_publish_callback_set(self->client_, Callbacks::OnPublish);
  return self;
}

BrokerClient::BrokerClient(const Options& options, BrokerEvents& events)
    : options_(options), events_(events) {}

BrokerClient::~BrokerClient() {
  if (client_ != nullptr) mosquitto_destroy(client_);
  mosquitto_lib_cleanup();
}

Status BrokerClient::Open(const std::string& path) {
  if (opened_) return StatusOf(mosquitto_reconnect(client_));
  // Port 0 says that the host is a path.
  Status status =
      StatusOf(mosquitto_connect(client_, path.c_str(), /*port=*/0, options_.keepalive_seconds));
  opened_ = status.ok();
  return status;
}

int BrokerClient::fd() const { return mosquitto_socket(client_); }

Result<bool> BrokerClient::Read() {
  // It says success of a packet and of nothing alike, and handling a packet may leave any errno.
  handled_ = false;
  errno = 0;
  RETURN_IF_ERROR(StatusOf(mosquitto_loop_read(client_, /*max_packets=*/1)));
  return handled_ || errno != EAGAIN;
}

bool BrokerClient::WantsToWrite() const { return mosquitto_want_write(client_); }
Status BrokerClient::Write() { return StatusOf(mosquitto_loop_write(client_, /*max_packets=*/1)); }
Status BrokerClient::KeepAlive() { return StatusOf(mosquitto_loop_misc(client_)); }

Status BrokerClient::Subscribe(const std::vector<std::string>& filters) {
  std::vector<char*> texts;
  for (const std::string& filter : filters) texts.push_back(const_cast<char*>(filter.c_str()));
  return StatusOf(mosquitto_subscribe_multiple(client_, /*mid=*/nullptr,
                                               static_cast<int>(texts.size()), texts.data(),
                                               /*qos=*/1, /*options=*/0, /*properties=*/nullptr));
}

int BrokerClient::Publish(const std::string& topic, std::string_view payload, int qos) {
  int message = 0;
  int error = mosquitto_publish(client_, &message, topic.c_str(), static_cast<int>(payload.size()),
                                payload.data(), qos, /*retain=*/false);
  // Without a connection it is kept, and sent on the next.
  return error == MOSQ_ERR_SUCCESS || error == MOSQ_ERR_NO_CONN || error == MOSQ_ERR_CONN_LOST
             ? message
             : 0;
}

}  // namespace updraft
