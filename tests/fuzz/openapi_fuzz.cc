// What a caller of the console's API can send: a run of requests, parted by a line of `---`,
// against an engine in memory with a small fleet. A request is
//
//   METHOD TARGET
//   Header: value                 any number of times, then an empty line and the body
//
// as it came, or `sign QUERY` and `sign-rpc QUERY`, which the target signs with a good key, so that
// hostile parameters reach the actions; QUERY has the `Action`. A value `$P`, `$B` or `$T` is the
// id of the fleet's package, its batch or the batch's first task.
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "adapters/openapi/json.h"
#include "adapters/openapi/openapi.h"
#include "adapters/registration/device_registration.h"
#include "adapters/wire/object_ids.h"
#include "adapters/wire/openapi_signature.h"
#include "engine/clock.h"
#include "engine/updraft.h"
#include "events/base/assert.h"
#include "events/base/bytes.h"
#include "events/log/memory_log.h"
#include "tests/fuzz/openapi_request.h"
#include "tests/fuzz/small_fleet.h"

namespace updraft {
namespace {

constexpr int64_t kNowMs = 1'795'405'543'000;  // 2026-11-23T03:45:43Z
constexpr const char* kNow = "2026-11-23T03:45:43Z";
constexpr const char* kAccessKeyId = "UDfuzz";
constexpr const char* kSecret = "secret";
constexpr const char* kObjectIdKey = "the installation's key";

// Every key has been posted under.
class AnyFiles final : public PackageFiles {
 public:
  Result<PostedPackage> FindPackage(std::string_view object_key) override {
    return PostedPackage{std::string(object_key), 1, std::string(16, 'm'), std::string(32, 's')};
  }
  Result<std::string> ReadDeviceList(std::string_view object_key) override {
    return std::string(object_key);
  }
};

class Console {
 public:
  Console() {
    Result<std::unique_ptr<Engine>> opened =
        Engine::OpenWith({}, std::make_unique<MemoryLog>(), SystemClock());
    Assert(opened.ok(), "an engine in memory opens");
    engine_ = *std::move(opened);
    OpenApiOptions options;
    options.public_url = [] { return "http://127.0.0.1:8080"; };
    options.object_id_key = kObjectIdKey;
    options.link_key = "the links' key";
    options.wall_now_ms = [] { return kNowMs; };
    options.rate_factor = 0;
    api_ = std::make_unique<OpenApi>(*engine_, files_, options);
    registration_ = std::make_unique<DeviceRegistration>(*engine_);
    Must(CreateKey{.formal = true, .access_key_id = kAccessKeyId, .secret = kSecret});
    Must(CreateProduct{.name = "lamp", .product_key = "a1pk", .product_secret = "secret"});
    Must(RegisterDevices{.product_key = "a1pk", .devices = {{.name = "dev1"}, {.name = "dev2"}}});
    Must(ReportVersion{.device = {.product_key = "a1pk", .name = "dev1"}, .version = "1"});
    Must(WinterPackage());
    CreateBatch batch{.product_key = "a1pk", .package = PackageId(1), .scope = Scope::kSpecific};
    batch.device_names = {"dev1", "dev2"};
    Must(batch);
  }
  ~Console() { engine_->Stop(); }

  void Send(HttpRequest request) {
    std::promise<HttpResponse> answered;
    auto respond = [&](HttpResponse response) { answered.set_value(std::move(response)); };
    bool registers = request.path == "/auth/register/device";
    if (registers) {
      registration_->Handle(std::move(request), respond);
    } else {
      api_->Handle(std::move(request), respond);
    }
    HttpResponse response = answered.get_future().get();
    Assert(response.status >= 200 && response.status < 500, "no call is a fault of ours: {} {}",
           response.status, response.body);
    Json json = Json::parse(response.body, nullptr, false);
    Assert(json.is_object(), "every answer is JSON: {}", response.body);
  }

  HttpRequest SignAcs(Parameters parameters) {
    HttpRequest request{.method = "POST", .path = "/", .headers = {{"host", "127.0.0.1"}}};
    request.headers.push_back({"x-acs-action", std::exchange(parameters["Action"], "")});
    parameters.erase("Action");
    request.raw_query = EncodeParameters(parameters);
    request.headers.push_back({"x-acs-version", "2018-01-20"});
    request.headers.push_back({"x-acs-date", kNow});
    request.headers.push_back({"x-acs-signature-nonce", Nonce()});
    Hash256 hash = Sha256("");
    request.headers.push_back({"x-acs-content-sha256", HexLower(hash)});
    Result<std::string> authorization = SignAcs3(request, kAccessKeyId, kSecret);
    if (authorization.ok()) request.headers.push_back({"authorization", *authorization});
    return request;
  }

  HttpRequest SignOld(Parameters parameters) {
    parameters.insert({{"Version", "2018-01-20"},
                       {"Timestamp", kNow},
                       {"SignatureNonce", Nonce()},
                       {"SignatureMethod", "HMAC-SHA1"},
                       {"SignatureVersion", "1.0"},
                       {"AccessKeyId", kAccessKeyId}});
    parameters.erase("Signature");
    parameters["Signature"] = SignRpc("POST", parameters, kSecret);
    return {.method = "POST",
            .path = "/",
            .raw_query = EncodeParameters(parameters),
            .headers = {{"host", "127.0.0.1"}}};
  }

 private:
  void Must(Command command) {
    std::promise<Outcome> answered;
    Status status = engine_->Submit(std::move(command),
                                    [&](const Outcome& outcome) { answered.set_value(outcome); });
    Assert(status.ok() && answered.get_future().get().ok(), "the fleet is made");
  }

  std::string Nonce() { return std::to_string(++nonces_); }

  AnyFiles files_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<OpenApi> api_;
  std::unique_ptr<DeviceRegistration> registration_;
  int nonces_ = 0;
};

void NameIds(Parameters& parameters) {
  static const ObjectIds ids(kObjectIdKey, 1);
  for (auto& [name, value] : parameters) {
    if (value == "$P") value = ids.Show(PackageId(1));
    if (value == "$B") value = ids.Show(BatchId(1));
    if (value == "$T") value = ids.Show(TaskId(1));
  }
}

void Send(Console& console, std::string_view request) {
  std::string_view query = request;
  std::string_view verb = TakeUntil(query, " ");
  bool old = verb == "sign-rpc";
  if (!old && verb != "sign") return console.Send(ReadRequest(request));
  Parameters parameters;
  if (!AddParameters(TakeUntil(query, "\n"), parameters).ok()) return;
  NameIds(parameters);
  console.Send(old ? console.SignOld(std::move(parameters))
                   : console.SignAcs(std::move(parameters)));
}

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view requests = Text(data, size);
  Console console;
  while (!requests.empty()) Send(console, TakeUntil(requests, "\n---\n"));
  return 0;
}
