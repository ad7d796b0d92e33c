// Who calls the console's API, and proof of it: the two signatures that fielded SDKs make.
//
// ACS3-HMAC-SHA256 (the present SDKs): action, version, date, nonce and the body's hash are
// headers, signed with the query by `Authorization`. HMAC-SHA1 (older RPC clients): everything,
// `Signature` included, is a parameter, in the query, in a form body or in both.
//
//   ASSIGN_OR_RETURN(SignedCall call, ParseSignedCall(request));
//   const Key* key = keys.Find(call.access_key_id);
//   if (key == nullptr || !VerifySignature(call, key->secret)) …
//
// The caller must still hold `timestamp_ms` against its clock and `nonce` against those it has
// seen.
//
// Errors: INVALID_ARGUMENT with the code that an API answer can carry as it is: those of
// url_coding.h, MissingParameter, IncompleteSignature, InvalidTimeStamp.Format,
// SignatureDoesNotMatch (the body is not the one that was hashed), UnsupportedMediaType.
// Thread-safety: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/wire/http_message.h"
#include "adapters/wire/url_coding.h"
#include "events/base/status.h"

namespace updraft {

// More names in SignedHeaders are refused: each costs its header's value once more, and nobody has
// proved anything yet.
inline constexpr size_t kSignedHeadersMax = 64;

enum class SignatureScheme { kAcs3HmacSha256, kRpcHmacSha1 };

// What a request says. None of it is to be believed before VerifySignature().
struct SignedCall {
  SignatureScheme scheme = SignatureScheme::kAcs3HmacSha256;
  std::string action;
  std::string version;
  std::string access_key_id;
  std::string nonce;
  int64_t timestamp_ms = 0;  // Since 1970, UTC.
  Parameters parameters;     // The action's own, from query and body.
  std::string string_to_sign;
  std::string signature;  // Raw bytes.
};

Result<SignedCall> ParseSignedCall(const HttpRequest& request);

// Takes the same time however much of the signature is right. An empty secret proves nothing.
bool VerifySignature(const SignedCall& call, std::string_view secret);

// The caller's side. Both sign what they are given: the headers `host`, `content-type` and
// `x-acs-…` with the query, and all `parameters`.
//
// The value of the `Authorization` header. Refused as MissingParameter without the body's hash in
// x-acs-content-sha256.
Result<std::string> SignAcs3(const HttpRequest& request, std::string_view access_key_id,
                             std::string_view secret);
// The value of the parameter `Signature`.
std::string SignRpc(std::string_view method, const Parameters& parameters, std::string_view secret);

}  // namespace updraft
