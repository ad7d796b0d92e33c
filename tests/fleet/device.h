// One simulated device: what it does when something happens to it. It knows no socket, clock or
// file; whoever plays the world around it calls the On… functions and does what DeviceIo is told.
//
// It speaks as Link SDK C 4.x does: it subscribes to nothing, reports its version once after each
// boot and says nothing when only its connection was lost, reports steps 0, 5, … 100, all at QoS 0.
//
// Thread-safety: none. Lifetime: `io` outlives the device. DeviceIo may not call back into the
// device from within its functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/fleet/behaviour.h"
#include "tests/fleet/notice.h"

namespace updraft {

class DeviceIo {
 public:
  virtual ~DeviceIo() = default;

  // Connects to the broker; over a second connection where one is open.
  virtual void Connect() = 0;
  // The power is gone: connection and download end, whatever they are at.
  virtual void PowerOff() = 0;
  // Over the newest connection; lost where there is none.
  virtual void Publish(const std::string& topic, const std::string& payload) = 0;
  // Gets the package and calls OnDownloaded() at each twentieth, after `pause_ms` each. A cut
  // download is taken up again where it was.
  virtual void Download(const ReceivedNotice& notice, int64_t pause_ms) = 0;
  virtual void StopDownload() = 0;
  // Calls OnWake() once.
  virtual void WakeIn(int64_t ms) = 0;
};

struct DeviceAccount {
  std::string product_key;
  std::string name;
  std::string secret;
};

struct DeviceHabits {
  std::string version = "1.0.0";  // At first.
  int64_t step_ms = 100;          // For each twentieth of a download.
  int64_t reboot_ms = 300;
  int64_t away_ms = 5'000;  // Of a returning device.
  int64_t reconnect_ms = 1'000;
};

// How far a device has come. Everything but kNone is an end that its behaviour may have.
enum class DeviceEnd { kNone, kUpgraded, kFailed, kWrongVersion, kNotified };
std::string_view EndName(DeviceEnd end);

// Where a device that behaves so must end when the whole of the upgrade works.
DeviceEnd ExpectedEnd(Behaviour behaviour);

class Device {
 public:
  Device(DeviceAccount account, Behaviour behaviour, DeviceHabits habits, uint64_t draw,
         DeviceIo& io);

  void PowerOn();
  void OnConnected();
  void OnConnectionLost();
  void OnMessage(std::string_view topic, std::string_view payload);
  void OnDownloaded(int percent);  // 0 when the request was sent, then 5, 10, … 100.
  void OnDownloadDone(bool digest_fits);
  void OnDownloadFailed();
  void OnWake();

  const DeviceAccount& account() const { return account_; }
  Behaviour behaviour() const { return behaviour_; }
  DeviceEnd end() const { return end_; }
  const std::string& version() const { return habits_.version; }
  bool informed() const { return informed_; }  // Since it was made.
  uint64_t notices() const { return notices_; }
  uint64_t notices_unreadable() const { return notices_unreadable_; }

 private:
  void OnNotice(std::string_view payload);
  void OnHalfWay();
  void Inform(const std::string& version);
  void Report(int step);
  void Say(std::string_view what, const std::string& params);
  void Reboot(int64_t off_ms);

  DeviceAccount account_;
  Behaviour behaviour_;
  DeviceHabits habits_;
  uint64_t draw_;
  DeviceIo& io_;

  bool booting_ = true;  // The next connection is the first since the power came.
  bool informed_ = false;
  bool lost_power_ = false;  // Returning and rebooting devices do it once.
  std::optional<ReceivedNotice> task_;
  std::string installed_;  // Runs from the next boot on; empty when nothing was installed.
  DeviceEnd end_ = DeviceEnd::kNone;
  uint64_t next_message_id_ = 1;
  uint64_t notices_ = 0;
  uint64_t notices_unreadable_ = 0;
};

}  // namespace updraft
