#include "adapters/cli/api_client.h"

#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <kj/compat/http.h>

#include "adapters/cli/installation.h"
#include "adapters/wire/openapi_signature.h"
#include "engine/clock.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr auto kTimeout = 60 * kj::SECONDS;

// One POST of a form; throws what kj throws.
std::string Post(const std::string& host_port, const std::string& body) {
  kj::AsyncIoContext& io = IoOfThisThread();
  kj::HttpHeaderTable::Builder builder;
  kj::HttpHeaderId content_type = builder.add("Content-Type");
  kj::Own<kj::HttpHeaderTable> table = builder.build();
  auto client =
      kj::newHttpClient(io.provider->getTimer(), *table, io.provider->getNetwork(), nullptr);
  kj::HttpHeaders headers(*table);
  headers.set(content_type, "application/x-www-form-urlencoded");
  std::string url = "http://" + host_port + "/";
  auto request = client->request(kj::HttpMethod::POST, kj::StringPtr(url.c_str(), url.size()),
                                 headers, body.size());
  return io.provider->getTimer()
      .timeoutAfter(kTimeout, request.body->write(body.data(), body.size())
                                  .then([&] {
                                    request.body = nullptr;
                                    return kj::mv(request.response);
                                  })
                                  .then([](kj::HttpClient::Response&& response) {
                                    auto text = response.body->readAllText();
                                    return text.attach(kj::mv(response.body));
                                  })
                                  .then([](kj::String text) {
                                    return std::string(text.begin(), text.size());
                                  }))
      .wait(io.waitScope);
}

}  // namespace

kj::AsyncIoContext& IoOfThisThread() {
  thread_local kj::AsyncIoContext io = kj::setupAsyncIo();
  return io;
}

Result<ApiClient> ApiClient::Of(const ApiClientOptions& options) {
  ApiClient client;
  client.host_port_ = options.endpoint;
  client.access_key_id_ = options.access_key_id;
  client.access_key_secret_ = options.access_key_secret;
  Installation installation(options.data_dir);
  if (client.host_port_.empty()) {
    if (options.data_dir.empty()) {
      return Status(StatusCode::kInvalidArgument,
                    "say where the service is: --data DIR of a service on this machine, or "
                    "--endpoint ADDR:PORT");
    }
    Result<RunFile> run = installation.ReadRunFile();
    if (!run.ok()) {
      return Status(StatusCode::kNotFound,
                    fmt::format("no service runs on '{}' ({}); start one with 'updraft serve "
                                "--data {}', or say --endpoint ADDR:PORT",
                                options.data_dir, run.status().message(), options.data_dir));
    }
    client.host_port_ = run->http;
  }
  for (std::string_view scheme : {"http://", "HTTP://"}) {
    if (client.host_port_.starts_with(scheme)) client.host_port_.erase(0, scheme.size());
  }
  while (client.host_port_.ends_with('/')) client.host_port_.pop_back();
  if (client.access_key_id_.empty() && client.access_key_secret_.empty()) {
    if (options.data_dir.empty()) {
      return Status(StatusCode::kInvalidArgument,
                    "say who asks: --access-key-id and --access-key-secret, or --data DIR");
    }
    ASSIGN_OR_RETURN(AccessKey key, installation.ReadAccessKey());
    client.access_key_id_ = key.id;
    client.access_key_secret_ = key.secret;
  }
  return client;
}

Parameters ApiClient::Sign(std::string_view method, const std::string& action,
                           Parameters parameters) const {
  auto now = static_cast<time_t>(SystemClock().WallUs() / 1'000'000);
  parameters["Action"] = action;
  parameters["Version"] = "2018-01-20";
  parameters["Format"] = "JSON";
  parameters["Timestamp"] = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
  parameters["SignatureNonce"] = HexLower(RandomBytes(16));
  parameters["SignatureMethod"] = "HMAC-SHA1";
  parameters["SignatureVersion"] = "1.0";
  parameters["AccessKeyId"] = access_key_id_;
  parameters["Signature"] = SignRpc(method, parameters, access_key_secret_);
  return parameters;
}

Result<Json> ApiClient::Call(const std::string& action, Parameters parameters) const {
  std::string text;
  try {
    text = Post(host_port_, EncodeParameters(Sign("POST", action, std::move(parameters))));
  } catch (const kj::Exception& e) {
    return Status(StatusCode::kUnavailable,
                  fmt::format("nobody answers at {}: {}", host_port_, e.getDescription().cStr()));
  }
  Json answer = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) {
    return Status(StatusCode::kInternal,
                  fmt::format("{} answers with something that is no JSON; is it an Updraft? '{}'",
                              host_port_, text.substr(0, 200)));
  }
  return answer;
}

Result<Json> ApiClient::Must(const std::string& action, Parameters parameters) const {
  ASSIGN_OR_RETURN(Json answer, Call(action, std::move(parameters)));
  if (answer.value("Success", false)) return answer;
  return RefusalIn(answer.dump());
}

Status ApiClient::RefusalIn(const std::string& text) const {
  Json answer = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) {
    return Status(StatusCode::kInternal, fmt::format("{} refuses, and does not say why; is it an "
                                                     "Updraft? '{}'",
                                                     host_port_, text.substr(0, 200)));
  }
  std::string code = answer.value("Code", "?");
  std::string message = answer.contains("ErrorMessage") ? answer.value("ErrorMessage", "")
                                                        : answer.value("Message", "");
  StatusCode kind =
      code == "ServiceUnavailable" ? StatusCode::kUnavailable : StatusCode::kFailedPrecondition;
  return Status(kind, fmt::format("{}: {}", code, message));
}

}  // namespace updraft
