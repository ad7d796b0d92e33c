#include "bench/fleet.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "bench/bench.h"
#include "engine/refusals.h"

namespace updraft {
namespace {

constexpr int64_t kStartMs = 1'767'225'600'000;  // 2026-01-01, a time like any other.
constexpr int64_t kTurnMs = 10;
constexpr int64_t kBetweenStepsMs = 3'000;  // Devices have settled.
constexpr uint64_t kDevicesACommand = 1'000;

}  // namespace

CoreFleet::CoreFleet(const Options& options, Sink sink)
    : options_(options),
      sink_(std::move(sink)),
      core_({.limits = {.repeats_per_second = UINT32_MAX}, .build = "bench"}),
      now_ms_(kStartMs),
      random_(options.seed),
      order_(options.devices) {
  std::iota(order_.begin(), order_.end(), 1u);
  sink_(core_.BeginReign(now_ms_));
  for (uint32_t i = 0; i < options_.products; ++i) {
    Do(CreateProduct{
        .name = KeyOf(i), .product_key = KeyOf(i), .product_secret = "0123456789abcdef"});
  }
  Do(BrokerStarted{1});
}

std::string CoreFleet::NameOf(uint64_t device) { return fmt::format("device-{:09}", device); }

std::string CoreFleet::KeyOf(uint32_t product) {
  return product == 0 ? kProductKey : fmt::format("{}{}", kProductKey, product);
}

// splitmix64.
uint64_t CoreFleet::Random() {
  uint64_t z = (random_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void CoreFleet::Turn(const std::function<void()>& ask) {
  now_ms_ += kTurnMs;
  core_.BeginTurn(now_ms_);
  core_.RunAgenda();
  ask();
  if (std::optional<CommitJob> job = core_.EndTurn()) sink_(*job);
}

Outcome CoreFleet::Execute(const Command& command) {
  Outcome outcome = core_.Execute(command, KeyId());
  OrDie(outcome.status, "execute a command");
  return outcome;
}

void CoreFleet::Do(const Command& command) {
  Turn([&] { Execute(command); });
}

// As the engine's turns do it.
void CoreFleet::Some(size_t begin, size_t end, const std::function<Command(DeviceId)>& make) {
  const size_t count = std::min(end - begin, Core::kExpectedMax);
  std::array<const Command*, Core::kExpectedMax> expected;
  for (size_t i = 0; i < count; ++i) {
    commands_[i] = make(DeviceId(order_[begin + i]));
    expected[i] = &commands_[i];
  }
  core_.Expect(std::span(expected).first(count));
  for (size_t i = 0; i < count; ++i) Execute(commands_[i]);
}

void CoreFleet::Each(uint64_t count, const std::function<Command(DeviceId)>& make) {
  for (size_t i = 0; i < count; ++i) {
    std::swap(order_[i], order_[i + Random() % (order_.size() - i)]);
  }
  for (size_t begin = 0; begin < count; begin += options_.reports_a_commit) {
    size_t end = std::min<size_t>(begin + options_.reports_a_commit, count);
    Turn([&] {
      for (size_t at = begin; at < end; at += Core::kExpectedMax) Some(at, end, make);
    });
  }
  Pass(kBetweenStepsMs);
}

void CoreFleet::Register() {
  uint64_t first = 0;
  for (uint32_t product = 0; product < options_.products; ++product) {
    uint64_t last = options_.devices * (product + 1) / options_.products;
    for (uint64_t begin = first; begin < last; begin += kDevicesACommand) {
      RegisterDevices order{.product_key = KeyOf(product)};
      for (uint64_t i = begin; i < std::min(begin + kDevicesACommand, last); ++i) {
        order.devices.push_back({.name = NameOf(i),
                                 .secret = "0123456789abcdef0123456789abcdef",
                                 .salt = "0123456789abcdef"});
      }
      Do(order);
    }
    first = last;
  }
}

void CoreFleet::ComeOnline() {
  Each(options_.devices, [](DeviceId id) {
    return ReportPresence{.device = {.id = id}, .online = true, .broker_epoch = 1, .generation = 1};
  });
}

void CoreFleet::GoOffline() {
  Each(options_.devices, [](DeviceId id) {
    return ReportPresence{
        .device = {.id = id}, .online = false, .broker_epoch = 1, .generation = 1};
  });
}

void CoreFleet::ReportVersion(const std::string& version) {
  Each(options_.devices, [&](DeviceId id) {
    return updraft::ReportVersion{.device = {.id = id}, .version = version};
  });
}

void CoreFleet::StartBatches(const std::string& version, uint32_t timeout_minutes) {
  for (uint32_t i = 0; i < options_.products; ++i) StartBatch(i, version, timeout_minutes);
  while (!world().agenda().at_work.empty()) {
    Turn([] {});
  }
}

void CoreFleet::StartBatch(uint32_t product, const std::string& version, uint32_t timeout_minutes) {
  CreateBatch order{.product_key = KeyOf(product), .timeout_minutes = timeout_minutes};
  Turn([&] {
    Outcome package =
        Execute(CreatePackage{.product_key = order.product_key,
                              .name = fmt::format("to-{}", world().packages().size() + 1),
                              .target_version = version,
                              .needs_verification = false,
                              .file = "file",
                              .suffix = "bin",
                              .size_bytes = 1'000,
                              .md5 = std::string(16, 'm'),
                              .sha256 = std::string(32, 's')});
    order.package = std::get<CreatedPackage>(package.answer).package;
  });
  Do(order);
}

void CoreFleet::Push() {
  for (bool more = true; more;) {
    Turn([&] { more = !core_.TakePushes(options_.reports_a_commit).empty(); });
  }
  Do(AcknowledgePushes{PushNumber(world().globals().pushes)});
}

void CoreFleet::Progress(int step, uint64_t reports) {
  Each(reports, [&](DeviceId id) { return ReportProgress{.device = {.id = id}, .step = step}; });
}

void CoreFleet::LiveThrough(int reports) {
  Register();
  ComeOnline();
  ReportVersion("1.0.0");
  StartBatches("2.0.0");
  Push();
  for (int i = 0; i < reports; ++i) Progress(i * 100 / reports);
  ReportVersion("2.0.0");
  GoOffline();
}

void CoreFleet::EndReign() {
  now_ms_ += kTurnMs;
  core_.BeginTurn(now_ms_);
  sink_(*core_.EndTurnWithDigest());
}

}  // namespace updraft
