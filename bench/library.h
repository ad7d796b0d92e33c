// An engine in this process on a disk, as a service that embeds it has one, with a fleet of one
// product, and what a bench asks of it. What fails ends the program.
//
// Thread-safety: a host's methods are called from one thread; a probe has one of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/updraft.h"
#include "projections/world.h"

namespace updraft {

class EngineHost {
 public:
  static constexpr const char* kProductKey = "a1benchpk";
  // Of every device.
  static constexpr const char* kSecret = "0123456789abcdef0123456789abcdef";

  // Makes a log in `dir`, or opens the one that is there.
  explicit EngineHost(const std::string& dir, EngineOptions options = {});
  ~EngineHost();

  Engine& engine() { return *engine_; }

  // Events and bytes of commits that are durable, since the engine was opened.
  uint64_t events() const { return events_; }
  uint64_t commit_bytes() const { return commit_bytes_; }
  uint64_t commits() const { return commits_; }
  // Called on the log's thread after each commit; set before anything is asked.
  std::function<void(Seq)> on_commit;

  // Asks and waits; the command must succeed.
  Outcome Do(Command command);
  template <class T>
  T Ask(std::function<T(const World&)> look) {
    std::atomic<bool> done = false;
    T answer = {};
    Read([&](const World& world) -> Engine::Finish {
      return [&, value = look(world)](const Status&) {
        answer = value;
        done = true;
        done.notify_one();
      };
    });
    done.wait(false);
    return answer;
  }
  // Asks for `count` things, many at a time, and waits for all; each must succeed.
  void Pour(uint64_t count, const std::function<Command(uint64_t)>& command);

  // A product with `devices` devices of names BenchDeviceName(0), … and ids 1, …
  void MakeFleet(uint64_t devices);
  // All of them say that they run `version`, or that they are connected.
  void ReportVersions(uint64_t devices, const std::string& version);
  void GoOnline(uint64_t devices);
  // To `version` from anything; needs no verification.
  PackageId MakePackage(const std::string& version);
  // A batch over the whole fleet without a limit of its rate.
  CreateBatch WholeFleet(PackageId package) const;

 private:
  void Read(std::function<Engine::Finish(const World&)> look);

  std::atomic<uint64_t> events_ = 0;
  std::atomic<uint64_t> commit_bytes_ = 0;
  std::atomic<uint64_t> commits_ = 0;
  int packages_ = 0;
  std::unique_ptr<Engine> engine_;
};

// What others wait meanwhile: a thread that asks one thing after the other, half of them writes
// and half looks, with a pause after each, and notes how long each took to be answered.
class LatencyProbe {
 public:
  struct Point {
    double at_s;  // Since the probe began.
    double us;
  };

  LatencyProbe(EngineHost& host, int64_t pause_us);
  ~LatencyProbe();

  std::chrono::steady_clock::time_point begin() const { return begin_; }

  // Ends it and tells what it saw, oldest first.
  std::vector<Point> Stop();

 private:
  void Run(int64_t pause_us);

  EngineHost& host_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::atomic<bool> stopping_ = false;
  std::vector<Point> points_;
  std::thread thread_;
};

// The value below which `part` of them lie. 0 when there are none.
double Percentile(std::vector<double> values, double part);
double PercentileUs(const std::vector<LatencyProbe::Point>& points, double part);

// Processor time of this process so far, all threads, in seconds.
double ProcessCpuSeconds();

}  // namespace updraft
