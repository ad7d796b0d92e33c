// A whole upgrade of a fleet, start to end, in this process: the batch is created, every device is
// told, says eleven times how far it is and at last that it runs the new version. The rate has no
// limit. What that costs a device: processor time, bytes of commits, bytes on the disk.
//
// Devices are a loop that asks the engine what a device would; the time that takes is in the
// figures.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/bench.h"
#include "bench/library.h"
#include "events/log/event_log.h"
#include "events/log/rocks_log.h"

namespace updraft {
namespace {

constexpr std::array kSteps = {1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100};

// Of a log that nobody has open. Opening it moves what its write-ahead logs hold to tables.
double BytesOf(const std::string& dir) {
  OrDie(RocksLog::Open({.dir = dir + "/log", .sidecar_key_path = dir + "/sidecar.key"}),
        "open the log");
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir + "/log")) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return static_cast<double>(bytes);
}

// Takes the pushes there are and lets their devices upgrade, until all have.
void Upgrade(EngineHost& host, uint64_t devices, const std::string& version) {
  constexpr uint32_t kPushesAtOnce = 8'192;
  for (uint64_t done = 0; done < devices;) {
    Outcome outcome = host.Do(TakePushes{kPushesAtOnce});
    const std::vector<Push>& pushes = std::get<TakenPushes>(outcome.answer).pushes;
    host.Do(AcknowledgePushes{pushes.back().number});
    host.Pour(pushes.size() * (kSteps.size() + 1), [&](uint64_t i) -> Command {
      const DeviceRef device{.id = pushes[i % pushes.size()].notice.device};
      const size_t report = i / pushes.size();
      if (report == kSteps.size()) return ReportVersion{.device = device, .version = version};
      return ReportProgress{.device = device, .step = kSteps[report]};
    });
    done += pushes.size();
  }
}

// Bytes of a message as Cap'n Proto lays it out: what the commits since `from` are made of.
void TellWhatCommitsHold(Bench& bench, const EventLog& log, Seq from, double devices) {
  std::map<int, std::pair<uint64_t, uint64_t>> by_kind;  // Events and their words.
  uint64_t framing = 0;
  OrDie(log.Read(from,
                 [&](const CommitReader& commit) {
                   uint64_t words = 0;
                   for (events::Event::Reader event : commit.events()) {
                     auto& [count, sum] = by_kind[static_cast<int>(event.which())];
                     const uint64_t size = event.totalSize().wordCount;
                     ++count;
                     sum += size;
                     words += size;
                   }
                   framing += commit.bytes().size() - words * sizeof(capnp::word);
                   return OkStatus();
                 }),
        "read the log");
  for (const auto& [kind, sums] : by_kind) {
    if (static_cast<double>(sums.first) < devices / 2 && sums.second * 8 < 100'000) continue;
    bench.Tell("commit_bytes_of_kind_a_device", {{"kind", static_cast<uint64_t>(kind)}},
               {static_cast<double>(sums.second * sizeof(capnp::word)) / devices, 0});
  }
  bench.Tell("commit_bytes_of_frames_a_device", {}, {static_cast<double>(framing) / devices, 0});
}

int Main(int argc, char** argv) {
  Bench bench("upgrade", argc, argv, "sync=fdatasync");
  const uint64_t devices = bench.Parameter("devices", 1'000, 1'000'000);
  const std::string dir = bench.NewDir();
  auto a_device = [&](double sum) { return sum / static_cast<double>(devices); };
  {
    EngineHost host(dir);
    host.MakeFleet(devices);
    host.ReportVersions(devices, "1.0.0");
    host.GoOnline(devices);
  }
  const double bytes_before = BytesOf(dir);
  double cpu_s = 0, commit_bytes = 0, commits = 0, seconds = 0;
  Seq from;
  {
    EngineHost host(dir);
    from = Seq(host.engine().log().head().last.value() + 1);
    const auto bytes_then = static_cast<double>(host.commit_bytes());
    const auto commits_then = static_cast<double>(host.commits());
    const double cpu_then = ProcessCpuSeconds();
    seconds = SecondsOf([&] {
      host.Do(host.WholeFleet(host.MakePackage("2.0.0")));
      Upgrade(host, devices, "2.0.0");
    });
    cpu_s = ProcessCpuSeconds() - cpu_then;
    commit_bytes = static_cast<double>(host.commit_bytes()) - bytes_then;
    commits = static_cast<double>(host.commits()) - commits_then;
    const bool ended = host.Ask<bool>([](const World& world) {
      return world.batches()[BatchId(1)].status == BatchStatus::COMPLETED;
    });
    OrDie(ended ? OkStatus() : Status(StatusCode::kInternal, "tasks are open"), "end the batch");
  }
  bench.Tell("devices/s", {}, {static_cast<double>(devices) / seconds, 0});
  bench.Tell("cpu_us_a_device", {}, {a_device(cpu_s * 1e6), 0});
  bench.Tell("commit_bytes_a_device", {}, {a_device(commit_bytes), 0});
  bench.Tell("commits", {}, {commits, 0});
  bench.Tell("disk_bytes_a_device", {}, {a_device(BytesOf(dir) - bytes_before), 0}, AtMost(600));
  auto log = OrDie(RocksLog::Open({.dir = dir + "/log", .read_only = true}), "open the log");
  TellWhatCommitsHold(bench, *log, from, static_cast<double>(devices));
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) { return updraft::Main(argc, argv); }
