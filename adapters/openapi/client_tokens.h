// Calls that may be sent again: a creating action with a ClientToken is done once, and who repeats
// the call within 24 hours gets the first one's answer. Answers are kept in memory: a restart
// forgets them, and then only what has a name or a version of its own is safe from a second one.
//
// Thread-safety: none; it belongs to one thread, on which the calls are answered as well. Lifetime:
// outlives the calls that it began.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/wire/http_message.h"
#include "adapters/wire/openapi_signature.h"
#include "events/base/status.h"

namespace updraft::openapi {

class ClientTokens {
 public:
  static constexpr int64_t kKeptMs = int64_t{24} * 3'600'000;
  static constexpr size_t kMax = 20'000;  // The oldest goes when there are more.

  // What answers the call when it has been run; null when it must not be, since it is a repeat:
  // `respond` is then called with the first one's answer as soon as that is there.
  // INVALID_ARGUMENT when the token came with other parameters before.
  Result<HttpRespond> Begin(const SignedCall& call, const std::string& token, HttpRespond respond,
                            int64_t now_ms);

 private:
  struct Entry {
    int64_t until_ms = 0;
    std::string parameters;
    std::optional<HttpResponse> answer;  // Once the first call is done.
    std::vector<HttpRespond> waiting;
  };

  void Forget(int64_t now_ms);
  void Finish(const std::string& name, HttpResponse response);

  std::map<std::string, Entry> entries_;  // By key, action and token.
  std::deque<std::string> order_;
};

}  // namespace updraft::openapi
