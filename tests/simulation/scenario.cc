#include "tests/simulation/scenario.h"

#include <algorithm>
#include <iterator>

namespace updraft::simulation {
namespace {

constexpr std::string_view kNames[] = {
    "register",         "power on",       "power off",      "connect again",
    "lose network",     "become",         "say version",    "say progress",
    "ask for package",  "say nonsense",   "create package", "delete package",
    "create batch",     "edit batch",     "pause batch",    "resume batch",
    "stop batch",       "cancel batch",   "cancel devices", "confirm tasks",
    "re-upgrade tasks", "disable device", "enable device",  "delete device",
    "confirm clock",    "crash",          "crash soon",     "stop server",
    "fail append",      "fill disk",      "hang disk",      "cut link",
    "restart broker",   "step clock",     "checkpoint",     "damage checkpoint"};
static_assert(std::size(kNames) == kActs);

struct Weight {
  Act act;
  uint32_t weight;
};

// What happens while the fleet is at work, and how often in proportion.
constexpr Weight kWeights[] = {
    {Act::kRegister, 3},      {Act::kPowerOn, 16},      {Act::kPowerOff, 10},
    {Act::kConnectAgain, 5},  {Act::kLoseNetwork, 10},  {Act::kBecome, 6},
    {Act::kSayVersion, 10},   {Act::kSayProgress, 12},  {Act::kAskForPackage, 8},
    {Act::kSayNonsense, 3},   {Act::kCreatePackage, 5}, {Act::kDeletePackage, 2},
    {Act::kCreateBatch, 26},  {Act::kEditBatch, 6},     {Act::kPauseBatch, 4},
    {Act::kResumeBatch, 5},   {Act::kStopBatch, 4},     {Act::kCancelBatch, 8},
    {Act::kCancelDevices, 5}, {Act::kConfirmTasks, 8},  {Act::kReupgradeTasks, 10},
    {Act::kDisableDevice, 3}, {Act::kEnableDevice, 4},  {Act::kDeleteDevice, 2},
    {Act::kConfirmClock, 4},  {Act::kCrash, 6},         {Act::kCrashSoon, 10},
    {Act::kStopServer, 4},    {Act::kFailAppend, 6},    {Act::kFillDisk, 3},
    {Act::kHangDisk, 4},      {Act::kCutLink, 6},       {Act::kRestartBroker, 5},
    {Act::kStepClock, 6},     {Act::kCheckpoint, 8},    {Act::kDamageCheckpoint, 2},
};

Act DrawAct(Random& random) {
  uint32_t sum = 0;
  for (const Weight& w : kWeights) sum += w.weight;
  uint64_t at = random.Draw(sum);
  for (const Weight& w : kWeights) {
    if (at < w.weight) return w.act;
    at -= w.weight;
  }
  return Act::kRegister;
}

Setting DrawSetting(Random& random) {
  Setting setting;
  setting.devices = random.OneIn(8) ? random.Int(12, 40) : random.Int(1, 12);
  setting.active_us = random.Skewed(10 * kMinuteUs, 30 * kHourUs);
  setting.lossless = random.OneIn(3);
  if (!setting.lossless) {
    setting.network.loss_percent = random.OneIn(2) ? 0 : static_cast<uint32_t>(random.Int(1, 30));
  }
  setting.network.duplicate_percent =
      random.OneIn(2) ? 0 : static_cast<uint32_t>(random.Int(1, 30));
  setting.network.reorder_percent = random.OneIn(2) ? 0 : static_cast<uint32_t>(random.Int(1, 20));
  setting.network.delay_us = random.Skewed(kMsUs, 3 * kSecondUs);
  ServerOptions& server = setting.server;
  server.inbox_max = random.OneIn(4) ? static_cast<size_t>(random.Int(1, 6)) : 65'536;
  server.push_window = random.OneIn(2) ? static_cast<uint32_t>(random.Int(1, 8)) : 256;
  server.limits.repeats_per_second =
      random.OneIn(2) ? static_cast<uint32_t>(random.Int(1, 5)) : 200;
  server.write_us = random.Skewed(100, 200 * kMsUs);
  server.network_us = random.Skewed(50, 50 * kMsUs);
  if (random.OneIn(3)) server.clock_ahead_max_ms = random.Between(1, 10) * 60'000;
  setting.files = random.OneIn(64);
  setting.checkpoints = random.OneIn(2);
  return setting;
}

}  // namespace

std::string_view NameOf(Act act) { return kNames[static_cast<int>(act)]; }

Scenario DrawScenario(uint64_t seed) {
  Random random(seed);
  Scenario scenario;
  scenario.seed = seed;
  scenario.setting = DrawSetting(random);
  const Setting& setting = scenario.setting;
  auto add = [&](int64_t at_us, Act act, int device) {
    scenario.actions.push_back({at_us, act, device, random.Next()});
  };
  // The opening: devices that are registered and mostly there, packages, a first batch.
  int packages = random.Int(1, 4);
  for (int d = 1; d <= setting.devices; ++d) {
    add(kSecondUs + d * kMsUs, Act::kRegister, d);
    if (!random.OneIn(6)) add(5 * kSecondUs + random.Skewed(0, kMinuteUs), Act::kPowerOn, d);
  }
  for (int p = 0; p < packages; ++p) add(2 * kSecondUs + p * kMsUs, Act::kCreatePackage, 0);
  add(random.Skewed(10 * kSecondUs, 3 * kMinuteUs), Act::kCreateBatch, 0);
  int actions = static_cast<int>(random.Between(5, setting.files ? 60 : 200));
  // Some seeds have no faults of one kind or another.
  bool crashes = !random.OneIn(4);
  bool disks = !random.OneIn(3);
  bool clocks = !random.OneIn(3);
  for (int i = 0; i < actions; ++i) {
    Act act = DrawAct(random);
    bool of_crashes = act == Act::kCrash || act == Act::kCrashSoon || act == Act::kStopServer;
    bool of_disks = act == Act::kFailAppend || act == Act::kFillDisk || act == Act::kHangDisk;
    int64_t at_us = random.Between(kMinuteUs, setting.active_us);
    // Several things at about the same time find more than one an hour.
    if (!scenario.actions.empty() && random.OneIn(3)) {
      at_us = scenario.actions.back().at_us + random.Skewed(0, 5 * kSecondUs);
    }
    int device = random.Int(1, setting.devices + 1);
    uint64_t chance = random.Next();
    if ((of_crashes && !crashes) || (of_disks && !disks) || (act == Act::kStepClock && !clocks)) {
      continue;
    }
    scenario.actions.push_back({at_us, act, device, chance});
  }
  std::stable_sort(scenario.actions.begin(), scenario.actions.end(),
                   [](const Action& a, const Action& b) { return a.at_us < b.at_us; });
  return scenario;
}

}  // namespace updraft::simulation
