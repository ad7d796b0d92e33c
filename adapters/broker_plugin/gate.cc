#include "adapters/broker_plugin/gate.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "adapters/wire/gate_topics.h"
#include "adapters/wire/topics.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

bool IsRequestName(std::string_view text) {
  return text.size() <= Gate::kRequestBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

// `/{pk}/{dn}/user/…`, which the service has no part in.
bool IsUserTopic(const Connection& device, std::string_view topic) {
  return topic.starts_with(fmt::format("/{}/{}/user/", device.product_key, device.device_name));
}

}  // namespace

Gate::Gate(const GateOptions& options, std::string engine_password, uint64_t epoch,
           std::string_view version, Broker& broker)
    : options_(options),
      message_rule_{options.qos0_per_second, options.qos1_per_second},
      epoch_(epoch),
      broker_(broker),
      credentials_(options.credentials),
      admissions_(options, std::move(engine_password), credentials_, [this] { return CatchUp(); }) {
  broker_.Publish(std::string(kGateBrokerTopic),
                  fmt::format(R"({{"epoch":{},"version":"{}"}})", epoch_, version), 1,
                  /*retain=*/true);
}

Admission Gate::Connect(Client client, const ConnectRequest& request, int64_t now_ms) {
  Disconnected(client);  // Should the broker ever reuse a name without telling its end.
  Admission admission = admissions_.Decide(request, now_ms);
  if (!admission.refusal.empty()) {
    Refused(request, admission.refusal, now_ms);
    return admission;
  }
  if (admission.engine) {
    engines_.insert(client);
    return admission;
  }
  ++stats_.accepted;
  if (connections_.FindLive(admission.key) != nullptr) ++stats_.takeovers;
  TellOnline(connections_.Open(client, admission.key, admission.product_key, admission.device_name,
                               request.ip));
  return admission;
}

void Gate::Disconnected(Client client) {
  engines_.erase(client);
  std::optional<Connection> closed = connections_.Close(client);
  if (closed && closed->live) TellOffline(*closed);
}

bool Gate::Knows(Client client) { return IsEngine(client) || connections_.Find(client) != nullptr; }

bool Gate::Allows(Client client, const AccessRequest& request, int64_t now_ms) {
  if (IsEngine(client)) return true;
  const Connection* device = connections_.Find(client);
  if (device == nullptr) return false;
  switch (request.access) {
    case Access::kPublish:
      if (MayPublish(device->product_key, device->device_name, request.topic)) return true;
      Denied(*device, "publish", request.topic, "publish_topic", now_ms);
      return false;
    case Access::kSubscribe: {
      std::string_view denial = SubscribeDenial(*device, request);
      if (denial.empty()) return true;
      Denied(*device, "subscribe", request.topic, denial, now_ms);
      return false;
    }
    case Access::kReceive:
      // What the engine sends is delivered past the subscriptions, so that nothing comes twice. The
      // broker asks this for what a persistent session kept too, and so drops what was meant for an
      // earlier connection.
      return IsUserTopic(*device, request.topic);
  }
  Unreachable();
}

std::string_view Gate::SubscribeDenial(const Connection& device,
                                       const AccessRequest& request) const {
  if (!MaySubscribe(device.product_key, device.device_name, request.topic)) {
    return "subscribe_topic";
  }
  const uint32_t max = options_.subscriptions_max;
  return max > 0 && request.subscriptions >= max ? "subscriptions" : "";
}

Verdict Gate::Publish(Client client, const Message& message, int64_t now_ms) {
  if (IsEngine(client)) return PublishFromEngine(message);
  Connection* device = connections_.Find(client);
  if (device == nullptr) return Verdict::kDeny;
  return PublishFromDevice(*device, message, now_ms);
}

Verdict Gate::PublishFromEngine(const Message& message) {
  if (message.topic == kGateRosterGetTopic) {
    StartRoster(message.payload);
    return Verdict::kTaken;
  }
  std::optional<GateDownTopic> down = ParseGateDownTopic(message.topic);
  if (!down) return Verdict::kPass;
  const CredentialKey key = MakeCredentialKey(down->product_key, down->device_name);
  if (connections_.FindLive(key) == nullptr) {
    ++stats_.undeliverable;
    return Verdict::kTaken;
  }
  ++stats_.delivered;
  broker_.Deliver(GateClientId(key), std::string(down->device_topic), message.payload, message.qos);
  return Verdict::kTaken;
}

Verdict Gate::PublishFromDevice(Connection& device, const Message& message, int64_t now_ms) {
  if (!device.rate.Admit(message_rule_, message.qos, now_ms)) {
    Denied(device, "publish", message.topic, "message_rate", now_ms);
    return Verdict::kDeny;
  }
  // Allows() found the names in the topic to be the device's own.
  std::optional<UplinkTopic> up = ParseUplinkTopic(message.topic);
  auto is_over = [&](uint32_t bound) { return bound > 0 && message.payload.size() > bound; };
  if (is_over(options_.payload_bytes_max) || (up && is_over(options_.report_bytes_max))) {
    Denied(device, "publish", message.topic, "payload_bytes", now_ms);
    return Verdict::kDeny;
  }
  if (!up) return Verdict::kPass;
  ++stats_.republished;
  broker_.Publish(GateUpTopic(*up), message.payload, 1, /*retain=*/false);
  return Verdict::kTaken;
}

void Gate::Tick(int64_t now_ms) {
  if (now_ms < next_tick_ms_) return;
  next_tick_ms_ = now_ms + kTickMs;
  CatchUp();
  for (const std::string& problem : credentials_.TakeProblems()) {
    if (MayWarn(now_ms)) broker_.Warn(problem);
  }
  StepChecks();
  CloseUnwelcome();
  StepRoster();
  TellCredentials();
  TellStats(now_ms);
}

bool Gate::CatchUp() {
  bool changed = false;
  CredentialReader::Progress progress =
      credentials_.CatchUp(kCredentialsAtOnce, [&](const CredentialRecord& record) {
        changed = true;
        CredentialChanged(record);
      });
  // A base may have been made without the delta before it, after a crash.
  if (progress.new_generation) check_ = Walk{.last = connections_.newest_generation()};
  return changed || progress.new_generation;
}

void Gate::CredentialChanged(const CredentialRecord& record) {
  if (record.state == CredentialState::kEnabled) return;
  switch (record.kind) {
    case CredentialKind::kDevice:
      if (connections_.FindLive(record.key) != nullptr) unwelcome_.push_back(record.key);
      return;
    case CredentialKind::kProduct:
      check_ = Walk{.last = connections_.newest_generation()};
      return;
  }
  Unreachable();
}

bool Gate::StillWelcome(const Connection& connection) {
  for (const CredentialKey& key : {MakeCredentialKey(connection.product_key, ""), connection.key}) {
    std::optional<CredentialRecord> record = credentials_.Find(key);
    if (!record || record->state != CredentialState::kEnabled) return false;
  }
  return true;
}

void Gate::StepChecks() {
  if (!check_) return;
  std::optional<uint64_t> after = connections_.VisitLive(
      check_->after, check_->last, kConnectionsAtOnce, [this](const Connection& connection) {
        if (!StillWelcome(connection)) unwelcome_.push_back(connection.key);
      });
  if (after) {
    check_->after = *after;
  } else {
    check_.reset();
  }
}

void Gate::CloseUnwelcome() {
  for (size_t i = 0; i < kConnectionsAtOnce && !unwelcome_.empty(); ++i) {
    const CredentialKey key = unwelcome_.back();
    unwelcome_.pop_back();
    const Connection* connection = connections_.FindLive(key);
    if (connection == nullptr || StillWelcome(*connection)) continue;
    ++stats_.disconnected;
    broker_.Disconnect(GateClientId(key));
  }
}

void Gate::StartRoster(std::string_view request) {
  if (!IsRequestName(request)) return;
  roster_ = Walk{.last = connections_.newest_generation()};
  roster_request_ = request;
  roster_count_ = 0;
}

void Gate::StepRoster() {
  if (!roster_) return;
  std::optional<uint64_t> after = connections_.VisitLive(
      roster_->after, roster_->last, kConnectionsAtOnce, [this](const Connection& connection) {
        ++roster_count_;
        TellOnline(connection);
      });
  if (after) {
    roster_->after = *after;
    return;
  }
  roster_.reset();
  broker_.Publish(std::string(kGateRosterTopic),
                  fmt::format(R"({{"request":"{}","epoch":{},"count":{}}})", roster_request_,
                              epoch_, roster_count_),
                  1, /*retain=*/false);
}

void Gate::TellOnline(const Connection& connection) {
  broker_.Publish(MakeGatePresenceTopic({connection.product_key, connection.device_name}),
                  fmt::format(R"({{"state":"online","epoch":{},"generation":{},"ip":"{}"}})",
                              epoch_, connection.generation, connection.ip),
                  1, /*retain=*/false);
}

void Gate::TellOffline(const Connection& connection) {
  broker_.Publish(MakeGatePresenceTopic({connection.product_key, connection.device_name}),
                  fmt::format(R"({{"state":"offline","epoch":{},"generation":{}}})", epoch_,
                              connection.generation),
                  1, /*retain=*/false);
}

void Gate::TellCredentials() {
  const uint64_t generation = credentials_.generation();
  const uint64_t position = credentials_.position();
  if (generation == told_generation_ && position == told_position_) return;
  told_generation_ = generation;
  told_position_ = position;
  broker_.Publish(std::string(kGateCredentialsTopic),
                  fmt::format(R"({{"generation":{},"position":{}}})", generation, position), 0,
                  /*retain=*/true);
}

void Gate::TellStats(int64_t now_ms) {
  if (engines_.empty() || options_.stats_seconds == 0 || now_ms < next_stats_ms_) return;
  next_stats_ms_ = now_ms + int64_t{options_.stats_seconds} * 1000;
  GateState state = {.epoch = epoch_,
                     .online = connections_.live(),
                     .credentials_generation = credentials_.generation(),
                     .credentials_position = credentials_.position(),
                     .credentials_damaged = credentials_.damaged_records()};
  broker_.Publish(std::string(kGateStatsTopic), StatsJson(stats_, state), 0, /*retain=*/false);
}

void Gate::Refused(const ConnectRequest& request, std::string_view reason, int64_t now_ms) {
  ++stats_.refused[reason];
  if (!MayWarn(now_ms)) return;
  broker_.Warn(fmt::format("refused: user=\"{}\" address={} reason={}",
                           request.user_name.value_or(""), request.ip, reason));
}

void Gate::Denied(const Connection& device, std::string_view what, std::string_view topic,
                  std::string_view reason, int64_t now_ms) {
  ++stats_.denied[reason];
  if (!MayWarn(now_ms)) return;
  broker_.Warn(fmt::format("denied: {} device={}/{} topic=\"{}\" reason={}", what,
                           device.product_key, device.device_name, topic, reason));
}

bool Gate::MayWarn(int64_t now_ms) {
  if (!lines_.Admit(now_ms)) return false;
  if (uint64_t suppressed = lines_.TakeSuppressed(); suppressed > 0) {
    broker_.Warn(fmt::format("{} lines left out", suppressed));
  }
  return true;
}

}  // namespace updraft
