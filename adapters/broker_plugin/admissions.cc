#include "adapters/broker_plugin/admissions.h"

#include <utility>

#include "adapters/wire/gate_topics.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr int64_t kMinuteMs = 60'000;

KeyLimiter::Rule FailureRule(uint32_t events_max, const GateOptions& options) {
  return {.events_max = events_max,
          .window_ms = kMinuteMs,
          .block_ms = int64_t{options.block_seconds} * 1000};
}

Admission Refuse(std::string_view reason) {
  Admission admission;
  admission.refusal = reason;
  return admission;
}

// What no honest device gets wrong often. The others are the fleet's own doing: a device that is
// disabled or reconnects too often must not be blocked when that is over.
bool IsFailure(std::string_view refusal) {
  return !refusal.empty() && refusal != "keepalive" && refusal != "connect_rate" &&
         refusal != "product_disabled" && refusal != "device_disabled";
}

}  // namespace

std::string GateClientId(const CredentialKey& key) {
  std::string id =
      Base64(std::string_view(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()));
  id.resize(kGateClientIdBytes);
  for (char& c : id) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return id;
}

Admissions::Admissions(const GateOptions& options, std::string engine_password,
                       CredentialReader& credentials, std::function<bool()> catch_up)
    : options_(options),
      engine_password_(std::move(engine_password)),
      credentials_(credentials),
      catch_up_(std::move(catch_up)),
      limiter_salt_(RandomBytes(16)),
      user_failures_(FailureRule(options.failures_per_minute, options)),
      address_failures_(FailureRule(options.address_failures_per_minute, options)),
      connects_({.events_max = options.connects_per_minute, .window_ms = kMinuteMs}) {}

Admission Admissions::Decide(const ConnectRequest& request, int64_t now_ms) {
  const uint64_t user = LimiterKey(request.ip, request.user_name.value_or(""));
  const uint64_t address = LimiterKey(request.ip, "");
  if (user_failures_.Blocked(user, now_ms) || address_failures_.Blocked(address, now_ms)) {
    return Refuse("blocked");
  }
  Admission admission = DecideUnblocked(request, now_ms);
  if (IsFailure(admission.refusal)) {
    user_failures_.Record(user, now_ms);
    address_failures_.Record(address, now_ms);
  }
  return admission;
}

Admission Admissions::DecideUnblocked(const ConnectRequest& request, int64_t now_ms) {
  if (!request.user_name || !request.password) return Refuse("no_password");
  if (*request.user_name != kEngineUserName) return DecideDevice(request, now_ms);
  if (!EqualConstantTime(*request.password, engine_password_)) return Refuse("bad_engine_password");
  Admission admission;
  admission.engine = true;
  return admission;
}

Admission Admissions::DecideDevice(const ConnectRequest& request, int64_t now_ms) {
  Result<ConnectIdentity> identity = ParseConnectIdentity(*request.user_name, request.client_id);
  if (!identity.ok()) return Refuse(identity.status().reason());
  if (request.client_id.size() < kGateClientIdBytes) return Refuse("bad_client_id");
  if (request.keepalive_seconds < options_.keepalive_min ||
      request.keepalive_seconds > options_.keepalive_max) {
    return Refuse("keepalive");
  }

  Admission admission;
  admission.key = MakeCredentialKey(identity->product_key, identity->device_name);
  admission.product_key = identity->product_key;
  admission.device_name = identity->device_name;
  admission.refusal = RefusalByCredentials(*identity, admission.key, *request.password);
  if (!admission.refusal.empty() && catch_up_()) {
    admission.refusal = RefusalByCredentials(*identity, admission.key, *request.password);
  }
  if (!admission.refusal.empty()) return admission;

  const uint64_t device = LimiterKey(*request.user_name, "");
  if (connects_.Blocked(device, now_ms)) return Refuse("connect_rate");
  connects_.Record(device, now_ms);
  return admission;
}

std::string_view Admissions::RefusalByCredentials(const ConnectIdentity& identity,
                                                  const CredentialKey& key,
                                                  std::string_view password) {
  std::optional<CredentialRecord> product =
      credentials_.Find(MakeCredentialKey(identity.product_key, ""));
  if (!product || product->state == CredentialState::kDeleted) return "unknown_product";
  if (product->state == CredentialState::kDisabled) return "product_disabled";
  std::optional<CredentialRecord> device = credentials_.Find(key);
  if (!device) return "unknown_device";
  if (device->state == CredentialState::kDeleted) return "device_deleted";
  // Checked before the state, so that only who knows the secret learns of it.
  if (!VerifyPassword(device->secret, identity, password)) return "bad_password";
  if (device->state == CredentialState::kDisabled) return "device_disabled";
  return {};
}

uint64_t Admissions::LimiterKey(std::string_view a, std::string_view b) const {
  std::string text = limiter_salt_;
  text.append(a).append(1, '\0').append(b);
  return std::hash<std::string>()(text);
}

}  // namespace updraft
