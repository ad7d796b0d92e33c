// A fleet and what it goes through, decided by the engine's core on simulated time:
// the same history on each run, made as fast as the core can. Devices do each step in an order that
// is shuffled anew, as reports of a real fleet come in, so that memory is touched here and there.
//
//   CoreFleet fleet({.devices = 1'000}, [&](const CommitJob& job) { log.Append(…); });
//   fleet.Register();
//   fleet.ComeOnline();
//   fleet.ReportVersion("1.0.0");
//   fleet.StartBatches("2.0.0");
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
  static constexpr const char* kProductKey = "a1benchpk";  // Of the first.

  // Is given each commit, in order.
  using Sink = std::function<void(const CommitJob&)>;

  struct Options {
    uint64_t devices = 0;
    uint32_t reports_a_commit = 256;
    // The devices are shared out among so many, and each has a batch of its own.
    uint32_t products = 1;
    uint64_t seed = 42;
  };

  CoreFleet(const Options& options, Sink sink);

  // 16 bytes.
  static std::string NameOf(uint64_t device);

  void Register();
  void ComeOnline();
  void GoOffline();
  void ReportVersion(const std::string& version);
  // Over all devices of each product, of a new package to `version`; returns when all tasks are
  // there. No timeout when `timeout_minutes` is 0.
  void StartBatches(const std::string& version, uint32_t timeout_minutes = 1'440);
  // All pushes that are due, and the broker has them.
  void Push();
  void Progress(int step) { Progress(step, options_.devices); }
  // Of `reports` devices only.
  void Progress(int step, uint64_t reports);
  // All of the above, with `reports` reports of progress a device.
  void LiveThrough(int reports);

  // The last commit, with the digest.
  void EndReign();

  // One turn: what `ask` executes becomes a commit.
  void Turn(const std::function<void()>& ask);
  void Do(const Command& command);
  void Pass(int64_t ms) { now_ms_ += ms; }

  Core& core() { return core_; }
  const World& world() const { return core_.world(); }

 private:
  // The commands of `count` devices, in a new order, `reports_a_commit` a turn.
  void Each(uint64_t count, const std::function<Command(DeviceId)>& make);
  void Some(size_t begin, size_t end, const std::function<Command(DeviceId)>& make);
  static std::string KeyOf(uint32_t product);
  void StartBatch(uint32_t product, const std::string& version, uint32_t timeout_minutes);
  Outcome Execute(const Command& command);
  uint64_t Random();

  const Options options_;
  const Sink sink_;
  Core core_;
  int64_t now_ms_;
  uint64_t random_;
  std::vector<uint32_t> order_;
  std::vector<Command> commands_{Core::kExpectedMax};  // Kept for their memory.
};

}  // namespace updraft
