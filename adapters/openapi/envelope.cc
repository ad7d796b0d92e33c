#include "adapters/openapi/envelope.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "adapters/openapi/refusal_codes.h"
#include "events/base/bytes.h"

namespace updraft::openapi {
namespace {

constexpr std::pair<std::string_view, int> kGateCodes[] = {
    {"DuplicateParameter", 400},
    {"IdempotentParameterMismatch", 400},
    {"IdempotentResourceNotFound", 404},
    {"IncompleteSignature", 400},
    {"InvalidAccessKeyId.Inactive", 403},
    {"InvalidAccessKeyId.NotFound", 404},
    {"InvalidAction.NotFound", 404},
    {"InvalidTimeStamp.Expired", 400},
    {"InvalidTimeStamp.Format", 400},
    {"InvalidVersion", 400},
    {"MalformedEscape", 400},
    {"MalformedUtf8", 400},
    {"MissingParameter", 400},
    {"ServiceUnavailable", 503},
    {"SignatureDoesNotMatch", 403},
    {"SignatureNonceUsed", 400},
    {"Throttling", 429},
    {"UnsupportedMediaType", 415},
};

// 0 for what is not the gate's.
int GateHttpStatus(std::string_view code) {
  for (const auto& [name, status] : kGateCodes) {
    if (name == code) return status;
  }
  return 0;
}

HttpResponse Render(int status, const Json& json) {
  HttpResponse response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json; charset=utf-8"}};
  // What a device or an importer brought may be no UTF-8; it must not make an answer impossible.
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return response;
}

}  // namespace

std::string NewRequestId() {
  std::string bytes = RandomBytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  std::string hex = HexLower(bytes);
  std::transform(hex.begin(), hex.end(), hex.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  std::string_view h = hex;
  return fmt::format("{}-{}-{}-{}-{}", h.substr(0, 8), h.substr(8, 4), h.substr(12, 4),
                     h.substr(16, 4), h.substr(20));
}

HttpResponse RenderDone(std::string_view request_id, const Json& body) {
  Json json = {{"RequestId", request_id}, {"Success", true}};
  if (!body.is_null()) json.update(body);
  return Render(200, json);
}

std::string_view CodeOf(const Status& status) {
  std::string_view reason = status.reason();
  if (GateHttpStatus(reason) != 0 || reason.starts_with("iot.")) return reason;
  std::string_view code = CodeOfRefusal(reason);
  return code.empty() ? "iot.system.SystemException" : code;
}

HttpResponse RenderRefusal(std::string_view request_id, std::string_view host_id,
                           const Status& status) {
  std::string_view code = CodeOf(status);
  if (int http_status = GateHttpStatus(code); http_status != 0) {
    return Render(http_status, {{"RequestId", request_id},
                                {"Code", code},
                                {"Message", status.message()},
                                {"HostId", host_id}});
  }
  return Render(200, {{"RequestId", request_id},
                      {"Success", false},
                      {"Code", code},
                      {"ErrorMessage", status.message()}});
}

}  // namespace updraft::openapi
