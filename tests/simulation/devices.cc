#include "tests/simulation/devices.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "tests/fleet/notice.h"

namespace updraft::simulation {
namespace {

constexpr std::string_view kNames[] = {"honest",      "slow",    "quiet",   "never",
                                       "lying",       "wrong",   "failing", "rebooting",
                                       "duplicating", "twofold", "pulling", "garbled"};

std::string Params(const std::string& module, const std::string& fields) {
  std::string in_module = module.empty() ? "" : fmt::format(R"(,"module":"{}")", module);
  return fields + in_module;
}

}  // namespace

std::string_view NameOf(Behaviour behaviour) { return kNames[static_cast<int>(behaviour)]; }

bool EndsWhenTold(Behaviour behaviour) {
  return behaviour != Behaviour::kNever && behaviour != Behaviour::kLying &&
         behaviour != Behaviour::kWrongVersion;
}

Device::Device(Surroundings& around, std::string product, std::string name, Behaviour behaviour,
               std::map<std::string, std::string> versions, bool mute, uint64_t seed)
    : around_(around),
      product_(std::move(product)),
      name_(std::move(name)),
      behaviour_(behaviour),
      mute_(mute),
      random_(seed),
      versions_(std::move(versions)) {}

Device::~Device() = default;

void Device::After(int64_t us, std::function<void()> what) {
  around_.schedule.After(us, [alive = std::weak_ptr<int>(alive_), what = std::move(what)] {
    if (!alive.expired()) what();
  });
}

void Device::AfterInUpgrade(int64_t us, std::function<void()> what) {
  After(us, [this, upgrade = upgrade_, what = std::move(what)] {
    if (upgrade == upgrade_) what();
  });
}

// --- Power and connection ---

void Device::PowerOn() {
  if (std::exchange(powered_, true)) return;
  around_.trace(fmt::format("{} ({}) is switched on", name_, NameOf(behaviour_)));
  Connect();
}

void Device::PowerOff(bool gracefully) {
  if (!std::exchange(powered_, false)) return;
  around_.trace(fmt::format("{} is switched off", name_));
  ++upgrade_;
  upgrading_to_.clear();
  waiting_.clear();
  Disconnected(gracefully);
}

void Device::Disconnected(bool gracefully) {
  uint32_t generation = std::exchange(generation_, 0);
  if (generation == 0) return;
  // The broker learns of a broken connection late.
  int64_t until_seen = gracefully ? around_.network.delay_us : random_.Between(1, 90) * kSecondUs;
  around_.schedule.After(until_seen, [&broker = around_.broker, product = product_, name = name_,
                                      generation, epoch = around_.broker.epoch()] {
    if (broker.epoch() == epoch) broker.Disconnect(product, name, generation);
  });
}

void Device::LoseNetwork(int64_t for_us) {
  network_back_us_ = around_.schedule.now_us() + for_us;
  Disconnected(/*gracefully=*/false);
  if (powered_) Connect();
}

void Device::ConnectAgain() {
  if (!powered_ || generation_ == 0) return;
  generation_ = 0;
  Connect();
}

void Device::Reconnect() {
  mute_ = false;
  if (!powered_) return;
  Disconnected(/*gracefully=*/true);
  Connect();
}

void Device::Connect() {
  if (std::exchange(connecting_, true)) return;
  int64_t at_us = std::max(around_.schedule.now_us(), network_back_us_) +
                  random_.Skewed(10 * kMsUs, 5 * kSecondUs);
  After(at_us - around_.schedule.now_us(), [this] {
    connecting_ = false;
    if (!powered_ || generation_ != 0) return;
    if (around_.schedule.now_us() < network_back_us_) return Connect();
    DeviceConnection connection{.product = product_, .name = name_};
    auto alive = std::weak_ptr<int>(alive_);
    connection.deliver = [this, alive](const std::string& topic, const std::string& payload) {
      if (alive.expired()) return;
      if (random_.Percent(around_.network.loss_percent)) {
        ++around_.stats.lost;
        return;
      }
      After(random_.Between(around_.network.delay_us / 2, around_.network.delay_us * 2),
            [this, generation = generation_, topic, payload] {
              if (generation != 0 && generation == generation_) OnMessage(topic, payload);
            });
    };
    // A connection that another took over needs nothing done; one that the broker lost is made
    // again.
    auto mine = std::make_shared<uint32_t>(0);
    connection.closed = [this, alive, mine] {
      if (alive.expired() || *mine == 0 || generation_ != *mine) return;
      generation_ = 0;
      if (powered_) Connect();
    };
    uint32_t generation = around_.broker.Connect(std::move(connection));
    if (generation == 0) {
      network_back_us_ = around_.schedule.now_us() + random_.Between(5, 60) * kSecondUs;
      return Connect();
    }
    *mine = generation_ = generation;
    ++around_.stats.connections;
    last_sent_us_ = 0;
    around_.trace(fmt::format("{} is connected", name_));
    if (!mute_) After(random_.Skewed(50 * kMsUs, 4 * kSecondUs), [this] { ReportVersions(); });
    if (behaviour_ == Behaviour::kPulling) PlanPull();
  });
}

// --- What it says ---

void Device::Say(std::string_view kind, const std::string& payload) {
  if (generation_ == 0) return;
  int64_t delay = random_.Between(around_.network.delay_us / 2, around_.network.delay_us * 2);
  SendOnce(kind, payload, delay);
  bool twice =
      behaviour_ == Behaviour::kDuplicating || random_.Percent(around_.network.duplicate_percent);
  if (!twice) return;
  ++around_.stats.duplicated;
  SendOnce(kind, payload, delay + (random_.OneIn(3) ? random_.Skewed(0, 20 * kSecondUs) : kMsUs));
}

void Device::SendOnce(std::string_view kind, const std::string& payload, int64_t delay_us) {
  ++around_.stats.messages;
  if (random_.Percent(around_.network.loss_percent)) {
    ++around_.stats.lost;
    return;
  }
  int64_t now_us = around_.schedule.now_us();
  int64_t at_us = now_us + delay_us;
  if (random_.Percent(around_.network.reorder_percent)) {
    ++around_.stats.reordered;
    at_us += random_.Skewed(0, 30 * kSecondUs);
  } else {
    at_us = last_sent_us_ = std::max(at_us, last_sent_us_);
  }
  around_.trace(fmt::format("{} says {} {}", name_, kind, payload));
  around_.schedule.At(at_us, [&around = around_, product = product_, name = name_,
                              generation = generation_, kind = std::string(kind), payload] {
    around.broker.PublishFromDevice(product, name, generation, kind, payload);
  });
}

void Device::SayVersion(const std::string& module, const std::string& version) {
  Say("inform", fmt::format(R"({{"id":"{}","params":{{{}}}}})", ++message_id_,
                            Params(module, fmt::format(R"("version":"{}")", version))));
}

void Device::SayProgress(const std::string& module, int step) {
  std::string words = step < 0 ? fmt::format("error {}", step) : "";
  Say("progress",
      fmt::format(R"({{"id":{},"params":{{{}}}}})", ++message_id_,
                  Params(module, fmt::format(R"("step":"{}","desc":"{}")", step, words))));
}

void Device::Ask(const std::string& module, bool legacy) {
  std::string params = module.empty() ? "" : fmt::format(R"("module":"{}")", module);
  Say(legacy ? "request" : "get",
      fmt::format(R"({{"id":{},"params":{{{}}}}})", ++message_id_, params));
}

void Device::SayNonsense() {
  static constexpr std::string_view kNonsense[] = {"",
                                                   "{",
                                                   R"({"id":1,"params":{"version":7}})",
                                                   R"({"id":1,"params":{"step":"3.5"}})",
                                                   R"({"id":1,"params":{"step":-9}})",
                                                   R"([1,2])",
                                                   R"({"params":{}})",
                                                   "\xff\xfe"};
  static constexpr std::string_view kKinds[] = {"inform",  "progress", "get",
                                                "request", "config",   "download"};
  Say(random_.Of(kKinds), std::string(random_.Of(kNonsense)));
}

void Device::ReportVersions() {
  for (const auto& [module, version] : versions_) SayVersion(module, version);
  if (behaviour_ == Behaviour::kGarbled) SayNonsense();
}

void Device::PlanPull() {
  if (std::exchange(pull_planned_, true)) return;
  After(random_.Skewed(kMinuteUs, 40 * kMinuteUs), [this] {
    pull_planned_ = false;
    if (generation_ == 0) return;  // Planned again with the next connection.
    for (const char* module : {"", "mcu"}) Ask(module, random_.OneIn(4));
    PlanPull();
  });
}

// --- What it is told ---

void Device::OnMessage(const std::string& topic, const std::string& payload) {
  bool notice = topic.starts_with("/ota/device/upgrade/");
  bool answer = topic.starts_with("/ota/device/request/") || topic.ends_with("/firmware/get_reply");
  if (!notice && !answer) return;
  std::optional<ReceivedNotice> received = ReadNotice(payload);
  if (!received) return;  // An answer that has nothing.
  ++around_.stats.notices;
  around_.trace(fmt::format("{} is told of {} {}", name_, received->module, received->version));
  if (notice && behaviour_ == Behaviour::kPulling) return;
  OnNotice(received->module, received->version);
}

void Device::OnNotice(const std::string& module, const std::string& version) {
  if (behaviour_ == Behaviour::kNever) return;
  auto runs = versions_.find(module);
  if (runs != versions_.end() && runs->second == version) return SayVersion(module, version);
  bool same = upgrading_module_ == module && upgrading_to_ == version;
  if (same && !random_.OneIn(4)) return;  // Some begin anew.
  if (!upgrading_to_.empty() && upgrading_module_ != module) {
    waiting_[module] = version;
    return;
  }
  Upgrade(module, version);
}

void Device::Upgrade(const std::string& module, const std::string& version) {
  ++upgrade_;
  ++around_.stats.upgrades;
  upgrading_module_ = module;
  upgrading_to_ = version;
  int64_t unit = behaviour_ == Behaviour::kSlow ? random_.Skewed(kMinuteUs, 40 * kMinuteUs)
                                                : random_.Skewed(kSecondUs, kMinuteUs);
  auto say = [&](int units, int step) {
    if (behaviour_ == Behaviour::kQuiet) return;
    AfterInUpgrade(units * unit, [this, module, step] { SayProgress(module, step); });
  };
  say(1, behaviour_ == Behaviour::kGarbled ? 106 : 0);
  say(2, random_.Int(1, 40));
  if (behaviour_ == Behaviour::kLying) {
    for (int i = 3; i < 8; ++i) say(i, 100);
    AfterInUpgrade(8 * unit, [this] { EndUpgrade(); });
    return;
  }
  if (behaviour_ == Behaviour::kFailing) {
    AfterInUpgrade(3 * unit, [this, module] {
      SayProgress(module, -random_.Int(1, 4));
      EndUpgrade();
    });
    return;
  }
  if (behaviour_ == Behaviour::kRebooting && !std::exchange(rebooted_once_, true)) {
    AfterInUpgrade(3 * unit, [this] {
      PowerOff(/*gracefully=*/false);
      After(random_.Skewed(kSecondUs, 3 * kMinuteUs), [this] { PowerOn(); });
    });
    return;
  }
  if (behaviour_ == Behaviour::kTwofold) AfterInUpgrade(2 * unit + 1, [this] { ConnectAgain(); });
  say(3, random_.Int(41, 99));
  say(4, 100);
  std::string becomes = behaviour_ == Behaviour::kWrongVersion ? "odd" : version;
  AfterInUpgrade(5 * unit, [this, module, becomes] { Install(module, becomes); });
}

void Device::Install(const std::string& module, const std::string& version) {
  versions_[module] = version;
  around_.trace(fmt::format("{} runs {} {}", name_, module, version));
  Disconnected(/*gracefully=*/random_.OneIn(2));
  mute_ = false;
  Connect();
  EndUpgrade();
}

void Device::EndUpgrade() {
  ++upgrade_;
  upgrading_to_.clear();
  if (waiting_.empty()) return;
  auto next = waiting_.extract(waiting_.begin());
  Upgrade(next.key(), next.mapped());
}

void Device::Become(const std::string& module, const std::string& version) {
  versions_[module] = version;
  around_.trace(fmt::format("{} was upgraded to {} {} by somebody else", name_, module, version));
  SayVersion(module, version);
}

}  // namespace updraft::simulation
