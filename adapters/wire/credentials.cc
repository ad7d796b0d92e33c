#include "adapters/wire/credentials.h"

#include <fmt/format.h>

#include "adapters/wire/names.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

Status Refused(std::string_view reason, std::string message) {
  return Status(StatusCode::kInvalidArgument, reason, std::move(message));
}

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view Trim(std::string_view text) {
  size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Takes what comes before the next comma off the front of `items`.
std::string_view TakeItem(std::string_view& items) {
  size_t comma = items.find(',');
  std::string_view item = items.substr(0, comma);
  items = comma == std::string_view::npos ? std::string_view() : items.substr(comma + 1);
  return item;
}

Status ReadParameters(std::string_view items, ConnectIdentity& identity) {
  while (!items.empty()) {
    std::string_view item = TakeItem(items);
    size_t equals = item.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view key = Trim(item.substr(0, equals));
    std::string_view value = Trim(item.substr(equals + 1));
    if (key == "signmethod") {
      std::optional<HmacHash> method = ParseHmacMethod(value);
      if (!method) {
        return Refused("bad_sign_method", "signmethod is one of hmacmd5, hmacsha1 and hmacsha256");
      }
      identity.sign_method = *method;
    } else if (key == "timestamp") {
      identity.timestamp = value;
    } else if (key == "securemode") {
      identity.secure_mode = value;
    }
  }
  return OkStatus();
}

bool MatchesHex(std::string_view expected_bytes, std::string_view hex) {
  std::optional<std::string> bytes = HexDecode(hex);
  return bytes && EqualConstantTime(expected_bytes, *bytes);
}

std::string PasswordBytes(std::string_view device_secret, const ConnectIdentity& identity) {
  return Hmac(identity.sign_method, device_secret, SignedContent(identity));
}

std::string RegistrationBytes(std::string_view product_secret,
                              const RegistrationRequest& registration) {
  return Hmac(registration.sign_method, product_secret,
              fmt::format("deviceName{}productKey{}random{}", registration.device_name,
                          registration.product_key, registration.random));
}

}  // namespace

Result<ConnectIdentity> ParseConnectIdentity(std::string_view user_name,
                                             std::string_view client_id) {
  ConnectIdentity identity;
  size_t ampersand = user_name.find('&');
  if (ampersand == std::string_view::npos) {
    return Refused("bad_user_name", "the user name is deviceName&productKey");
  }
  identity.device_name = user_name.substr(0, ampersand);
  identity.product_key = user_name.substr(ampersand + 1);
  if (!IsWireName(identity.device_name) || !IsWireName(identity.product_key) ||
      identity.product_key.find('&') != std::string_view::npos) {
    return Refused("bad_user_name", "the user name holds no device name and product key");
  }

  size_t open = client_id.find('|');
  size_t close = client_id.find_last_not_of(kBlanks);
  if (open == std::string_view::npos || close <= open || client_id.find('|', open + 1) != close) {
    return Refused("bad_client_id", "the client id is X|key=value,key=value|");
  }
  identity.client_id = client_id.substr(0, open);
  RETURN_IF_ERROR(ReadParameters(client_id.substr(open + 1, close - open - 1), identity));
  return identity;
}

std::string SignedContent(const ConnectIdentity& identity) {
  std::string content = fmt::format("clientId{}deviceName{}productKey{}", identity.client_id,
                                    identity.device_name, identity.product_key);
  if (identity.timestamp) content.append("timestamp").append(*identity.timestamp);
  return content;
}

std::string SignPassword(std::string_view device_secret, const ConnectIdentity& identity) {
  return HexLower(PasswordBytes(device_secret, identity));
}

bool VerifyPassword(std::string_view device_secret, const ConnectIdentity& identity,
                    std::string_view password) {
  return !device_secret.empty() && MatchesHex(PasswordBytes(device_secret, identity), password);
}

std::optional<HmacHash> ParseHmacMethod(std::string_view name) {
  if (name == "hmacmd5") return HmacHash::kMd5;
  if (name == "hmacsha1") return HmacHash::kSha1;
  if (name == "hmacsha256") return HmacHash::kSha256;
  return std::nullopt;
}

std::string SignRegistration(std::string_view product_secret,
                             const RegistrationRequest& registration) {
  return HexLower(RegistrationBytes(product_secret, registration));
}

bool VerifyRegistration(std::string_view product_secret, const RegistrationRequest& registration,
                        std::string_view sign) {
  return !product_secret.empty() &&
         MatchesHex(RegistrationBytes(product_secret, registration), sign);
}

}  // namespace updraft
