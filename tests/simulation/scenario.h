// What a seed stands for: a setting (how many devices, how bad the network, what disk) and a list
// of actions, each with a time, which operators, devices, clocks and faults take. An action keeps
// its own chance, so that a run with some of them left out is still much the same run: that is how
// a failure is made small.
//
// Thread-safety: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/devices.h"
#include "tests/simulation/server.h"

namespace updraft::simulation {

enum class Act {
  // The fleet.
  kRegister,
  kPowerOn,
  kPowerOff,
  kConnectAgain,
  kLoseNetwork,
  kBecome,
  kSayVersion,
  kSayProgress,
  kAskForPackage,
  kSayNonsense,
  // Operators.
  kCreatePackage,
  kDeletePackage,
  kCreateBatch,
  kEditBatch,
  kPauseBatch,
  kResumeBatch,
  kStopBatch,
  kCancelBatch,
  kCancelDevices,
  kConfirmTasks,
  kReupgradeTasks,
  kDisableDevice,
  kEnableDevice,
  kDeleteDevice,
  kConfirmClock,
  // Faults.
  kCrash,
  kCrashSoon,
  kStopServer,
  kFailAppend,
  kFillDisk,
  kHangDisk,
  kCutLink,
  kRestartBroker,
  kStepClock,
  kCheckpoint,
  kDamageCheckpoint,
};
inline constexpr int kActs = 36;
std::string_view NameOf(Act act);

struct Action {
  int64_t at_us = 0;
  Act act = Act::kRegister;
  int device = 0;       // Where it is about one: its number in the fleet.
  uint64_t chance = 0;  // All that it leaves to chance comes from this.
};

struct Setting {
  int devices = 1;
  int64_t active_us = kHourUs;
  NetworkOptions network;
  ServerOptions server;
  bool checkpoints = false;
  bool files = false;     // The production log on files, in place of one in memory.
  bool lossless = false;  // Nothing that devices and broker say to each other is ever lost.
};

struct Scenario {
  uint64_t seed = 0;
  Setting setting;
  std::vector<Action> actions;  // By time.
};

Scenario DrawScenario(uint64_t seed);

}  // namespace updraft::simulation
