#include "bench/library.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>

#include "bench/bench.h"

namespace updraft {
namespace {

constexpr uint64_t kDevicesACommand = 1'000;
constexpr uint64_t kAskedAtOnce = 16'384;

}  // namespace

EngineHost::EngineHost(const std::string& dir, EngineOptions options) {
  options.data_dir = dir;
  options.on_commit = [this](Seq last, uint32_t events, size_t bytes, int64_t) {
    events_ += events;
    commit_bytes_ += bytes;
    ++commits_;
    if (on_commit) on_commit(last);
  };
  engine_ = OrDie(Engine::Open(std::move(options)), "open an engine");
}

EngineHost::~EngineHost() { engine_->Stop(); }

Outcome EngineHost::Do(Command command) {
  std::atomic<bool> done = false;
  Outcome answer;
  Status status = engine_->Submit(std::move(command), [&](const Outcome& outcome) {
    answer = outcome;
    done = true;
    done.notify_one();
  });
  OrDie(status, "ask the engine");
  done.wait(false);
  OrDie(answer.status, "do what was asked");
  return answer;
}

void EngineHost::Read(std::function<Engine::Finish(const World&)> look) {
  OrDie(engine_->Read(std::move(look)), "look at the world");
}

void EngineHost::Pour(uint64_t count, const std::function<Command(uint64_t)>& command) {
  std::mutex mutex;
  std::condition_variable room;
  uint64_t answered = 0;
  for (uint64_t i = 0; i < count; ++i) {
    {
      std::unique_lock lock(mutex);
      room.wait(lock, [&] { return i - answered < kAskedAtOnce; });
    }
    Status status = engine_->Submit(command(i), [&](const Outcome& outcome) {
      OrDie(outcome.status, "do one of many things");
      std::lock_guard lock(mutex);
      ++answered;
      // Not for each: it would only find the bound again.
      if (answered == count || answered % (kAskedAtOnce / 4) == 0) room.notify_one();
    });
    OrDie(status, "ask one of many things");
  }
  std::unique_lock lock(mutex);
  room.wait(lock, [&] { return answered == count; });
}

void EngineHost::MakeFleet(uint64_t devices) {
  Do(CreateProduct{.name = "bench", .product_key = kProductKey});
  Pour((devices + kDevicesACommand - 1) / kDevicesACommand, [&](uint64_t i) {
    RegisterDevices command{.product_key = kProductKey};
    const uint64_t end = std::min(devices, (i + 1) * kDevicesACommand);
    for (uint64_t d = i * kDevicesACommand; d < end; ++d) {
      command.devices.push_back({.name = fmt::format("device-{:05}", d), .secret = kSecret});
    }
    return command;
  });
}

void EngineHost::ReportVersions(uint64_t devices, const std::string& version) {
  Pour(devices, [&](uint64_t i) {
    return ReportVersion{.device = {.id = DeviceId(static_cast<uint32_t>(i + 1))},
                         .version = version};
  });
}

void EngineHost::GoOnline(uint64_t devices) {
  Do(BrokerStarted{1});
  Pour(devices, [&](uint64_t i) {
    return ReportPresence{.device = {.id = DeviceId(static_cast<uint32_t>(i + 1))},
                          .online = true,
                          .broker_epoch = 1,
                          .generation = 1};
  });
}

PackageId EngineHost::MakePackage(const std::string& version) {
  Outcome created = Do(CreatePackage{.product_key = kProductKey,
                                     .name = fmt::format("package-{}", ++packages_),
                                     .target_version = version,
                                     .needs_verification = false,
                                     .file = std::string(32, 'f'),
                                     .suffix = "bin",
                                     .size_bytes = 4'096,
                                     .md5 = std::string(16, 'm'),
                                     .sha256 = std::string(32, 's')});
  return std::get<CreatedPackage>(created.answer).package;
}

CreateBatch EngineHost::WholeFleet(PackageId package) const {
  return {.product_key = kProductKey, .package = package, .scope = Scope::kAll};
}

LatencyProbe::LatencyProbe(EngineHost& host, int64_t pause_us)
    : host_(host), thread_([this, pause_us] { Run(pause_us); }) {}

LatencyProbe::~LatencyProbe() { Stop(); }

std::vector<LatencyProbe::Point> LatencyProbe::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return points_;
}

void LatencyProbe::Run(int64_t pause_us) {
  using Clock = std::chrono::steady_clock;
  for (uint64_t i = 0; !stopping_; ++i) {
    const auto asked = Clock::now();
    if (i % 2 == 0) {
      host_.Do(UpdateProduct{.product_key = EngineHost::kProductKey,
                             .description = fmt::format("described {} times", i)});
    } else {
      host_.Ask<size_t>(
          [](const World& world) { return world.products()[ProductId(1)].key.size(); });
    }
    const auto answered = Clock::now();
    points_.push_back({std::chrono::duration<double>(asked - begin_).count(),
                       std::chrono::duration<double, std::micro>(answered - asked).count()});
    std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
  }
}

double Percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  const auto at = static_cast<size_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(at), values.end());
  return values[at];
}

double PercentileUs(const std::vector<LatencyProbe::Point>& points, double part) {
  std::vector<double> values;
  for (const LatencyProbe::Point& point : points) values.push_back(point.us);
  return Percentile(std::move(values), part);
}

double ProcessCpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace updraft
