// Who may call, through the handler.
#include "adapters/openapi/call_guard.h"

#include <catch2/catch.hpp>

#include "adapters/openapi/actions.h"
#include "tests/openapi/console.h"

namespace updraft {
namespace {

struct Refusal {
  int http_status;
  std::string code;
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << refusal.http_status << " " << refusal.code;
}

Refusal Of(const ApiAnswer& answer) { return {answer.http_status, answer.Code()}; }

TEST_CASE("a call with another secret, or of nobody, is refused", "[openapi]") {
  Console console;
  console.scheme = GENERATE(Console::Scheme::kAcs3, Console::Scheme::kRpc);
  CHECK(console.Call("ListAccessKeys").ok());
  console.secret += "x";
  CHECK(Of(console.Call("ListAccessKeys")) == Refusal{403, "SignatureDoesNotMatch"});
  console.access_key_id = "nobody";
  ApiAnswer answer = console.Call("ListAccessKeys");
  CHECK(Of(answer) == Refusal{404, "InvalidAccessKeyId.NotFound"});
  CHECK(answer.json["HostId"] == "127.0.0.1:8080");
  CHECK(answer.json.contains("Message"));
}

TEST_CASE("a call that was changed on its way is refused", "[openapi]") {
  Console console;
  console.scheme = GENERATE(Console::Scheme::kAcs3, Console::Scheme::kRpc);
  HttpRequest request = console.Sign("QueryProductList", {{"CurrentPage", "1"}, {"PageSize", "9"}});
  request.raw_query.replace(request.raw_query.find("PageSize=9"), 10, "PageSize=8");
  CHECK(Of(console.Send(request)) == Refusal{403, "SignatureDoesNotMatch"});
}

TEST_CASE("a call is taken once", "[openapi]") {
  Console console;
  HttpRequest request = console.Sign("ListAccessKeys", {});
  CHECK(console.Send(request).ok());
  CHECK(Of(console.Send(request)) == Refusal{400, "SignatureNonceUsed"});
  // Also at the end of the time for which it would be good.
  console.now_ms += openapi::kCallTimeToleranceMs;
  CHECK(Of(console.Send(request)) == Refusal{400, "SignatureNonceUsed"});
}

TEST_CASE("a key that spent its nonces is throttled alone, until they are forgotten", "[openapi]") {
  Console console;
  openapi::CallGuard guard(/*nonces_max=*/2);
  auto admit = [&](const std::string& key, int64_t now_ms) {
    SignedCall call = *ParseSignedCall(console.Sign("ListAccessKeys", {}));
    call.access_key_id = key;  // No signature covers it.
    return std::string(guard.Admit(call, KeyId(1), console.secret, 0, now_ms).reason());
  };
  const int64_t now_ms = console.now_ms;
  CHECK(admit("a", now_ms) == "OK");
  CHECK(admit("a", now_ms + 1) == "OK");
  CHECK(admit("a", now_ms + 2) == "Throttling");
  CHECK(admit("b", now_ms + 2) == "OK");
  const int64_t forgotten_ms = now_ms + 2 * openapi::kCallTimeToleranceMs + 1;
  CHECK(admit("a", forgotten_ms - 1) == "Throttling");
  CHECK(admit("a", forgotten_ms) == "OK");
  CHECK(admit("a", forgotten_ms) == "Throttling");
}

TEST_CASE("a forged call does not spend the nonce of a true one", "[openapi]") {
  Console console;
  HttpRequest request = console.Sign("ListAccessKeys", {});
  HttpRequest forged = request;
  forged.raw_query = "PageSize=1";
  CHECK_FALSE(console.Send(forged).ok());
  CHECK(console.Send(request).ok());
}

TEST_CASE("a call's time is at most 15 minutes off, either way", "[openapi]") {
  Console console;
  int sign = GENERATE(-1, 1);
  console.call_ms = Console::kNowMs + sign * openapi::kCallTimeToleranceMs;
  CHECK(console.Call("ListAccessKeys").ok());
  console.call_ms += sign * 1'000;
  CHECK(Of(console.Call("ListAccessKeys")) == Refusal{400, "InvalidTimeStamp.Expired"});
}

TEST_CASE("unknown actions and versions are refused", "[openapi]") {
  Console console;
  CHECK(Of(console.Call("LaunchRocket")) == Refusal{404, "InvalidAction.NotFound"});
  console.scheme = Console::Scheme::kRpc;
  CHECK(Of(console.Call("ListAccessKeys", {{"Version", "2017-04-20"}})) ==
        Refusal{400, "InvalidVersion"});
  CHECK(Of(console.Send({.method = "GET", .path = "/"})) == Refusal{400, "MissingParameter"});
}

TEST_CASE("a disabled key may not call, an enabled one may again", "[openapi]") {
  Console console;
  REQUIRE(console.Ask(ChangeKey{.access_key_id = console.guest_id, .enabled = false}).ok());
  CHECK(Of(AsGuest(console, "QueryProductList", {{"CurrentPage", "1"}, {"PageSize", "1"}})) ==
        Refusal{403, "InvalidAccessKeyId.Inactive"});
  REQUIRE(console.Ask(ChangeKey{.access_key_id = console.guest_id, .enabled = true}).ok());
  CHECK(AsGuest(console, "QueryProductList", {{"CurrentPage", "1"}, {"PageSize", "1"}}).ok());
}

TEST_CASE("a guest may look at products and devices and at nothing else", "[openapi]") {
  Console console;
  std::string product = console.MakeProduct();
  console.MakeDevices(product, 1);
  Parameters device = {{"ProductKey", product}, {"DeviceName", LampName(1)}};
  ApiAnswer detail = AsGuest(console, "QueryDeviceDetail", device);
  CHECK(detail.ok());
  CHECK_FALSE(detail.json["Data"].contains("DeviceSecret"));
  CHECK(console.Must("QueryDeviceDetail", device)["Data"].contains("DeviceSecret"));
  ApiAnswer shown = AsGuest(console, "QueryProduct", {{"ProductKey", product}});
  CHECK(shown.ok());
  CHECK_FALSE(shown.json["Data"].contains("ProductSecret"));

  for (const openapi::ActionGroup& group : openapi::AllActions()) {
    for (const openapi::Action& action : group.actions) {
      bool looks = action.name == "QueryProduct" || action.name == "QueryProductList" ||
                   action.name == "QueryDevice" || action.name == "QueryDeviceDetail" ||
                   action.name == "GetDeviceStatus" || action.name == "BatchGetDeviceState";
      ApiAnswer answer = AsGuest(console, std::string(action.name));
      INFO(action.name << " " << answer.json.dump());
      CHECK((answer.Code() != "iot.common.AuthActionPermissionDeny") == looks);
    }
  }
}

TEST_CASE("a promoted guest is a formal user at the next call", "[openapi]") {
  Console console;
  ApiAnswer refused = AsGuest(console, "ListAccessKeys");
  CHECK(Of(refused) == Refusal{200, "iot.common.AuthActionPermissionDeny"});
  CHECK(refused.json.value("ErrorMessage", "").find("promote") != std::string::npos);
  console.Must("UpdateAccessKey", {{"TargetAccessKeyId", console.guest_id}, {"Formal", "true"}});
  CHECK(AsGuest(console, "ListAccessKeys").ok());
}

TEST_CASE("a key makes so many calls a second of an action", "[openapi]") {
  Console console;
  console.options.rate_factor = 1;
  console.api = std::make_unique<OpenApi>(*console.engine, console.files, console.options);
  // The table lets ListAccessKeys be called ten times a second.
  for (int i = 0; i < 10; ++i) CHECK(console.Call("ListAccessKeys").ok());
  CHECK(Of(console.Call("ListAccessKeys")) == Refusal{429, "Throttling"});
  CHECK(Of(console.Call("QueryProduct")) == Refusal{200, "iot.prod.NullProductKey"});
  console.now_ms += 1'000;
  CHECK(console.Call("ListAccessKeys").ok());
}

TEST_CASE("an engine that stopped is a service that is not available", "[openapi]") {
  Console console;
  console.engine->Stop();
  CHECK(Of(console.Call("ListAccessKeys")) == Refusal{503, "ServiceUnavailable"});
}

}  // namespace
}  // namespace updraft
