// How long does a start take? Of a fleet that lived through a batch: from its newest checkpoint,
// beside folding the whole log, and beside only reading the checkpoint's file.
//
// Both starts end with the names of all devices, which are in no checkpoint: each is decrypted from
// the sidecar. The parts are told, too: the world without names, and the names alone.
#include <cstdio>
#include <memory>

#include <xxhash.h>

#include "bench/bench.h"
#include "bench/fleet_log.h"
#include "engine/recovery.h"
#include "events/log/checkpoint_file.h"

namespace updraft {
namespace {

Sample Start(const EventLog& log, const std::string& checkpoint_dir, bool names) {
  Recovered recovered;
  double seconds = SecondsOf([&] {
    RecoveryOptions options;
    options.checkpoint_dir = checkpoint_dir;
    options.names = names;
    recovered = OrDie(Recover(log, options), "recover");
  });
  OrDie(checkpoint_dir.empty() == !recovered.checkpoint
            ? OkStatus()
            : Status(StatusCode::kInternal, "the wrong way was gone"),
        "start");
  return {seconds, recovered.world->digest().low()};
}

Sample ReadFile(const std::string& path) {
  uint64_t digest = 0;
  double seconds = SecondsOf([&] {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "r"),
                                                         std::fclose);
    std::string buffer(1 << 20, '\0');
    while (size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
      digest = XXH3_64bits_withSeed(buffer.data(), count, digest);
    }
  });
  return {seconds, digest};
}

void Run(Bench& bench) {
  uint64_t devices = bench.Parameter("devices", 300, 1'000'000);
  uint64_t reports = bench.Parameter("reports_a_device", 3, 10);
  std::string dir = bench.NewDir();
  std::string checkpoints = dir + "/checkpoints";
  {
    std::unique_ptr<RocksLog> log = OpenLog(dir, /*create=*/true);
    CoreFleet fleet({.devices = devices}, [&](const CommitJob& job) {
      OrDie(log->Append(job.commit, job.side), "append");
    });
    fleet.LiveThrough(static_cast<int>(reports));
    fleet.EndReign();
  }
  std::unique_ptr<RocksLog> log = OpenLog(dir);
  Seq last = log->head().last;
  OrDie(MakeCheckpoint(*log, {.checkpoint_dir = checkpoints, .to = last}), "make a checkpoint");
  std::string path = OrDie(ListCheckpoints(checkpoints), "list checkpoints").at(0);

  Bench::Point point = {{"events", last.value()}};
  bench.Compare("s", point,
                {{"checkpoint", [&] { return Start(*log, checkpoints, true); }},
                 {"replay", [&] { return Start(*log, "", true); }, AtMost(0.1)},
                 {"read_file", [&] { return ReadFile(path); }, AtMost(3)}});
  bench.Compare("s", point,
                {{"checkpoint_without_names", [&] { return Start(*log, checkpoints, false); }},
                 {"replay_without_names", [&] { return Start(*log, "", false); }, AtMost(0.1)},
                 {"read_file", [&] { return ReadFile(path); }, AtMost(3)}});
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  updraft::Bench bench("start", argc, argv, "sync=none");
  updraft::Run(bench);
}
