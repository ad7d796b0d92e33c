#include "adapters/openapi/call_guard.h"

#include <fmt/format.h>

namespace updraft::openapi {

Status CallGuard::CheckTime(const SignedCall& call, int64_t now_ms) {
  int64_t off_ms = call.timestamp_ms - now_ms;
  if (off_ms >= -kCallTimeToleranceMs && off_ms <= kCallTimeToleranceMs) return OkStatus();
  return Status(StatusCode::kInvalidArgument, "InvalidTimeStamp.Expired",
                fmt::format("the call's time is {} s from the server's; at most {} are allowed, "
                            "set the caller's clock",
                            off_ms / 1000, kCallTimeToleranceMs / 1000));
}

Status CallGuard::Admit(const SignedCall& call, KeyId key, std::string_view secret,
                        uint32_t calls_per_second, int64_t now_ms) {
  if (!VerifySignature(call, secret)) {
    return Status(StatusCode::kPermissionDenied, "SignatureDoesNotMatch",
                  "the signature is not that of this call with the access key's secret");
  }
  Second& rate = rates_[{key, call.action}];
  if (rate.second != now_ms / 1000) rate = {now_ms / 1000, 0};
  if (calls_per_second != 0 && rate.calls >= calls_per_second) {
    return Status(StatusCode::kResourceExhausted, "Throttling",
                  fmt::format("{} takes {} calls a second of one key; try again", call.action,
                              calls_per_second));
  }
  ++rate.calls;
  return SpendNonce(call, now_ms);
}

Status CallGuard::SpendNonce(const SignedCall& call, int64_t now_ms) {
  Nonces& nonces = nonces_[call.access_key_id];
  while (!nonces.spent.empty() && nonces.spent.front().first <= now_ms) {
    nonces.digests.erase(nonces.spent.front().second);
    nonces.spent.pop_front();
  }
  if (nonces.spent.size() >= nonces_max_) {
    return Status(StatusCode::kResourceExhausted, "Throttling",
                  "this key made too many calls in the last half an hour; try again later");
  }
  const Fingerprint digest = Fingerprint::Of(call.nonce);
  if (!nonces.digests.insert(digest).second) {
    return Status(StatusCode::kInvalidArgument, "SignatureNonceUsed",
                  "this call was made before; each call needs a nonce of its own");
  }
  // A call from the end of the tolerance stays good for twice as long.
  nonces.spent.emplace_back(now_ms + 2 * kCallTimeToleranceMs + 1, digest);
  return OkStatus();
}

}  // namespace updraft::openapi
