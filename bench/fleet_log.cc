#include "bench/fleet_log.h"

#include <filesystem>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <fmt/format.h>

#include "adapters/wire/gate_topics.h"

namespace updraft {

std::unique_ptr<RocksLog> OpenLog(const std::string& dir, bool create) {
  std::filesystem::create_directories(dir);
  return OrDie(
      RocksLog::Open(
          {.dir = dir + "/log", .create = create, .sidecar_key_path = dir + "/sidecar.key"}),
      "open a log");
}

void MakeUpgradingFleet(const std::string& dir, uint64_t devices) {
  std::unique_ptr<RocksLog> log = OpenLog(dir, /*create=*/true);
  CoreFleet fleet({.devices = devices, .reports_a_commit = 4'096}, [&](const CommitJob& job) {
    OrDie(log->Append(job.commit, job.side), "append");
  });
  fleet.Register();
  fleet.ComeOnline();
  fleet.ReportVersion("1.0.0");
  fleet.StartBatches("2.0.0", /*timeout_minutes=*/0);
  fleet.Push();
  fleet.Progress(0);
}

std::string RowOf(events::Event::Reader event) {
  capnp::MallocMessageBuilder message;
  message.setRoot(event);
  kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
  return std::string(reinterpret_cast<const char*>(words.begin()),
                     words.size() * sizeof(capnp::word));
}

std::string RowOfReport() {
  capnp::MallocMessageBuilder message;
  auto event = message.initRoot<events::Event>();
  auto report = event.initProgressReported();
  report.setTask(123'456);
  report.setStep(42);
  return RowOf(event.asReader());
}

std::string ReportTopic(uint64_t device) {
  return GateUpTopic({.kind = UplinkKind::kProgress,
                      .product_key = CoreFleet::kProductKey,
                      .device_name = CoreFleet::NameOf(device)});
}

std::string ReportPayload(int step) {
  return fmt::format(R"({{"id":"123","params":{{"step":"{}","desc":"","module":"default"}}}})",
                     step);
}

}  // namespace updraft
