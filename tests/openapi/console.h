// An engine in memory with the API before it, and a console that signs calls and waits for answers.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "adapters/openapi/json.h"
#include "adapters/openapi/openapi.h"
#include "adapters/wire/url_coding.h"
#include "engine/updraft.h"
#include "events/log/memory_log.h"

namespace updraft {

// What a test posted, by object key.
class MemoryFiles : public PackageFiles {
 public:
  std::map<std::string, std::string> files;

  Result<PostedPackage> FindPackage(std::string_view object_key) override;
  Result<std::string> ReadDeviceList(std::string_view object_key) override;
};

struct ApiAnswer {
  int http_status = 0;
  Json json;

  bool ok() const { return http_status == 200 && json.value("Success", false); }
  // The code of a refusal; "" of a success.
  std::string Code() const { return json.value("Code", ""); }
};

class Console {
 public:
  static constexpr int64_t kNowMs = 1'795'405'543'000;  // 2026-11-23T03:45:43Z
  enum class Scheme { kAcs3, kRpc };

  Console();
  ~Console();

  // The engine and the API end, and begin again on the same log.
  void Restart();

  // Signs with a formal key, waits for the answer and checks its shape.
  ApiAnswer Call(const std::string& action, Parameters parameters = {});
  // The same; the call must succeed.
  Json Must(const std::string& action, Parameters parameters = {});
  ApiAnswer Send(HttpRequest request);
  HttpRequest Sign(const std::string& action, Parameters parameters);

  // What devices do.
  Outcome Ask(Command command);

  // A product, and devices "lamp-0001" … that run `version`; none when it is empty.
  std::string MakeProduct(const std::string& name = "street_lamp");
  void MakeDevices(const std::string& product_key, int count, const std::string& version = "1.0.0");
  // A posted file, and a package of it that needs no verification.
  std::string PostFile(const std::string& content = "firmware");
  std::string MakePackage(const std::string& product_key, const std::string& version = "2.0.0",
                          Parameters more = {});
  // A batch over all devices, once all targets are chosen.
  std::string MakeJob(const std::string& product_key, const std::string& firmware_id,
                      Parameters more = {});
  void AwaitTargets(const std::string& job_id);
  std::string TaskOf(const std::string& job_id, const std::string& device_name);

  Scheme scheme = Scheme::kAcs3;
  std::string access_key_id;
  std::string secret;
  std::string guest_id;
  std::string guest_secret;
  int64_t now_ms = kNowMs;
  int64_t call_ms = kNowMs;  // The clock of the caller.

  std::set<std::string> done;     // The actions that succeeded.
  std::set<std::string> refused;  // Those that were refused.

  MemoryFiles files;
  OpenApiOptions options;
  std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
  std::unique_ptr<Engine> engine;
  std::unique_ptr<OpenApi> api;

 private:
  int calls_ = 0;
};

// The same call with a guest's key.
ApiAnswer AsGuest(Console& console, const std::string& action, Parameters parameters = {});

std::string LampName(int number);

}  // namespace updraft
