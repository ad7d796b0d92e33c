// An engine over a log in memory, with a product `a1pk` and what tests ask of it.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/clock.h"
#include "engine/updraft.h"
#include "engine/view.h"
#include "events/log/memory_log.h"
#include "projections/world.h"

namespace updraft {

// Comes back once `what` is so; fails the test when that takes more than a minute.
inline void Await(const std::function<bool()>& what) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!what()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

class EngineBench {
 public:
  static constexpr const char* kProductKey = "a1pk";

  explicit EngineBench(EngineOptions options = {}) : options_(std::move(options)) { Open(); }

  // The same log again, as after a crash.
  void Reopen() {
    engine_->Stop();
    Open();
  }

  Engine& engine() { return *engine_; }
  MemoryLog& log() { return *log_; }

  Outcome Do(Command command) {
    std::promise<Outcome> promise;
    Status status = engine_->Submit(std::move(command),
                                    [&](const Outcome& outcome) { promise.set_value(outcome); });
    REQUIRE(status.ok());
    return promise.get_future().get();
  }

  template <class T>
  T Ask(std::function<T(const World&)> look) {
    std::promise<T> promise;
    Status status = engine_->Read([&](const World& world) -> Engine::Finish {
      return [&promise, value = look(world)](const Status&) { promise.set_value(value); };
    });
    REQUIRE(status.ok());
    return promise.get_future().get();
  }

  void MakeProduct() {
    REQUIRE(Do(CreateProduct{.name = "product", .product_key = kProductKey}).ok());
  }
  // Their secrets are `secret-` and the name.
  void Register(const std::vector<std::string>& names) {
    RegisterDevices devices{.product_key = kProductKey};
    for (const std::string& name : names) {
      devices.devices.push_back({.name = name, .secret = "secret-" + name});
    }
    REQUIRE(Do(devices).ok());
  }
  // A batch of a package from 1.0.0 or whatever to 2.0.0 for these devices.
  void StartBatch(std::vector<std::string> names) {
    CreatePackage package{.product_key = kProductKey, .name = "winter", .target_version = "2.0.0"};
    package.needs_verification = false;
    package.file = std::string(32, 'f');
    package.suffix = "bin";
    package.size_bytes = 4'096;
    package.md5 = std::string(16, 'm');
    package.sha256 = std::string(32, 's');
    Outcome created = Do(package);
    REQUIRE(created.ok());
    CreateBatch batch{.product_key = kProductKey,
                      .package = std::get<CreatedPackage>(created.answer).package,
                      .scope = Scope::kSpecific,
                      .device_names = std::move(names)};
    Outcome started = Do(batch);
    INFO(started.status.ToString());
    REQUIRE(started.ok());
  }

  DeviceRef Device(const std::string& name) const {
    return {.product_key = kProductKey, .name = name};
  }
  bool IsOnline(const std::string& name) {
    return Ask<bool>([&](const World& world) {
      DeviceId id = FindDevice(world, kProductKey, name);
      return id && world.IsOnline(id);
    });
  }
  // What it reported of its default module; empty when nothing.
  std::string VersionOf(const std::string& name) {
    return Ask<std::string>([&](const World& world) {
      DeviceId id = FindDevice(world, kProductKey, name);
      ModuleId module = world.FindModule(world.devices()[id].product, kDefaultModule);
      VersionId version = world.VersionOf(id, module);
      return version ? world.versions()[version].text : std::string();
    });
  }
  uint64_t BrokerEpoch() {
    return Ask<uint64_t>([](const World& world) { return world.globals().broker_epoch; });
  }
  uint64_t PushesAcknowledged() {
    return Ask<uint64_t>([](const World& world) { return world.globals().pushes_acknowledged; });
  }

 private:
  void Open() {
    auto log = std::make_unique<MemoryLog>(disk_);
    log_ = log.get();
    auto engine = Engine::OpenWith(options_, std::move(log), SystemClock());
    REQUIRE(engine.ok());
    engine_ = *std::move(engine);
  }

  EngineOptions options_;
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  MemoryLog* log_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

}  // namespace updraft
