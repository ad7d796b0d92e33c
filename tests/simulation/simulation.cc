#include "tests/simulation/simulation.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "events/log/checkpoint_file.h"

namespace updraft::simulation {
namespace {

constexpr const char* kProducts[] = {"a1one", "a1two"};
constexpr const char* kModules[] = {"", "mcu"};
constexpr const char* kVersions[] = {"v1", "v2", "t1", "t2", "t3", "odd"};
// Long enough for every clock of a task that has begun to run out.
constexpr int64_t kAfterUs = 60 * kHourUs;

ServerOptions WithCheckpoints(const Setting& setting, std::optional<TempDir>& dir) {
  ServerOptions options = setting.server;
  if (setting.checkpoints) options.checkpoint_dir = dir.emplace().path();
  return options;
}

class Simulation {
 public:
  Simulation(const Scenario& scenario, bool keep_trace);

  RunResult Run();

 private:
  bool Failed() const { return checkers_.failure().has_value(); }
  void Trace(const std::string& line);
  void Open();
  void Do(const Action& action);
  void ActOnDevice(const Action& action, Random& random);
  void ActAsOperator(const Action& action, Random& random);
  void ActAsFault(const Action& action, Random& random);
  void Ask(const std::string& text, Command command,
           std::function<void(const Outcome&)> told = nullptr);
  void Register(int number, Random& random);
  void AskForBatch(Random& random);
  CreateBatch DrawBatch(Random& random, const RefPackage& package);
  void DrawSchedule(Random& random, CreateBatch& order);
  void DamageCheckpoint(Random& random);
  void KickWhoMayNot();
  void HealAll();
  void CheckEnd();
  std::string WhyOpen(int task) const;
  const Device* Find(int device) const;

  static std::string NameOfDevice(int number) { return fmt::format("dev-{}", number); }
  static std::string ProductOf(int number) { return kProducts[number % 5 == 0 ? 1 : 0]; }
  int64_t WallMs() { return schedule_.clock().WallUs() / 1'000; }
  // An id of those there are, seldom one that is not.
  template <class IdType, class List>
  IdType Some(Random& random, const List& list) {
    return IdType(static_cast<uint32_t>(1 + random.Draw(list.size() - (random.OneIn(12) ? 0 : 1))));
  }
  std::string SomeDevice(Random& random) {
    return NameOfDevice(random.Int(1, scenario_.setting.devices + (random.OneIn(20) ? 1 : 0)));
  }

  const Scenario& scenario_;
  const bool keep_trace_;
  Schedule schedule_;
  Checkers checkers_;
  Broker broker_;
  std::unique_ptr<Disk> disk_;
  std::optional<TempDir> checkpoints_;
  Server server_;
  Surroundings around_;
  std::map<int, std::unique_ptr<Device>> devices_;  // By their number in the fleet.
  RunResult result_;
};

Simulation::Simulation(const Scenario& scenario, bool keep_trace)
    : scenario_(scenario),
      keep_trace_(keep_trace),
      checkers_({}, [this](const std::string& line) { Trace(line); }),
      broker_(schedule_),
      disk_(scenario.setting.files
                ? std::unique_ptr<Disk>(std::make_unique<RocksDiskOfFaults>(scenario.seed))
                : std::make_unique<MemoryDiskOfFaults>()),
      server_(WithCheckpoints(scenario.setting, checkpoints_), schedule_, broker_, *disk_,
              checkers_, scenario.seed ^ 0x5e),
      around_{schedule_, broker_, scenario.setting.network, {}, [this](const std::string& line) {
                Trace(line);
              }} {
  broker_.admits = [this](const std::string& product, const std::string& name) {
    int device = checkers_.reference().FindDevice(product, name);
    return device != 0 && !checkers_.reference().devices()[device].disabled;
  };
}

void Simulation::Trace(const std::string& line) {
  int64_t ms = schedule_.now_us() / kMsUs;
  std::string timed = fmt::format("{:>3}:{:02}:{:02}.{:03}  {}", ms / 3'600'000, ms / 60'000 % 60,
                                  ms / 1'000 % 60, ms % 1'000, line);
  result_.fingerprint = XXH3_64bits_withSeed(timed.data(), timed.size(), result_.fingerprint);
  if (keep_trace_) result_.trace.push_back(std::move(timed));
}

// --- Actions ---

void Simulation::Ask(const std::string& text, Command command,
                     std::function<void(const Outcome&)> told) {
  Trace("> " + text);
  Status status = server_.Ask(std::move(command), [this, text, told](const Outcome& outcome) {
    std::string answer = outcome.ok() ? "done" : std::string(outcome.status.reason());
    if (auto* batch = std::get_if<CreatedBatch>(&outcome.answer)) {
      answer = fmt::format("batch {}", batch->batch.value());
    } else if (auto* package = std::get_if<CreatedPackage>(&outcome.answer)) {
      answer = fmt::format("package {}", package->package.value());
    }
    Trace(fmt::format("  {}: {}", text, answer));
    if (told) told(outcome);
  });
  if (!status.ok()) Trace(fmt::format("  {}: {}", text, status.reason()));
}

void Simulation::Open() {
  server_.Start();
  int64_t at_us = 0;
  for (const char* key : kProducts) {
    std::string product = key;
    auto ask = [&](const std::string& text, Command command) {
      schedule_.At(at_us += 200 * kMsUs, [this, text, command] { Ask(text, command); });
    };
    ask("create product " + product,
        CreateProduct{
            .name = "name_" + product, .product_key = product, .product_secret = "secret"});
    ask("create module mcu", CreateModule{.product_key = product, .name = "mcu"});
  }
}

void Simulation::Register(int number, Random& random) {
  std::string product = ProductOf(number);
  std::string name = NameOfDevice(number);
  RegisterDevices order{.product_key = product};
  order.devices.push_back({.name = name,
                           .secret = "secret of " + name,
                           .salt = std::string(16, static_cast<char>('a' + random.Draw(20)))});
  auto behaviour =
      random.OneIn(2) ? Behaviour::kHonest : static_cast<Behaviour>(random.Draw(kBehaviours));
  std::map<std::string, std::string> versions;
  versions[""] = kVersions[random.Draw(2)];
  if (random.OneIn(3)) versions["mcu"] = kVersions[random.Draw(2)];
  bool mute = random.OneIn(8);
  uint64_t chance = random.Next();
  if (devices_[number] == nullptr) {
    devices_[number] =
        std::make_unique<Device>(around_, product, name, behaviour, versions, mute, chance);
  }
  Ask(fmt::format("register {} ({}) of {}", name, NameOf(devices_[number]->behaviour()), product),
      order);
}

void Simulation::ActOnDevice(const Action& action, Random& random) {
  if (action.act == Act::kRegister) return Register(action.device, random);
  auto found = devices_.find(action.device);
  if (found == devices_.end()) return;
  Device& device = *found->second;
  std::string module = kModules[random.OneIn(4) ? 1 : 0];
  switch (action.act) {
    case Act::kPowerOn:
      return device.PowerOn();
    case Act::kPowerOff:
      return device.PowerOff(random.OneIn(2));
    case Act::kConnectAgain:
      return device.ConnectAgain();
    case Act::kLoseNetwork:
      return device.LoseNetwork(random.Skewed(kSecondUs, kHourUs));
    case Act::kBecome:
      return device.Become(module, random.Of(kVersions));
    case Act::kSayVersion:
      return device.SayVersion(module, random.Of(kVersions));
    case Act::kSayProgress:
      device.Lie();
      return device.SayProgress(module, random.Int(-4, 104));
    case Act::kAskForPackage:
      return device.Ask(module, random.OneIn(4));
    default:
      return device.SayNonsense();
  }
}

void Simulation::DrawSchedule(Random& random, CreateBatch& order) {
  if (order.dynamic || order.verification || !random.OneIn(4)) return;
  order.start_ms = WallMs() + 300'000 + random.Skewed(-20'000, 20 * 3'600'000);
  if (random.OneIn(2)) order.end_ms = order.start_ms + random.Skewed(3'600'000, 20 * 3'600'000);
}

CreateBatch Simulation::DrawBatch(Random& random, const RefPackage& package) {
  CreateBatch order{.product_key = random.OneIn(16) ? kProducts[0] : package.product};
  bool unverified = package.verdict != Verdict::kVerified && package.verdict != Verdict::kNeedsNone;
  order.push_per_minute = static_cast<uint32_t>(random.OneIn(4) ? 1'000 : random.Int(10, 60));
  if (unverified ? !random.OneIn(6) : random.OneIn(8)) {
    order.verification = true;
  } else {
    switch (random.Draw(5)) {
      case 0:
        order.scope = Scope::kSpecific;
        break;
      case 1:
        order.scope = Scope::kGray;
        order.gray_thousandths = static_cast<uint32_t>(random.Int(1, 100'000));
        break;
      case 2:
        order.dynamic = true;
        order.only_new_reports = random.OneIn(2);
        order.source_versions = {package.diff ? package.source : random.Of(kVersions)};
        break;
      default:
        if (random.OneIn(2)) {
          order.source_versions = {package.diff ? package.source : random.Of(kVersions)};
        }
    }
  }
  if (order.verification || order.scope == Scope::kSpecific) {
    int names = random.Int(1, 4);
    int first = random.Int(1, scenario_.setting.devices);
    for (int i = 0; i < names; ++i) {
      int number = first + i;
      if (number > scenario_.setting.devices && !random.OneIn(10)) continue;
      if (ProductOf(number) != package.product && !random.OneIn(10)) continue;
      order.device_names.push_back(NameOfDevice(number));
    }
    if (order.device_names.empty()) order.device_names = {NameOfDevice(first)};
  }
  order.override_others = random.OneIn(2);
  order.need_confirm = random.OneIn(5);
  order.need_push = !random.OneIn(7);
  if (random.OneIn(2)) order.timeout_minutes = static_cast<uint32_t>(random.Skewed(1, 1'440));
  if (random.OneIn(2)) {
    static constexpr uint32_t kIntervals[] = {0, 0, 10, 10, 30, 60, 1'440};
    static constexpr uint32_t kCounts[] = {1, 2, 5};
    order.retry_minutes = random.Of(kIntervals);
    order.retry_count = random.Of(kCounts);
  }
  DrawSchedule(random, order);
  return order;
}

void Simulation::AskForBatch(Random& random) {
  const Reference& known = checkers_.reference();
  auto package = Some<PackageId>(random, known.packages());
  CreateBatch order = DrawBatch(random, package.value() < known.packages().size() && package
                                            ? known.packages()[package.value()]
                                            : RefPackage{.product = kProducts[0]});
  order.package = package;
  static constexpr const char* kScopes[] = {"all", "named", "gray"};
  std::string text = fmt::format(
      "create {}batch of package {}: {}", order.dynamic ? "dynamic " : "", package.value(),
      order.verification ? "verification" : kScopes[static_cast<int>(order.scope)]);
  for (const std::string& name : order.device_names) text += " " + name;
  for (const std::string& source : order.source_versions) text += " from " + source;
  text += fmt::format(", {} a minute", order.push_per_minute);
  if (order.override_others) text += ", override";
  if (order.need_confirm) text += ", to be confirmed";
  if (!order.need_push) text += ", no push";
  if (order.timeout_minutes != 0) text += fmt::format(", timeout {} min", order.timeout_minutes);
  if (order.retry_minutes) {
    text += fmt::format(", retry {} x {} min", order.retry_count, *order.retry_minutes);
  }
  if (order.start_ms != 0)
    text += fmt::format(", start in {} s", (order.start_ms - WallMs()) / 1'000);
  if (order.end_ms != 0) text += fmt::format(", end in {} s", (order.end_ms - WallMs()) / 1'000);
  Ask(text, order);
}

void Simulation::ActAsOperator(const Action& action, Random& random) {
  const Reference& known = checkers_.reference();
  auto batch = Some<BatchId>(random, known.batches());
  auto package = Some<PackageId>(random, known.packages());
  auto task = Some<TaskId>(random, known.tasks());
  std::string name = SomeDevice(random);
  int number = std::stoi(name.substr(4));
  DeviceRef device{{}, ProductOf(number), name};
  switch (action.act) {
    case Act::kCreatePackage: {
      bool diff = random.OneIn(4);
      std::string version = kVersions[random.Int(2, 4)];
      std::string module = kModules[random.OneIn(3) ? 1 : 0];
      CreatePackage order{.product_key = kProducts[random.OneIn(4) ? 1 : 0],
                          .module = module,
                          .name = fmt::format("package{}", action.chance % 100'000),
                          .target_version = version,
                          .diff = diff,
                          .source_version = diff ? kVersions[random.Draw(2)] : "",
                          .needs_verification = random.OneIn(4),
                          .sign_with_sha256 = random.OneIn(2),
                          .file = "f00d",
                          .suffix = "bin",
                          .size_bytes = 1'000,
                          .md5 = std::string(16, 'm'),
                          .sha256 = std::string(32, 's')};
      return Ask(fmt::format("create package of {} {} to {}{}{}", order.product_key, module,
                             version, diff ? " from " + order.source_version : "",
                             order.needs_verification ? ", to be verified" : ""),
                 order);
    }
    case Act::kDeletePackage:
      return Ask(fmt::format("delete package {}", package.value()), DeletePackage{package});
    case Act::kCreateBatch:
      return AskForBatch(random);
    case Act::kEditBatch: {
      EditBatch edit{.batch = batch};
      if (!random.OneIn(4)) edit.push_per_minute = static_cast<uint32_t>(random.Int(10, 120));
      if (random.OneIn(4)) edit.timeout_minutes = static_cast<uint32_t>(random.Int(1, 200));
      return Ask(fmt::format("edit batch {}: {} a minute, timeout {}", batch.value(),
                             edit.push_per_minute.value_or(0), edit.timeout_minutes.value_or(0)),
                 edit);
    }
    case Act::kPauseBatch:
      return Ask(fmt::format("pause batch {}", batch.value()), PauseBatch{batch});
    case Act::kResumeBatch:
      return Ask(fmt::format("resume batch {}", batch.value()), ResumeBatch{batch});
    case Act::kStopBatch:
      return Ask(fmt::format("stop batch {}", batch.value()), StopBatch{batch});
    case Act::kCancelBatch: {
      CancelBatch cancel{.batch = batch,
                         .scheduled = random.OneIn(5),
                         .queued = random.OneIn(2),
                         .notified = random.OneIn(2),
                         .in_progress = random.OneIn(3)};
      if (random.OneIn(4)) cancel.unconfirmed = random.OneIn(2);
      return Ask(
          fmt::format("cancel batch {}:{}{}{}{}", batch.value(),
                      cancel.scheduled ? " scheduled" : "", cancel.queued ? " queued" : "",
                      cancel.notified ? " notified" : "", cancel.in_progress ? " in progress" : ""),
          cancel);
    }
    case Act::kCancelDevices: {
      CancelDevices cancel{package, ProductOf(number), {name}, random.OneIn(2) ? batch : BatchId()};
      return Ask(fmt::format("cancel {}'s upgrade by package {} batch {}", name, package.value(),
                             cancel.batch.value()),
                 cancel);
    }
    case Act::kConfirmTasks: {
      ConfirmTasks confirm;
      for (size_t t = 1; t < known.tasks().size() && confirm.tasks.size() < 10; ++t) {
        if (known.tasks()[t].state == State::kConfirm && !random.OneIn(3)) {
          confirm.tasks.emplace_back(static_cast<uint32_t>(t));
        }
      }
      if (confirm.tasks.empty()) confirm.tasks = {task};
      return Ask(
          fmt::format("confirm {} tasks from {}", confirm.tasks.size(), confirm.tasks[0].value()),
          confirm);
    }
    case Act::kReupgradeTasks: {
      // Mostly one that can be.
      for (int i = 0; i < 10 && task.value() < known.tasks().size() && task; ++i) {
        State state = known.tasks()[task.value()].state;
        if (state == State::kFailed || state == State::kCanceled) break;
        task = Some<TaskId>(random, known.tasks());
      }
      bool there = task && task.value() < known.tasks().size();
      if (there && !random.OneIn(10)) {
        batch = BatchId(static_cast<uint32_t>(known.tasks()[task.value()].batch));
      }
      ReupgradeTasks again{batch, {task}};
      if (random.OneIn(3)) again.tasks.emplace_back(task.value() + 1);
      return Ask(fmt::format("upgrade task {} of batch {} again", task.value(), batch.value()),
                 again);
    }
    case Act::kDisableDevice:
      return Ask("disable " + name, DisableDevice{device}, [this](const Outcome&) {
        schedule_.After(kSecondUs, [this] { KickWhoMayNot(); });
      });
    case Act::kEnableDevice:
      return Ask("enable " + name, EnableDevice{device});
    case Act::kDeleteDevice:
      return Ask("delete " + name, DeleteDevice{device}, [this](const Outcome&) {
        schedule_.After(kSecondUs, [this] { KickWhoMayNot(); });
      });
    default:
      return Ask("confirm the clock", ConfirmClock{});
  }
}

void Simulation::ActAsFault(const Action& action, Random& random) {
  switch (action.act) {
    case Act::kCrash:
      Trace("> the server crashes");
      return server_.Crash(random.OneIn(2), random.OneIn(2));
    case Act::kCrashSoon: {
      auto point = static_cast<CrashPoint>(random.Draw(kCrashPoints));
      int countdown = static_cast<int>(random.Skewed(1, 20));
      static constexpr const char* kPoints[] = {"before a write", "after a write",
                                                "between tellings", "after sending", "at a timer"};
      Trace(fmt::format("> the server will crash {}, at number {}",
                        kPoints[static_cast<int>(point)], countdown));
      return server_.ArmCrash(point, countdown);
    }
    case Act::kStopServer:
      Trace("> the server is stopped");
      return server_.StopAndStart();
    case Act::kFailAppend: {
      auto fault = static_cast<AppendFault>(random.Draw(2));
      Trace(fmt::format("> the next append fails{}",
                        fault == AppendFault::kKept ? " and is there all the same" : ""));
      return server_.ArmAppendFault(fault);
    }
    case Act::kFillDisk:
      Trace("> the disk is full for a while");
      return server_.FillDisk(random.Skewed(kSecondUs, 30 * kMinuteUs));
    case Act::kHangDisk:
      Trace("> the next write takes long");
      return server_.HangDisk(random.Skewed(kSecondUs, 5 * kMinuteUs));
    case Act::kCutLink:
      Trace("> the link to the broker is cut");
      return server_.CutLink(random.Skewed(0, 20 * kMinuteUs));
    case Act::kRestartBroker: {
      bool lose = !scenario_.setting.lossless && random.OneIn(2);
      Trace(fmt::format("> the broker crashes{}", lose ? " and forgets what waits" : ""));
      if (!broker_.running()) return;
      broker_.Stop(lose);
      server_.CutLink(0);
      schedule_.After(random.Skewed(kMsUs, 2 * kMinuteUs), [this] {
        if (!broker_.running()) broker_.Start();
      });
      return;
    }
    case Act::kCheckpoint: {
      if (!checkpoints_) return;
      Trace("> a checkpoint is made");
      // An orderly end writes a digest, without which there is none.
      if (random.OneIn(2)) server_.StopAndStart();
      schedule_.After(10 * kSecondUs, [this] {
        Status made = server_.MakeCheckpoint();
        if (!made.ok()) checkers_.Fail("checkpoint", made.ToString());
      });
      return;
    }
    case Act::kDamageCheckpoint:
      if (!checkpoints_) return;
      Trace("> the newest checkpoint is damaged, or all are gone");
      return DamageCheckpoint(random);
    default: {
      static constexpr int64_t kMost[] = {kSecondUs, kMinuteUs, 3 * kHourUs, 40 * 24 * kHourUs};
      int64_t by_us = random.Skewed(0, random.Of(kMost)) * (random.OneIn(2) ? 1 : -1);
      Trace(fmt::format("> the clock is set {} s {}", std::abs(by_us) / kSecondUs,
                        by_us < 0 ? "back" : "ahead"));
      schedule_.clock().Step(by_us);
    }
  }
}

void Simulation::DamageCheckpoint(Random& random) {
  Result<std::vector<std::string>> paths = ListCheckpoints(checkpoints_->path());
  if (!paths.ok() || paths->empty()) return;
  if (random.OneIn(4)) {
    for (const std::string& path : *paths) std::filesystem::remove(path);
    return;
  }
  std::fstream file(paths->front(), std::ios::in | std::ios::out | std::ios::binary);
  auto size = static_cast<int64_t>(std::filesystem::file_size(paths->front()));
  int64_t at = random.Between(0, size - 1);
  file.seekg(at);
  char byte = static_cast<char>(file.get());
  file.seekp(at);
  file.put(static_cast<char>(byte ^ (1 << random.Draw(8))));
}

void Simulation::Do(const Action& action) {
  ++result_.stats.acts[static_cast<int>(action.act)];
  Random random(action.chance);
  if (action.act < Act::kCreatePackage) return ActOnDevice(action, random);
  if (action.act < Act::kCrash) return ActAsOperator(action, random);
  ActAsFault(action, random);
}

// The gate ends the connections of devices that were disabled or deleted.
void Simulation::KickWhoMayNot() {
  for (const auto& [number, device] : devices_) {
    if (!broker_.IsConnected(device->product(), device->name())) continue;
    if (!broker_.admits(device->product(), device->name())) {
      broker_.Kick(device->product(), device->name());
    }
  }
}

// --- The end ---

void Simulation::HealAll() {
  Trace("> everything works from here on");
  server_.Heal();
  around_.network.loss_percent = 0;
  around_.network.duplicate_percent = 0;
  around_.network.reorder_percent = 0;
  if (!broker_.running()) broker_.Start();
  KickWhoMayNot();
  if (scenario_.setting.lossless) return;
  // What a device did not hear or say for want of luck it does when it comes back.
  for (auto& [number, device] : devices_) device->Reconnect();
}

const Device* Simulation::Find(int device) const {
  const RefDevice& known = checkers_.reference().devices()[device];
  if (known.deleted) return nullptr;
  auto found = devices_.find(std::stoi(known.name.substr(4)));
  return found == devices_.end() ? nullptr : found->second.get();
}

// Why an open task may be open long after everything works; empty when it may not.
std::string Simulation::WhyOpen(int id) const {
  const Reference& known = checkers_.reference();
  const RefTask& task = known.tasks()[id];
  const RefBatch& batch = known.batches()[task.batch];
  const Device* device = Find(task.device);
  if (!known.devices()[task.device].online) return "its device is offline";
  std::string why = known.WhyNotPushed(id, checkers_.log_time_ms());
  bool told = task.state == State::kNotified || task.state == State::kInProgress;
  if (why == "its batch waits for devices to ask" && device != nullptr) {
    bool asks = device->behaviour() == Behaviour::kPulling;
    if (!asks && !told) return why;
    why.clear();
  }
  if (why == "its batch is over" || why == "it has ended") return "";
  if (!why.empty()) return why;
  if (task.state == State::kQueued) return "";
  if (device == nullptr || !EndsWhenTold(device->behaviour())) return "its device does not end it";
  if (device->lied()) return "its device said that it upgrades before it was told";
  if (!batch.order.need_push && device->behaviour() != Behaviour::kPulling) {
    return "its device was told and nobody tells it again";
  }
  return "";
}

void Simulation::CheckEnd() {
  const Reference& known = checkers_.reference();
  auto fail = [&](const std::string& what) { checkers_.Fail("liveness", what); };
  if (!server_.running()) return fail("the server does not run");
  if (!broker_.engine_connected()) return fail("the server is not connected to the broker");
  if (!broker_.waiting().empty()) {
    fail(fmt::format("{} messages wait for the engine; the first is {}", broker_.waiting().size(),
                     broker_.waiting().front().topic));
  }
  for (int d = 1; d < static_cast<int>(known.devices().size()); ++d) {
    const RefDevice& device = known.devices()[d];
    if (device.deleted) continue;
    bool connected = broker_.IsConnected(device.product, device.name);
    if (connected != device.online) {
      fail(fmt::format("{} is {}connected and the engine takes it to be {}", device.name,
                       connected ? "" : "not ", device.online ? "online" : "offline"));
    }
  }
  int64_t now_ms = server_.log_time_ms() - 5'000;
  for (int t = 1; t < static_cast<int>(known.tasks().size()); ++t) {
    const RefTask& task = known.tasks()[t];
    if (!IsOpenState(task.state)) continue;
    bool overdue = task.retry_due.value_or(now_ms) < now_ms;
    if (task.state == State::kInProgress) overdue |= task.timeout_due.value_or(now_ms) < now_ms;
    if (overdue) fail(fmt::format("task {} has a timer that is overdue", t));
    if (WhyOpen(t).empty()) {
      const Device* device = Find(task.device);
      fail(fmt::format("task {} is {} although its device, {}, is {} and nothing stands in its way",
                       t, NameOf(task.state), known.devices()[task.device].name,
                       device == nullptr ? "gone" : std::string(NameOf(device->behaviour()))));
    }
  }
  for (int b = 1; b < static_cast<int>(known.batches().size()); ++b) {
    const RefBatch& batch = known.batches()[b];
    bool late = batch.state == BatchState::kPlanned && batch.order.start_ms < now_ms;
    if (late) fail(fmt::format("batch {} should have started", b));
    if (batch.walking) fail(fmt::format("batch {} still chooses its targets", b));
  }
}

RunResult Simulation::Run() {
  auto failed = [this] { return Failed(); };
  Trace(fmt::format("seed {}: {} devices, {} actions", scenario_.seed, scenario_.setting.devices,
                    scenario_.actions.size()));
  Open();
  for (const Action& action : scenario_.actions) {
    schedule_.RunUntil(action.at_us, failed);
    if (Failed()) break;
    Do(action);
  }
  int64_t quiet_us = schedule_.now_us();
  if (!scenario_.actions.empty()) quiet_us += kMinuteUs;
  schedule_.RunUntil(quiet_us, failed);
  if (!Failed()) {
    HealAll();
    schedule_.RunUntil(quiet_us + 2 * kMinuteUs, failed);
    if (server_.clock_held()) Ask("confirm the clock", ConfirmClock{});
    schedule_.RunUntil(quiet_us + kAfterUs, failed);
    // Devices that ask from time to time may be doing so just now.
    for (int i = 0; i < 60 && !broker_.waiting().empty(); ++i) {
      schedule_.RunUntil(schedule_.now_us() + kSecondUs, failed);
    }
  }
  if (!Failed()) CheckEnd();

  RunStats& stats = result_.stats;
  stats.simulated_us = schedule_.now_us();
  stats.steps = schedule_.steps();
  stats.tasks = checkers_.reference().tasks().size() - 1;
  for (const RefTask& task : checkers_.reference().tasks()) {
    stats.tasks_ended += IsOpenState(task.state) ? 0 : 1;
  }
  stats.crashes = server_.crashes();
  stats.stalls = server_.stalls();
  stats.checkpoints = server_.checkpoints();
  stats.from_checkpoint = server_.from_checkpoint();
  stats.turns = server_.turns();
  stats.checks = checkers_.stats();
  stats.fleet = around_.stats;
  result_.failure = checkers_.failure();
  return std::move(result_);
}

}  // namespace

void RunStats::Add(const RunStats& other) {
  simulated_us += other.simulated_us;
  steps += other.steps;
  tasks += other.tasks;
  tasks_ended += other.tasks_ended;
  crashes += other.crashes;
  stalls += other.stalls;
  checkpoints += other.checkpoints;
  from_checkpoint += other.from_checkpoint;
  turns += other.turns;
  checks.commits += other.checks.commits;
  checks.events += other.checks.events;
  checks.inputs += other.checks.inputs;
  checks.recoveries += other.checks.recoveries;
  checks.lost_turns += other.checks.lost_turns;
  checks.pushes += other.checks.pushes;
  fleet.messages += other.fleet.messages;
  fleet.lost += other.fleet.lost;
  fleet.duplicated += other.fleet.duplicated;
  fleet.reordered += other.fleet.reordered;
  fleet.connections += other.fleet.connections;
  fleet.notices += other.fleet.notices;
  fleet.upgrades += other.fleet.upgrades;
  for (int act = 0; act < kActs; ++act) acts[act] += other.acts[act];
}

RunResult Run(const Scenario& scenario, bool keep_trace) {
  return Simulation(scenario, keep_trace).Run();
}

}  // namespace updraft::simulation
