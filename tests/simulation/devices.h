// The fleet, simulated: devices that connect, say what they run, upgrade when they are told to or
// fail at it in the ways of the field, over a network that delays, loses and doubles.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/broker.h"
#include "tests/simulation/schedule.h"

namespace updraft::simulation {

enum class Behaviour {
  kHonest,        // Reports each step, installs, reboots, reports the new version.
  kSlow,          // The same, over hours.
  kQuiet,         // Reports no step, only the new version.
  kNever,         // Takes the notice and does nothing.
  kLying,         // Says 100 % again and again, and installs nothing.
  kWrongVersion,  // Comes back with a version that nobody asked for.
  kFailing,       // Gives up half way with -1 to -4.
  kRebooting,     // Loses power half way, comes back with its old version, begins anew.
  kDuplicating,   // Says everything twice and some of it late.
  kTwofold,       // Half way it connects a second time.
  kPulling,       // Ignores notices; asks from time to time.
  kGarbled,       // Honest, between messages that nobody can read.
};
inline constexpr int kBehaviours = 12;
std::string_view NameOf(Behaviour behaviour);
// Whether a task of it ends once it is told and heard.
bool EndsWhenTold(Behaviour behaviour);

struct NetworkOptions {
  uint32_t loss_percent = 0;
  uint32_t duplicate_percent = 0;
  uint32_t reorder_percent = 0;
  int64_t delay_us = 20 * kMsUs;
};

struct FleetStats {
  uint64_t messages = 0;
  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t reordered = 0;
  uint64_t connections = 0;
  uint64_t notices = 0;
  uint64_t upgrades = 0;
};

// What all devices of a simulation share.
struct Surroundings {
  Schedule& schedule;
  Broker& broker;
  NetworkOptions network;
  FleetStats stats;
  std::function<void(const std::string&)> trace;
};

class Device {
 public:
  Device(Surroundings& around, std::string product, std::string name, Behaviour behaviour,
         std::map<std::string, std::string> versions, bool mute, uint64_t seed);
  // What it planned is forgotten.
  ~Device();

  const std::string& product() const { return product_; }
  const std::string& name() const { return name_; }
  Behaviour behaviour() const { return behaviour_; }
  bool connected() const { return generation_ != 0; }
  bool powered() const { return powered_; }
  // Said once that it upgrades although nobody had told it to.
  bool lied() const { return lied_; }
  void Lie() { lied_ = true; }

  void PowerOn();
  void PowerOff(bool gracefully);
  // A second connection, the first still there; the broker ends that one.
  void ConnectAgain();
  // The network between it and the broker breaks, and comes back after so long.
  void LoseNetwork(int64_t for_us);
  // Somebody else upgraded it.
  void Become(const std::string& module, const std::string& version);
  // Says something that need not be true.
  void SayVersion(const std::string& module, const std::string& version);
  void SayProgress(const std::string& module, int step);
  void Ask(const std::string& module, bool legacy);
  void SayNonsense();
  // Whatever it did not do for want of luck it does from now on.
  void Reconnect();

 private:
  void Connect();
  void Disconnected(bool gracefully);
  void OnMessage(const std::string& topic, const std::string& payload);
  void OnNotice(const std::string& module, const std::string& version);
  void Upgrade(const std::string& module, const std::string& version);
  void EndUpgrade();
  void Install(const std::string& module, const std::string& version);
  void ReportVersions();
  void Say(std::string_view kind, const std::string& payload);
  void SendOnce(std::string_view kind, const std::string& payload, int64_t delay_us);
  void PlanPull();
  void After(int64_t us, std::function<void()> what);
  void AfterInUpgrade(int64_t us, std::function<void()> what);

  Surroundings& around_;
  const std::string product_;
  const std::string name_;
  const Behaviour behaviour_;
  bool mute_;  // Has never said what it runs, and does so after its first upgrade only.
  Random random_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  std::map<std::string, std::string> versions_;
  bool powered_ = false;
  bool lied_ = false;
  uint32_t generation_ = 0;  // Of its connection; 0: none.
  int64_t last_sent_us_ = 0;
  int64_t network_back_us_ = 0;
  bool connecting_ = false;
  uint64_t upgrade_ = 0;  // The one under way.
  std::string upgrading_module_;
  std::string upgrading_to_;
  std::map<std::string, std::string> waiting_;  // Upgrades of other modules, for later.
  bool rebooted_once_ = false;
  bool pull_planned_ = false;
  int message_id_ = 0;
};

}  // namespace updraft::simulation
