// Plays a fleet of devices against a real broker and a real file server, on one thread.
//
//   Fleet fleet(options, accounts);
//   FleetResult result = fleet.Run();
//
// Thread-safety: Run() on one thread; Stop() from a signal handler.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/fleet/device.h"
#include "tests/fleet/loop.h"
#include "tests/fleet/mqtt_link.h"

namespace updraft {

struct FleetOptions {
  BrokerAddress broker;
  Mix mix;
  uint64_t seed = 1;
  DeviceHabits habits;
  size_t downloads_max = 256;      // At once.
  size_t logins_max = 50;          // That wait for their CONNACK at once.
  int64_t timeout_ms = 0;          // 0: none.
  bool stay = false;               // Also when all have reached their end.
  std::function<void()> on_ready;  // All devices have reported their first version.
};

struct FleetCounts {
  uint64_t logins = 0;
  uint64_t logins_refused = 0;
  uint64_t connections_lost = 0;
  uint64_t published = 0;
  uint64_t unsent = 0;  // Said while there was no connection.
  uint64_t downloads = 0;
  uint64_t download_requests = 0;
  uint64_t downloads_refused = 0;
  uint64_t bytes = 0;
};

class Fleet {
 public:
  Fleet(FleetOptions options, std::vector<DeviceAccount> accounts);
  ~Fleet();

  // Comes back when every device is where its behaviour must lead, when the time is over or on
  // Stop(). Then all connections are closed, what was said before is with the broker.
  void Run();
  void Stop() { loop_.Stop(); }

  const FleetCounts& counts() const { return counts_; }
  size_t size() const { return lines_.size(); }
  const Device& device(size_t index) const;
  // Devices that are not where their behaviour must lead.
  std::vector<const Device*> Unfinished() const;

 private:
  class Line;

  void StartLogins();
  void StartDownloads();
  void PingSome();
  void Look();
  void SayGoodbye();

  FleetOptions options_;
  Loop loop_;
  FleetCounts counts_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::deque<Line*> waiting_logins_;
  std::deque<Line*> waiting_downloads_;
  size_t logins_ = 0;  // Under way.
  size_t downloads_ = 0;
  size_t ping_turn_ = 0;
  bool ready_ = false;
  bool over_ = false;
};

}  // namespace updraft
