#include "adapters/openapi/client_tokens.h"

#include <utility>

#include <fmt/format.h>

#include "adapters/openapi/json.h"

namespace updraft::openapi {
namespace {

bool Succeeded(const HttpResponse& response) {
  Json json = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("Success", false);
}

}  // namespace

Result<HttpRespond> ClientTokens::Begin(const SignedCall& call, const std::string& token,
                                        HttpRespond respond, int64_t now_ms) {
  Forget(now_ms);
  std::string name = fmt::format("{}\n{}\n{}", call.access_key_id, call.action, token);
  std::string parameters = EncodeParameters(call.parameters);
  auto [it, fresh] = entries_.try_emplace(name);
  Entry& entry = it->second;
  if (fresh) {
    entry.until_ms = now_ms + kKeptMs;
    entry.parameters = std::move(parameters);
    entry.waiting.push_back(std::move(respond));
    order_.push_back(name);
    return HttpRespond([this, name](HttpResponse response) { Finish(name, std::move(response)); });
  }
  if (entry.parameters != parameters) {
    return Status(StatusCode::kInvalidArgument, "iot.common.InvalidFormattedParameter",
                  "this ClientToken came with other parameters before; each call to be done needs "
                  "one of its own");
  }
  if (entry.answer) {
    respond(*entry.answer);
  } else {
    entry.waiting.push_back(std::move(respond));
  }
  return HttpRespond();
}

void ClientTokens::Finish(const std::string& name, HttpResponse response) {
  auto it = entries_.find(name);
  if (it == entries_.end()) return;
  std::vector<HttpRespond> waiting = std::exchange(it->second.waiting, {});
  if (Succeeded(response)) {
    it->second.answer = response;
  } else {
    entries_.erase(it);  // Nothing was done, so the call may be tried again.
  }
  for (HttpRespond& respond : waiting) respond(response);
}

void ClientTokens::Forget(int64_t now_ms) {
  while (!order_.empty()) {
    auto it = entries_.find(order_.front());
    bool due = it == entries_.end() || it->second.until_ms <= now_ms || order_.size() >= kMax;
    if (!due) return;
    // One that is not done yet is waited for.
    if (it != entries_.end() && !it->second.waiting.empty()) return;
    if (it != entries_.end()) entries_.erase(it);
    order_.pop_front();
  }
}

}  // namespace updraft::openapi
