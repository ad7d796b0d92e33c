#include "adapters/wire/openapi_signature.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "adapters/wire/hmac.h"
#include "events/base/assert.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr std::string_view kAcs3 = "ACS3-HMAC-SHA256";
constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

// The headers that this side takes a meaning from, so that they must be signed.
constexpr std::string_view kAction = "x-acs-action";
constexpr std::string_view kVersion = "x-acs-version";
constexpr std::string_view kDate = "x-acs-date";
constexpr std::string_view kNonce = "x-acs-signature-nonce";
constexpr std::string_view kContentHash = "x-acs-content-sha256";

// Parameters of the protocol and not of an action.
constexpr std::string_view kCommonParameters[] = {
    "AccessKeyId",   "Action",           "Format",          "RegionId",
    "SecurityToken", "Signature",        "SignatureMethod", "SignatureNonce",
    "SignatureType", "SignatureVersion", "Timestamp",       "Version"};

Status Refused(std::string_view code, std::string message) {
  return Status(StatusCode::kInvalidArgument, code, std::move(message));
}

Status Missing(std::string_view name) {
  return Refused("MissingParameter", fmt::format("{} is missing", name));
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

Result<std::string> Required(std::string_view name, std::string_view value) {
  if (value.empty()) return Missing(name);
  return std::string(value);
}

Result<std::string> Header(const HttpRequest& request, std::string_view name) {
  return Required(name, request.Header(name));
}

Result<std::string> Parameter(const Parameters& parameters, std::string_view name) {
  auto found = parameters.find(name);
  return Required(name, found == parameters.end() ? std::string_view() : found->second);
}

// `2026-11-23T03:45:43Z` and no other form.
std::optional<int64_t> ParseUtcTime(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    bool fits = kForm[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == kForm[i];
    if (!fits) return std::nullopt;
  }
  auto number = [text](size_t at, size_t digits) {
    int value = 0;
    for (char digit : text.substr(at, digits)) value = value * 10 + (digit - '0');
    return value;
  };
  year_month_day date{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                      day(static_cast<unsigned>(number(8, 2)))};
  hours hour(number(11, 2));
  minutes minute(number(14, 2));
  seconds second(number(17, 2));
  if (!date.ok() || hour >= hours(24) || minute >= hours(1) || second >= minutes(1)) {
    return std::nullopt;
  }
  return milliseconds(sys_days(date).time_since_epoch() + hour + minute + second).count();
}

Result<int64_t> TimestampMs(const std::string& text) {
  std::optional<int64_t> time_ms = ParseUtcTime(text);
  if (!time_ms) {
    return Refused("InvalidTimeStamp.Format", "a time is written as 2026-11-23T03:45:43Z");
  }
  return *time_ms;
}

// The text under an ACS3 signature. `query` holds the parameters of the query alone.
std::string Acs3StringToSign(const HttpRequest& request, const Parameters& query,
                             std::string_view signed_headers) {
  std::string canonical =
      fmt::format("{}\n{}\n{}\n", request.method, request.path, EncodeParameters(query));
  for (std::string_view name : Split(signed_headers, ';')) {
    canonical += fmt::format("{}:{}\n", name, request.Header(name));
  }
  canonical += fmt::format("\n{}\n{}", signed_headers, request.Header(kContentHash));
  return fmt::format("{}\n{}", kAcs3, HexLower(Sha256(canonical)));
}

std::string RpcStringToSign(std::string_view method, const Parameters& parameters) {
  return fmt::format("{}&%2F&{}", method, PercentEncode(EncodeParameters(parameters)));
}

std::string SignatureBytes(SignatureScheme scheme, std::string_view secret,
                           std::string_view string_to_sign) {
  switch (scheme) {
    case SignatureScheme::kAcs3HmacSha256:
      return Hmac(HmacHash::kSha256, secret, string_to_sign);
    case SignatureScheme::kRpcHmacSha1:
      return Hmac(HmacHash::kSha1, std::string(secret) + "&", string_to_sign);
  }
  Unreachable();
}

struct Authorization {
  std::string_view access_key_id;
  std::string_view signed_headers;
  std::string_view signature_hex;
};

// `Credential=…,SignedHeaders=…,Signature=…`, in any order, with blanks or without.
Result<Authorization> ParseAuthorization(std::string_view value) {
  Authorization authorization;
  for (std::string_view item : Split(value, ',')) {
    item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
    size_t equals = item.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view key = item.substr(0, equals);
    if (key == "Credential") authorization.access_key_id = item.substr(equals + 1);
    if (key == "SignedHeaders") authorization.signed_headers = item.substr(equals + 1);
    if (key == "Signature") authorization.signature_hex = item.substr(equals + 1);
  }
  if (authorization.access_key_id.empty() || authorization.signed_headers.empty()) {
    return Refused("IncompleteSignature", "Authorization lacks Credential or SignedHeaders");
  }
  std::vector<std::string_view> names = Split(authorization.signed_headers, ';');
  if (names.size() > kSignedHeadersMax) {
    return Refused("IncompleteSignature", fmt::format("{} headers are signed", names.size()));
  }
  for (std::string_view needed : {kAction, kVersion, kDate, kNonce, kContentHash}) {
    if (std::find(names.begin(), names.end(), needed) == names.end()) {
      return Refused("IncompleteSignature", fmt::format("the header {} is not signed", needed));
    }
  }
  return authorization;
}

Status CheckBody(const HttpRequest& request) {
  ASSIGN_OR_RETURN(std::string content_hash, Header(request, kContentHash));
  Hash256 hash = Sha256(request.body);
  if (HexDecode(content_hash) != std::string(hash.begin(), hash.end())) {
    return Refused("SignatureDoesNotMatch", "x-acs-content-sha256 is not the hash of the body");
  }
  return OkStatus();
}

Status ParseAcs3(const HttpRequest& request, std::string_view authorization_value,
                 const Parameters& query, SignedCall& call) {
  ASSIGN_OR_RETURN(Authorization authorization, ParseAuthorization(authorization_value));
  std::optional<std::string> signature = HexDecode(authorization.signature_hex);
  if (!signature || signature->empty()) {
    return Refused("IncompleteSignature", "the signature is no hex");
  }
  RETURN_IF_ERROR(CheckBody(request));
  call.scheme = SignatureScheme::kAcs3HmacSha256;
  call.access_key_id = authorization.access_key_id;
  call.signature = *std::move(signature);
  ASSIGN_OR_RETURN(call.action, Header(request, kAction));
  ASSIGN_OR_RETURN(call.version, Header(request, kVersion));
  ASSIGN_OR_RETURN(call.nonce, Header(request, kNonce));
  ASSIGN_OR_RETURN(std::string date, Header(request, kDate));
  ASSIGN_OR_RETURN(call.timestamp_ms, TimestampMs(date));
  call.string_to_sign = Acs3StringToSign(request, query, authorization.signed_headers);
  return OkStatus();
}

Status ParseRpc(const HttpRequest& request, SignedCall& call) {
  Parameters& parameters = call.parameters;
  call.scheme = SignatureScheme::kRpcHmacSha1;
  ASSIGN_OR_RETURN(std::string signature, Parameter(parameters, "Signature"));
  ASSIGN_OR_RETURN(std::string method, Parameter(parameters, "SignatureMethod"));
  ASSIGN_OR_RETURN(std::string signature_version, Parameter(parameters, "SignatureVersion"));
  std::optional<std::string> bytes = Base64Decode(signature);
  if (!bytes || method != "HMAC-SHA1" || signature_version != "1.0") {
    return Refused("IncompleteSignature", "the signature is base64 of HMAC-SHA1, version 1.0");
  }
  call.signature = *std::move(bytes);
  ASSIGN_OR_RETURN(call.access_key_id, Parameter(parameters, "AccessKeyId"));
  ASSIGN_OR_RETURN(call.action, Parameter(parameters, "Action"));
  ASSIGN_OR_RETURN(call.version, Parameter(parameters, "Version"));
  ASSIGN_OR_RETURN(call.nonce, Parameter(parameters, "SignatureNonce"));
  ASSIGN_OR_RETURN(std::string timestamp, Parameter(parameters, "Timestamp"));
  ASSIGN_OR_RETURN(call.timestamp_ms, TimestampMs(timestamp));
  parameters.erase("Signature");
  call.string_to_sign = RpcStringToSign(request.method, parameters);
  return OkStatus();
}

// A body is a form; one of another type would be neither read nor, in the older scheme, signed.
Status AddForm(const HttpRequest& request, Parameters& parameters) {
  if (request.body.empty()) return OkStatus();
  std::string_view type = request.Header("content-type");
  if (!type.empty() && !type.starts_with(kFormType)) {
    return Refused("UnsupportedMediaType", "a body is a form, or empty");
  }
  return AddParameters(request.body, parameters);
}

// `host;x-acs-action;…`: the names of the headers to sign, as they are to be listed.
std::string HeadersToSign(const HttpRequest& request) {
  std::set<std::string> names;
  for (const HttpHeader& header : request.headers) {
    std::string name = header.name;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (name == "host" || name == "content-type" || name.starts_with("x-acs-")) names.insert(name);
  }
  return fmt::format("{}", fmt::join(names, ";"));
}

}  // namespace

Result<SignedCall> ParseSignedCall(const HttpRequest& request) {
  SignedCall call;
  RETURN_IF_ERROR(AddParameters(request.raw_query, call.parameters));
  const Parameters query = call.parameters;
  RETURN_IF_ERROR(AddForm(request, call.parameters));

  std::string_view authorization = request.Header("authorization");
  if (authorization.starts_with("ACS3-") && !authorization.starts_with(kAcs3)) {
    return Refused("IncompleteSignature",
                   fmt::format("of header signatures {} is the one that is taken", kAcs3));
  }
  if (authorization.starts_with(kAcs3)) {
    RETURN_IF_ERROR(ParseAcs3(request, authorization.substr(kAcs3.size()), query, call));
  } else {
    RETURN_IF_ERROR(ParseRpc(request, call));
  }
  for (std::string_view name : kCommonParameters) {
    if (auto common = call.parameters.find(name); common != call.parameters.end()) {
      call.parameters.erase(common);
    }
  }
  return call;
}

bool VerifySignature(const SignedCall& call, std::string_view secret) {
  return !secret.empty() &&
         EqualConstantTime(SignatureBytes(call.scheme, secret, call.string_to_sign),
                           call.signature);
}

Result<std::string> SignAcs3(const HttpRequest& request, std::string_view access_key_id,
                             std::string_view secret) {
  RETURN_IF_ERROR(Header(request, kContentHash).status());
  Parameters query;
  RETURN_IF_ERROR(AddParameters(request.raw_query, query));
  const std::string signed_headers = HeadersToSign(request);
  const std::string string_to_sign = Acs3StringToSign(request, query, signed_headers);
  return fmt::format(
      "{} Credential={},SignedHeaders={},Signature={}", kAcs3, access_key_id, signed_headers,
      HexLower(SignatureBytes(SignatureScheme::kAcs3HmacSha256, secret, string_to_sign)));
}

std::string SignRpc(std::string_view method, const Parameters& parameters,
                    std::string_view secret) {
  return Base64(
      SignatureBytes(SignatureScheme::kRpcHmacSha1, secret, RpcStringToSign(method, parameters)));
}

}  // namespace updraft
