// `updraft import`: a fleet moves over, from a file into a running service.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "adapters/cli/api_client.h"
#include "adapters/cli/commands.h"
#include "adapters/cli/import_file.h"
#include "engine/clock.h"

namespace updraft {
namespace {

// ImportDevices takes ten times as many; but others wait for what one call does at a time.
constexpr size_t kDevicesPerCall = 100;
constexpr size_t kVersionsPerCall = 200;
// A call has at most 1 MiB, and its text takes up to three bytes for each of the file's.
constexpr size_t kBytesPerCall = 256 << 10;
constexpr size_t kProductsAtOnce = 64;
constexpr uint64_t kProblemsShown = 100;
constexpr int kTries = 8;

struct ImportOptions {
  ApiClientOptions client;
  ImportFormat format;
  std::string file;
  std::string format_name;
  uint32_t devices_per_second = 5'000;
};

// Devices of one product that wait for their call.
struct Bucket {
  Json devices = Json::array();
  std::vector<uint64_t> lines;  // Of each device.
  size_t bytes = 0;
  size_t versions = 0;

  bool FullWith(size_t more_bytes, size_t more_versions) const {
    return lines.size() == kDevicesPerCall || bytes + more_bytes > kBytesPerCall ||
           versions + more_versions > kVersionsPerCall;
  }
};

class Importer {
 public:
  Importer(const ApiClient& client, ImportReader& reader, const ImportOptions& options,
           uint64_t file_bytes)
      : client_(client), reader_(reader), options_(options), file_bytes_(file_bytes) {}

  // What went wrong with the import as a whole; lines that were not taken are counted.
  Status Run() {
    while (std::optional<Result<ImportRecord>> record = reader_.Next()) {
      if (!record->ok()) {
        Tell(reader_.line(), record->status().message());
      } else {
        RETURN_IF_ERROR(Take(**std::move(record)));
      }
      ShowProgress(false);
    }
    RETURN_IF_ERROR(SendAll());
    ShowProgress(true);
    return OkStatus();
  }

  void Summarize() const {
    if (problems_ > kProblemsShown) {
      fmt::print(stderr, "updraft: {} lines more could not be brought in\n",
                 problems_ - kProblemsShown);
    }
    fmt::print("{} brought in, {} here already, {} lines not brought in\n", created_, existing_,
               problems_);
    if (made_up_ != 0) {
      fmt::print("{} devices came without a secret; new ones among them got one made up\n",
                 made_up_);
    }
  }
  uint64_t problems() const { return problems_; }

 private:
  void Tell(uint64_t line, std::string_view reason) {
    if (++problems_ > kProblemsShown) return;
    ClearProgress();
    fmt::print(stderr, "{}:{}: {}\n", options_.file, line, reason);
  }

  Status Take(ImportRecord record) {
    switch (record.kind) {
      case ImportKind::kDevice:
        return TakeDevice(std::move(record));
      case ImportKind::kProduct:
        return Send("ImportProduct", std::move(record.parameters));
      case ImportKind::kAccessKey:
        return Send("ImportAccessKey", std::move(record.parameters));
    }
    return OkStatus();
  }

  Status TakeDevice(ImportRecord record) {
    size_t bytes = record.device.dump().size() + 1;
    size_t versions = record.device.contains("Versions") ? record.device["Versions"].size() : 0;
    auto full = buckets_.find(record.product_key);
    if (full != buckets_.end() && full->second.FullWith(bytes, versions)) {
      RETURN_IF_ERROR(SendDevices(full->first, full->second));
      buckets_.erase(full);
    }
    if (buckets_.size() == kProductsAtOnce && !buckets_.contains(record.product_key)) {
      RETURN_IF_ERROR(SendAll());
    }
    if (!record.device.contains("DeviceSecret")) ++made_up_;
    Bucket& bucket = buckets_[record.product_key];
    bucket.devices.push_back(std::move(record.device));
    bucket.lines.push_back(reader_.line());
    bucket.bytes += bytes;
    bucket.versions += versions;
    return OkStatus();
  }

  Status SendAll() {
    for (auto& [product_key, bucket] : buckets_) {
      RETURN_IF_ERROR(SendDevices(product_key, bucket));
    }
    buckets_.clear();
    return OkStatus();
  }

  // A product or a key. Devices that wait may be of another one; their order does not matter.
  Status Send(const std::string& action, Parameters parameters) {
    ASSIGN_OR_RETURN(Json answer, CallPatiently(action, parameters));
    if (!answer.value("Success", false)) {
      Tell(reader_.line(), ReasonOf(answer));
    } else {
      ++(answer["Data"].value("Existing", false) ? existing_ : created_);
    }
    return OkStatus();
  }

  Status SendDevices(const std::string& product_key, const Bucket& bucket) {
    KeepPace(bucket.lines.size());
    ASSIGN_OR_RETURN(Json answer,
                     CallPatiently("ImportDevices", {{"ProductKey", product_key},
                                                     {"Devices", bucket.devices.dump()}}));
    if (!answer.value("Success", false)) {
      for (uint64_t line : bucket.lines) Tell(line, ReasonOf(answer));
      return OkStatus();
    }
    const Json& data = answer["Data"];
    created_ += data["Created"].get<uint64_t>();
    existing_ += data["Existing"].get<uint64_t>();
    for (const Json& problem : data["Problems"]["Problem"]) {
      Tell(bucket.lines.at(problem["Index"].get<size_t>()),
           fmt::format("device '{}': {}", problem["DeviceName"].get<std::string>(),
                       problem["Reason"].get<std::string>()));
    }
    return OkStatus();
  }

  // The answer of the service, once it has time. Refusals that concern every line are failures.
  Result<Json> CallPatiently(const std::string& action, const Parameters& parameters) {
    for (int tried = 1;; ++tried) {
      ASSIGN_OR_RETURN(Json answer, client_.Call(action, parameters));
      if (answer.value("Success", false)) return answer;
      std::string code = answer.value("Code", "");
      // The last: somebody else registered one of the names meanwhile; the next time it is here.
      bool passing = code == "Throttling" || code == "ServiceUnavailable" ||
                     code == "iot.device.AlreadyExistedDeviceName";
      if (passing && tried < kTries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50 << tried));
        continue;
      }
      bool of_the_line = code.starts_with("iot.") && code != "iot.system.SystemException" &&
                         code != "iot.common.AuthActionPermissionDeny";
      if (of_the_line) return answer;
      return Status(StatusCode::kFailedPrecondition,
                    fmt::format("{} refused: {}", action, ReasonOf(answer)));
    }
  }

  static std::string ReasonOf(const Json& answer) {
    return fmt::format("{} ({})", answer.value("ErrorMessage", answer.value("Message", "")),
                       answer.value("Code", "no code"));
  }

  // So that the service has time for others.
  void KeepPace(size_t devices) {
    if (options_.devices_per_second == 0) return;
    const int64_t now_us = NowUs();
    next_call_us_ = std::max(next_call_us_, now_us);
    std::this_thread::sleep_for(std::chrono::microseconds(next_call_us_ - now_us));
    next_call_us_ +=
        static_cast<int64_t>(1e6 * static_cast<double>(devices) / options_.devices_per_second);
  }

  static int64_t NowUs() { return SystemClock().MonotonicUs(); }

  void ClearProgress() const {
    if (terminal_) fmt::print(stderr, "\r\033[K");
  }

  // Once a second on a terminal, else every ten.
  void ShowProgress(bool last) {
    if (!last && reader_.line() % 256 != 0) return;
    const int64_t now_us = NowUs();
    if (!last && now_us - shown_us_ < (terminal_ ? 1'000'000 : 10'000'000)) return;
    shown_us_ = now_us;
    double seconds = std::max(static_cast<double>(now_us - began_us_) / 1e6, 1e-3);
    std::string part =
        file_bytes_ == 0 ? std::string()
                         : fmt::format(" ({:.0f} %)", 100.0 * static_cast<double>(reader_.bytes()) /
                                                          static_cast<double>(file_bytes_));
    ClearProgress();
    fmt::print(stderr, "line {}{}: {} brought in, {} here already, {} not, {:.0f} a second{}",
               reader_.line(), part, created_, existing_, problems_,
               static_cast<double>(created_ + existing_) / seconds, terminal_ && !last ? "" : "\n");
    std::fflush(stderr);
  }

  const ApiClient& client_;
  ImportReader& reader_;
  const ImportOptions& options_;
  const uint64_t file_bytes_;  // 0 when it is not known.
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  const int64_t began_us_ = NowUs();
  int64_t shown_us_ = began_us_;
  int64_t next_call_us_ = began_us_;
  std::map<std::string, Bucket> buckets_;
  uint64_t created_ = 0;
  uint64_t existing_ = 0;
  uint64_t problems_ = 0;
  uint64_t made_up_ = 0;
};

int RunImport(ImportOptions options) {
  std::ifstream file;
  uint64_t file_bytes = 0;
  if (options.file != "-") {
    file.open(options.file, std::ios::binary);
    std::error_code error;
    file_bytes = std::filesystem::file_size(options.file, error);
    if (!file.is_open() || error) {
      return Fail(
          Status(StatusCode::kInvalidArgument, fmt::format("'{}' cannot be read", options.file)));
    }
  }
  options.format.csv = options.format_name == "csv" ||
                       (options.format_name.empty() && options.file.ends_with(".csv"));
  Result<ApiClient> client = ApiClient::Of(options.client);
  if (!client.ok()) return Fail(client.status());
  ImportReader reader(options.file == "-" ? std::cin : file, options.format);
  if (Status status = reader.Begin(); !status.ok()) {
    return Fail(Status(StatusCode::kInvalidArgument,
                       fmt::format("{}:1: {}", options.file, status.message())));
  }
  Importer importer(*client, reader, options, file_bytes);
  Status status = importer.Run();
  importer.Summarize();
  if (!status.ok()) {
    fmt::print(
        stderr,
        "updraft: the import stopped at line {}; run it again once the cause is mended: what "
        "was brought in is passed over then\n",
        reader.line());
    return Fail(status);
  }
  return importer.problems() == 0 ? kExitOk : kExitRefused;
}

constexpr const char* kFooter =
    R"(Brings in products, devices, access keys and the versions that devices run, with the keys and
secrets that they have where they come from: a fleet moves over. FILE may be - for stdin.

JSON lines, one object a line; products before their devices:

  {"Type":"Product","ProductKey":"a1lamp","ProductName":"street_lamp","ProductSecret":"s1",
   "NodeType":0,"DataFormat":1,"Description":"","DynamicRegistration":false}
  {"Type":"Device","ProductKey":"a1lamp","DeviceName":"lamp-0001","DeviceSecret":"s2",
   "Nickname":"left","Disabled":false,"Versions":{"default":"1.0.0","mcu":"7"}}
  {"Type":"AccessKey","AccessKeyId":"LTAI4x","AccessKeySecret":"s3","Formal":true,"Note":"ci"}

(each on one line). CSV, of devices only, with a header row as cloud consoles export it; of its
columns only DeviceName must be there:

  DeviceName,DeviceSecret,ProductKey,Nickname,Disabled,Version,Module
  lamp-0001,s2,a1lamp,left,false,1.0.0,default

It can be run again, after an interruption or with more lines: what is here already and the same is
passed over; what differs is told by its line and never overwritten. A device without DeviceSecret
gets one made up if it is new. 100 devices go in a call.

  updraft import fleet.jsonl --data data
  updraft import devices.csv --data data --product-key a1lamp

Exit codes: 0 everything is here now, 1 some lines were not brought in (the first 100 are told),
2 the file or the command line is wrong, 3 the service cannot be reached.)";

}  // namespace

void AddImport(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command =
      app.add_subcommand("import", "Bring in a fleet with its keys and secrets, from a file");
  command->add_option("file", options->file, "JSON lines, or CSV of devices")->required();
  AddClientOptions(*command, options->client);
  command
      ->add_option("--format", options->format_name,
                   "csv or jsonl; by default what FILE's name says")
      ->check(CLI::IsMember({"csv", "jsonl"}));
  command->add_option("--product-key", options->format.product_key,
                      "The product of devices that name none");
  command->add_flag("--ignore-unknown", options->format.ignore_unknown,
                    "Pass over fields and columns that are not known, rather than refuse them");
  command
      ->add_option("--devices-per-second", options->devices_per_second,
                   "At most so many, so that the service has time for others; 0 is no limit")
      ->capture_default_str();
  command->footer(kFooter);
  command->callback([options, &exit_code] { exit_code = RunImport(*options); });
}

}  // namespace updraft
