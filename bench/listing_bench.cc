// What a page costs, as a console asks for it: signed, parsed, looked up, rendered. The
// ten-thousandth page of a batch's tasks in one state beside the first; and devices that run a rare
// version, all of them, beside one page of those that run what everybody runs.
#include <atomic>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "adapters/openapi/json.h"
#include "adapters/openapi/openapi.h"
#include "adapters/wire/object_ids.h"
#include "adapters/wire/openapi_signature.h"
#include "bench/bench.h"
#include "bench/library.h"
#include "engine/clock.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr uint64_t kRowsAPage = 100;

// Nothing is posted here.
class NoFiles final : public PackageFiles {
  Result<PostedPackage> FindPackage(std::string_view) override {
    return Status(StatusCode::kNotFound, "nothing was posted");
  }
  Result<std::string> ReadDeviceList(std::string_view) override {
    return Status(StatusCode::kNotFound, "nothing was posted");
  }
};

// A console: signs a call, waits for its answer.
class Caller {
 public:
  explicit Caller(EngineHost& host) : ids_("the installation's key", 1) {
    OpenApiOptions options;
    options.public_url = [] { return "http://127.0.0.1:8080"; };
    options.object_id_key = "the installation's key";
    options.link_key = "the links' key";
    options.wall_now_ms = [] { return SystemClock().WallUs() / 1'000; };
    options.rate_factor = 0;
    api_ = std::make_unique<OpenApi>(host.engine(), files_, options);
    auto key = std::get<CreatedKey>(host.Do(CreateKey{.formal = true}).answer);
    key_ = key.access_key_id;
    secret_ = key.secret;
  }

  const ObjectIds& ids() const { return ids_; }

  Json Call(const std::string& action, Parameters parameters) {
    parameters.insert({{"Action", action},
                       {"Version", "2018-01-20"},
                       {"Timestamp", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                                                 fmt::gmtime(SystemClock().WallUs() / 1'000'000))},
                       {"SignatureNonce", fmt::format("nonce-{}", ++calls_)},
                       {"SignatureMethod", "HMAC-SHA1"},
                       {"SignatureVersion", "1.0"},
                       {"AccessKeyId", key_}});
    parameters["Signature"] = SignRpc("POST", parameters, secret_);
    HttpRequest request{.method = "POST", .path = "/", .headers = {{"host", "127.0.0.1:8080"}}};
    request.raw_query = EncodeParameters(parameters);
    std::atomic<bool> done = false;
    HttpResponse answer;
    api_->Handle(std::move(request), [&](HttpResponse response) {
      answer = std::move(response);
      done = true;
      done.notify_one();
    });
    done.wait(false);
    if (answer.status != 200) {
      OrDie(Status(StatusCode::kInvalidArgument, answer.body), "call " + action);
    }
    return Json::parse(answer.body);
  }

 private:
  NoFiles files_;
  ObjectIds ids_;
  std::unique_ptr<OpenApi> api_;
  std::string key_;
  std::string secret_;
  uint64_t calls_ = 0;
};

// Microseconds a call, of many; the digest is of the rows.
Sample Time(uint64_t calls, const std::function<uint64_t()>& rows_of_call) {
  uint64_t rows = 0;
  const double seconds = SecondsOf([&] {
    for (uint64_t i = 0; i < calls; ++i) rows = rows_of_call();
  });
  return {seconds * 1e6 / static_cast<double>(calls), rows};
}

int Main(int argc, char** argv) {
  Bench bench("listing", argc, argv, "sync=fdatasync");
  const uint64_t devices = bench.Parameter("devices", 3'000, 1'000'000);
  const uint64_t calls = bench.Parameter("calls", 3, 100);
  const uint64_t rare = bench.Parameter("rare_devices", 3, 10);
  EngineHost host(bench.NewDir());
  host.MakeFleet(devices);
  host.Pour(devices, [&](uint64_t i) {
    const bool old = i % (devices / rare) == devices / rare - 1;
    return ReportVersion{.device = {.id = DeviceId(static_cast<uint32_t>(i + 1))},
                         .version = old ? "0.9.0" : "1.0.0"};
  });
  Outcome created = host.Do(host.WholeFleet(host.MakePackage("2.0.0")));
  const BatchId batch = std::get<CreatedBatch>(created.answer).batch;
  while (host.Ask<bool>([&](const World& world) { return world.batches()[batch].walking; })) {
  }
  Caller caller(host);

  const std::string job = caller.ids().Show(batch);
  auto page = [&](uint64_t number) {
    return Time(calls, [&] {
      Json answer = caller.Call("ListOTATaskByJob", {{"JobId", job},
                                                     {"TaskStatus", "QUEUED"},
                                                     {"PageSize", std::to_string(kRowsAPage)},
                                                     {"CurrentPage", std::to_string(number)}});
      return answer["Data"]["SimpleOTATaskInfo"].size();
    });
  };
  const uint64_t last = devices / kRowsAPage;
  bench.Compare("us", {{"page", last}},
                {{"last_page", [&] { return page(last); }},
                 {"first_page", [&] { return page(1); }, AtMost(2)}});

  auto running = [&](const std::string& version, uint64_t most) {
    uint64_t rows = 0;
    Parameters parameters = {{"ProductKey", EngineHost::kProductKey},
                             {"SrcVersion.1", version},
                             {"PageSize", std::to_string(kRowsAPage)}};
    do {
      Json answer = caller.Call("ListOTADevicesByVersion", parameters);
      rows += answer["Data"]["DeviceInfo"].size();
      if (!answer.contains("NextToken")) break;
      parameters["NextToken"] = answer["NextToken"];
    } while (rows < most);
    return rows;
  };
  bench.Compare(
      "us", {{"version", 1}},
      {{"all_of_rare_version",
        [&] { return Time(calls / 3 + 1, [&] { return running("0.9.0", devices); }); }},
       {"page_of_common_version",
        [&] { return Time(calls, [&] { return running("1.0.0", kRowsAPage); }); }, AtMost(2)}});
  host.engine().Stop();
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
