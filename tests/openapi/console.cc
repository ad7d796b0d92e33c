#include "tests/openapi/console.h"

#include <future>
#include <utility>

#include <catch2/catch.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "adapters/wire/openapi_signature.h"
#include "engine/clock.h"
#include "events/base/bytes.h"
#include "tests/openapi/shapes.h"

namespace updraft {
namespace {

std::string ToString(const Hash256& hash) { return {hash.begin(), hash.end()}; }

std::string SignatureTime(int64_t ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(ms / 1000)));
}

}  // namespace

Result<PostedPackage> MemoryFiles::FindPackage(std::string_view object_key) {
  auto found = files.find(std::string(object_key));
  if (found == files.end()) return Status(StatusCode::kNotFound, "nothing was posted");
  // Any sixteen bytes that follow from the content do for an MD5.
  std::string sha256 = ToString(Sha256(found->second));
  return PostedPackage{HexLower(sha256).substr(0, 20), found->second.size(), sha256.substr(0, 16),
                       sha256};
}

Result<std::string> MemoryFiles::ReadDeviceList(std::string_view object_key) {
  auto found = files.find(std::string(object_key));
  if (found == files.end()) return Status(StatusCode::kNotFound, "nothing was posted");
  return found->second;
}

Console::Console() {
  options.public_url = [] { return "http://127.0.0.1:8080"; };
  options.object_id_key = "the installation's key";
  options.link_key = "the links' key";
  options.wall_now_ms = [this] { return now_ms; };
  options.rate_factor = 0;
  Restart();
  auto key = std::get<CreatedKey>(Ask(CreateKey{.formal = true}).answer);
  access_key_id = key.access_key_id;
  secret = key.secret;
  auto guest = std::get<CreatedKey>(Ask(CreateKey{.formal = false}).answer);
  guest_id = guest.access_key_id;
  guest_secret = guest.secret;
}

Console::~Console() { engine->Stop(); }

void Console::Restart() {
  if (engine) engine->Stop();
  api.reset();
  engine.reset();
  Result<std::unique_ptr<Engine>> opened =
      Engine::OpenWith({}, std::make_unique<MemoryLog>(disk), SystemClock());
  REQUIRE(opened.ok());
  engine = *std::move(opened);
  api = std::make_unique<OpenApi>(*engine, files, options);
}

Outcome Console::Ask(Command command) {
  auto promise = std::make_shared<std::promise<Outcome>>();
  auto future = promise->get_future();
  Status status = engine->Submit(
      std::move(command), [promise](const Outcome& outcome) { promise->set_value(outcome); });
  REQUIRE(status.ok());
  return future.get();
}

HttpRequest Console::Sign(const std::string& action, Parameters parameters) {
  std::string nonce = fmt::format("nonce-{}", ++calls_);
  HttpRequest request{.method = "POST", .path = "/", .headers = {{"host", "127.0.0.1:8080"}}};
  if (scheme == Scheme::kRpc) {
    parameters.insert({{"Action", action},
                       {"Version", "2018-01-20"},
                       {"Timestamp", SignatureTime(call_ms)},
                       {"SignatureNonce", nonce},
                       {"SignatureMethod", "HMAC-SHA1"},
                       {"SignatureVersion", "1.0"},
                       {"AccessKeyId", access_key_id}});
    parameters["Signature"] = SignRpc("POST", parameters, secret);
    request.raw_query = EncodeParameters(parameters);
    return request;
  }
  request.raw_query = EncodeParameters(parameters);
  request.headers.push_back({"x-acs-action", action});
  request.headers.push_back({"x-acs-version", "2018-01-20"});
  request.headers.push_back({"x-acs-date", SignatureTime(call_ms)});
  request.headers.push_back({"x-acs-signature-nonce", nonce});
  request.headers.push_back({"x-acs-content-sha256", HexLower(ToString(Sha256("")))});
  Result<std::string> authorization = SignAcs3(request, access_key_id, secret);
  REQUIRE(authorization.ok());
  request.headers.push_back({"authorization", *authorization});
  return request;
}

ApiAnswer Console::Send(HttpRequest request) {
  auto promise = std::make_shared<std::promise<HttpResponse>>();
  auto future = promise->get_future();
  api->Handle(std::move(request),
              [promise](HttpResponse response) { promise->set_value(std::move(response)); });
  HttpResponse response = future.get();
  Json json = Json::parse(response.body, nullptr, false);
  REQUIRE(json.is_object());
  return {response.status, std::move(json)};
}

ApiAnswer Console::Call(const std::string& action, Parameters parameters) {
  ApiAnswer answer = Send(Sign(action, std::move(parameters)));
  if (answer.ok()) {
    CHECK(WrongShape(action, answer.json) == "");
    done.insert(action);
  } else {
    refused.insert(action);
  }
  return answer;
}

Json Console::Must(const std::string& action, Parameters parameters) {
  ApiAnswer answer = Call(action, std::move(parameters));
  INFO(action << ": " << answer.json.dump());
  REQUIRE(answer.ok());
  return answer.json;
}

std::string Console::MakeProduct(const std::string& name) {
  return Must("CreateProduct", {{"NodeType", "0"}, {"ProductName", name}})["ProductKey"];
}

std::string LampName(int number) { return fmt::format("lamp-{:04}", number); }

void Console::MakeDevices(const std::string& product_key, int count, const std::string& version) {
  RegisterDevices command{product_key, {}};
  for (int i = 1; i <= count; ++i) command.devices.push_back({.name = LampName(i)});
  REQUIRE(Ask(command).ok());
  if (version.empty()) return;
  for (int i = 1; i <= count; ++i) {
    REQUIRE(Ask(ReportVersion{.device = {.product_key = product_key, .name = LampName(i)},
                              .version = version})
                .ok());
  }
}

std::string Console::PostFile(const std::string& content) {
  Json data = Must("GenerateOTAUploadURL")["Data"];
  files.files[data["Key"]] = content;
  return data["FirmwareUrl"];
}

std::string Console::MakePackage(const std::string& product_key, const std::string& version,
                                 Parameters more) {
  more.insert({{"ProductKey", product_key},
               {"FirmwareName", "lamp_" + version},
               {"DestVersion", version},
               {"FirmwareUrl", PostFile("firmware " + version)},
               {"NeedToVerify", "false"}});
  for (char& c : more["FirmwareName"]) c = c == '.' ? '_' : c;
  return Must("CreateOTAFirmware", more)["Data"]["FirmwareId"];
}

std::string Console::MakeJob(const std::string& product_key, const std::string& firmware_id,
                             Parameters more) {
  more.insert(
      {{"ProductKey", product_key}, {"FirmwareId", firmware_id}, {"TargetSelection", "ALL"}});
  std::string job = Must("CreateOTAStaticUpgradeJob", more)["Data"]["JobId"];
  AwaitTargets(job);
  return job;
}

void Console::AwaitTargets(const std::string& job_id) {
  // Each answer is of a turn of its own, and each turn does a part of the work.
  while (Must("QueryOTATaskCounts", {{"JobId", job_id}})["Data"]["ChoosingTargets"]) {
  }
}

std::string Console::TaskOf(const std::string& job_id, const std::string& device_name) {
  Json answer = Must("ListOTATaskByJob", {{"JobId", job_id}, {"DeviceNames.1", device_name}});
  return answer["Data"]["SimpleOTATaskInfo"][0]["TaskId"];
}

ApiAnswer AsGuest(Console& console, const std::string& action, Parameters parameters) {
  std::swap(console.access_key_id, console.guest_id);
  std::swap(console.secret, console.guest_secret);
  ApiAnswer answer = console.Call(action, std::move(parameters));
  std::swap(console.access_key_id, console.guest_id);
  std::swap(console.secret, console.guest_secret);
  return answer;
}

}  // namespace updraft
