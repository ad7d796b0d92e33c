// A fleet of one product and what it goes through, decided by the engine's core on simulated time:
// the same history on each run, made as fast as the core can. Devices do each step in an order that
// is shuffled anew, as reports of a real fleet come in, so that memory is touched here and there.
//
//   CoreFleet fleet({.devices = 1'000}, [&](const CommitJob& job) { log.Append(…); });
//   fleet.Register();
//   fleet.ComeOnline();
//   fleet.ReportVersion("1.0.0");
//   BatchId batch = fleet.StartBatch("2.0.0");
//   fleet.Push();
//   fleet.Progress(10);
//   fleet.ReportVersion("2.0.0");
//
// What fails ends the program. Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core.h"

namespace updraft {

class CoreFleet {
 public:
  static constexpr const char* kProductKey = "a1benchpk";

  // Is given each commit, in order.
  using Sink = std::function<void(const CommitJob&)>;

  struct Options {
    uint64_t devices = 0;
    uint32_t reports_a_commit = 256;
    uint64_t seed = 42;
  };

  CoreFleet(const Options& options, Sink sink);

  // 16 bytes.
  static std::string NameOf(uint64_t device);

  void Register();
  void ComeOnline();
  void GoOffline();
  void ReportVersion(const std::string& version);
  // Over devices `first` to `last`, counted from 1, of a new package to `version`; returns when all
  // its tasks are there. No timeout when `timeout_minutes` is 0.
  BatchId StartBatch(const std::string& version, uint32_t timeout_minutes = 1'440);
  // All pushes that are due, and the broker has them.
  void Push();
  void Progress(int step);
  // All of the above, with `reports` reports of progress a device.
  void LiveThrough(int reports);

  // One turn: what `ask` executes becomes a commit.
  void Turn(const std::function<void()>& ask);
  void Do(const Command& command);
  void Pass(int64_t ms) { now_ms_ += ms; }

  Core& core() { return core_; }
  const World& world() const { return core_.world(); }

 private:
  // Every device's command, in a new order, `reports_a_commit` a turn.
  void Each(const std::function<Command(DeviceId)>& make);
  Outcome Execute(const Command& command);
  uint64_t Random();

  const Options options_;
  const Sink sink_;
  Core core_;
  int64_t now_ms_;
  uint64_t random_;
  std::vector<uint32_t> order_;
};

}  // namespace updraft
