// Calls the console's API of a running service: signs, sends, reads the answer.
//
//   ASSIGN_OR_RETURN(ApiClient client, ApiClient::Of({.data_dir = "data"}));
//   Result<Json> answer = client.Call("QueryOTAJob", {{"JobId", id}});
//
// Thread-safety: none.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <kj/async-io.h>
#include <nlohmann/json.hpp>

#include "adapters/wire/url_coding.h"
#include "events/base/status.h"

namespace updraft {

using Json = nlohmann::ordered_json;

// Where the service is and who asks. The data directory of a service on this machine tells all of
// it; what else is given goes first.
struct ApiClientOptions {
  std::string data_dir;
  std::string endpoint;  // "http://ADDR:PORT" or "ADDR:PORT".
  std::string access_key_id;
  std::string access_key_secret;
};

// The event loop of this thread, that all connections of a client share: a thread can have but one.
kj::AsyncIoContext& IoOfThisThread();

class ApiClient {
 public:
  // NOT_FOUND, INVALID_ARGUMENT: where it is, or with which key, cannot be told from `options`.
  static Result<ApiClient> Of(const ApiClientOptions& options);

  // The answer, also when it says that the call was refused (Success false, or a Code).
  // UNAVAILABLE when nobody answers; INTERNAL when the answer is no JSON.
  Result<Json> Call(const std::string& action, Parameters parameters) const;
  // The same; a refusal is a status with the answer's code.
  Result<Json> Must(const std::string& action, Parameters parameters) const;

  // The parameters of a signed call of that method.
  Parameters Sign(std::string_view method, const std::string& action, Parameters parameters) const;
  // What a refusal's text says, as a status with its code.
  Status RefusalIn(const std::string& text) const;

  const std::string& host_port() const { return host_port_; }

 private:
  std::string host_port_;
  std::string access_key_id_;
  std::string access_key_secret_;
};

}  // namespace updraft
