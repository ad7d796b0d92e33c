// Who may call: proof by signature, each call once, near the present, and so many a second.
//
// A call is refused when its time is more than 15 minutes from ours, and when its nonce came before
// while the time would still be good. Nonces are kept in memory: for 15 minutes after a restart, a
// call that was listened to before it can be played again by whoever can reach the server.
//
// Thread-safety: none; it belongs to one thread. Times are in milliseconds since 1970.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "adapters/wire/openapi_signature.h"
#include "events/base/ids.h"
#include "events/base/status.h"

namespace updraft::openapi {

inline constexpr int64_t kCallTimeToleranceMs = 15 * 60'000;

class CallGuard {
 public:
  // Nonces that are remembered; with more calls than this in half an hour they are throttled.
  static constexpr size_t kNoncesMax = 1'000'000;

  // INVALID_ARGUMENT, InvalidTimeStamp.Expired.
  static Status CheckTime(const SignedCall& call, int64_t now_ms);

  // Checks the signature, then counts the call against `calls_per_second` of that key and action (0
  // is no limit), then spends the nonce. Reasons: SignatureDoesNotMatch, Throttling,
  // SignatureNonceUsed. REQUIRED: CheckTime was OK.
  Status Admit(const SignedCall& call, KeyId key, std::string_view secret,
               uint32_t calls_per_second, int64_t now_ms);

 private:
  struct Second {
    int64_t second = 0;
    uint32_t calls = 0;
  };

  Status SpendNonce(const SignedCall& call, int64_t now_ms);

  std::map<std::pair<KeyId, std::string>, Second> rates_;  // By key and action.
  std::unordered_set<std::string> nonces_;                 // Digests of key and nonce.
  std::deque<std::pair<int64_t, std::string>> spent_;      // When each may be forgotten.
};

}  // namespace updraft::openapi
