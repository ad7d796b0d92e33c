// Who may connect.
//
// A refusal is told by one of the words below, fit for a metric; the client learns none of it.
//
//   no_password, bad_user_name, bad_client_id, bad_sign_method   not what a device sends
//   unknown_product, product_disabled, unknown_device, device_disabled, device_deleted
//   bad_password, bad_engine_password
//   keepalive      outside the bounds
//   connect_rate   too many connects of this device in a minute
//   blocked        too many failures from there, nothing was looked at
//
// Times are milliseconds of a clock that does not go back. Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/broker_plugin/options.h"
#include "adapters/broker_plugin/rate_limits.h"
#include "adapters/wire/credential_reader.h"
#include "adapters/wire/credentials.h"

namespace updraft {

// A CONNECT as the broker received it.
struct ConnectRequest {
  std::string_view client_id;
  std::optional<std::string_view> user_name;
  std::optional<std::string_view> password;
  std::string_view ip;
  uint32_t keepalive_seconds = 0;
};

struct Admission {
  std::string_view refusal;  // Empty where it is accepted.
  bool engine = false;       // It is the engine's account.
  // Of a device; the names point into the request.
  CredentialKey key;
  std::string_view product_key;
  std::string_view device_name;
};

// A device's client id in the broker, made from its key.
inline constexpr size_t kGateClientIdBytes = 14;
std::string GateClientId(const CredentialKey& key);

class Admissions {
 public:
  // `catch_up` reads what is new in `credentials` and tells whether there was anything: a device
  // may connect right after it was registered. Both outlive this object.
  Admissions(const GateOptions& options, std::string engine_password, CredentialReader& credentials,
             std::function<bool()> catch_up);

  void SetEnginePassword(std::string password) { engine_password_ = std::move(password); }

  Admission Decide(const ConnectRequest& request, int64_t now_ms);

 private:
  Admission DecideUnblocked(const ConnectRequest& request, int64_t now_ms);
  Admission DecideDevice(const ConnectRequest& request, int64_t now_ms);
  std::string_view RefusalByCredentials(const ConnectIdentity& identity, const CredentialKey& key,
                                        std::string_view password);
  uint64_t LimiterKey(std::string_view a, std::string_view b) const;

  const GateOptions options_;
  std::string engine_password_;
  CredentialReader& credentials_;
  std::function<bool()> catch_up_;
  const std::string limiter_salt_;  // So that nobody can choose keys that fall together.
  KeyLimiter user_failures_;
  KeyLimiter address_failures_;
  KeyLimiter connects_;
};

}  // namespace updraft
