// Who a device says it is when it connects, and whether it can prove it.
//
// A device connects with the user name `deviceName&productKey`, the client id `X|key=value,…|` and
// as password the hex (of either case: the C SDKs write capitals, the Node SDK does not) of
//
//   HMAC(deviceSecret, "clientId" X "deviceName" … "productKey" … ["timestamp" …])
//
// The keys of the client id may come in any order. Those that matter here are `signmethod`
// (hmacmd5, hmacsha1 or hmacsha256; hmacmd5 when missing), `timestamp` and `securemode`; SDKs add
// many more (`_ss`, `_v`, `ext`, `lan`, …). A timestamp is signed but never checked against a
// clock: the C SDKs send a constant in the year 2050.
//
// Units: bytes of text as received. Errors: INVALID_ARGUMENT with the reason words named below,
// fit for a metric. Thread-safety: pure. Lifetime: a ConnectIdentity points into the texts it was
// parsed from.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/wire/hmac.h"
#include "events/base/status.h"

namespace updraft {

struct ConnectIdentity {
  std::string_view product_key;
  std::string_view device_name;
  // The client id up to its first `|`. Empty where the client id begins with `|`, as Link SDK C 4.x
  // does when it wants one assigned.
  std::string_view client_id;
  HmacHash sign_method = HmacHash::kMd5;
  std::optional<std::string_view> timestamp;
  std::string_view secure_mode;  // As sent, "2" or "3" as a rule; empty when missing.
};

// Refused with bad_user_name, bad_client_id or bad_sign_method. Blanks and line breaks around keys
// and values are dropped (an old Node SDK sends them), as are items that are no `key=value`; of a
// key that comes twice the last counts.
Result<ConnectIdentity> ParseConnectIdentity(std::string_view user_name,
                                             std::string_view client_id);

// The text that a password is the HMAC of.
std::string SignedContent(const ConnectIdentity& identity);

// The password of a device with that secret, in lower-case hex.
std::string SignPassword(std::string_view device_secret, const ConnectIdentity& identity);

// Compares in a time that does not tell how much of it is right. An empty secret proves nothing.
bool VerifyPassword(std::string_view device_secret, const ConnectIdentity& identity,
                    std::string_view password);

// The spelling of `signmethod` in client ids and registrations.
std::optional<HmacHash> ParseHmacMethod(std::string_view name);

// Dynamic registration: a device that knows only its product's secret asks for its own. `sign` is
// the hex of HMAC(productSecret, "deviceName" … "productKey" … "random" …).
struct RegistrationRequest {
  std::string_view product_key;
  std::string_view device_name;
  std::string_view random;
  HmacHash sign_method = HmacHash::kSha256;
};
std::string SignRegistration(std::string_view product_secret,
                             const RegistrationRequest& registration);
bool VerifyRegistration(std::string_view product_secret, const RegistrationRequest& registration,
                        std::string_view sign);

}  // namespace updraft
