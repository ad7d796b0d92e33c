#include "tests/fleet/device.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "adapters/wire/upgrade_notice.h"

namespace updraft {
namespace {

// Writes down what the device wants, and gives back each list once.
class Script : public DeviceIo {
 public:
  explicit Script(Behaviour behaviour, uint64_t draw = 0)
      : device({"pk", "dn", "secret"}, behaviour, {}, draw, *this) {
    device.PowerOn();
    device.OnConnected();
  }

  void Notice(const std::string& version = "2.0.0") {
    device.OnMessage("/ota/device/upgrade/pk/dn",
                     UpgradeNotice({.size_bytes = 100,
                                    .version = version,
                                    .url = "http://127.0.0.1/f",
                                    .md5_hex = std::string(32, 'a'),
                                    .sha256_hex = std::string(64, 'b')},
                                   1));
  }

  void DownloadUpTo(int percent) {
    for (int p = 0; p <= percent; p += 5) device.OnDownloaded(p);
  }

  // Boots after the power came back.
  void Boot() {
    device.OnWake();
    device.OnConnected();
  }

  std::vector<std::string> Did() { return std::exchange(did_, {}); }

  void Connect() override { did_.push_back("connect"); }
  void PowerOff() override { did_.push_back("power off"); }
  void Publish(const std::string& topic, const std::string& payload) override {
    did_.push_back(topic + " " + payload);
  }
  void Download(const ReceivedNotice& notice, int64_t pause_ms) override {
    did_.push_back("download " + notice.version + " " + std::to_string(pause_ms));
  }
  void StopDownload() override { did_.push_back("stop download"); }
  void WakeIn(int64_t ms) override { did_.push_back("wake in " + std::to_string(ms)); }

 private:
  std::vector<std::string> did_;

 public:
  Device device;  // Last, as it does things when it is made.
};

using Deeds = std::vector<std::string>;

bool Said(const Deeds& deeds, const std::string& what) {
  for (const std::string& deed : deeds) {
    if (deed.find(what) != std::string::npos) return true;
  }
  return false;
}

TEST_CASE("a device reports its version as Link SDK C does, once after its boot") {
  Script script(Behaviour::kHonest);
  CHECK(script.Did() ==
        Deeds{"connect", R"(/ota/device/inform/pk/dn {"id":1, "params":{"version":"1.0.0"}})"});
}

TEST_CASE("a device that lost only its connection comes back and says nothing") {
  Script script(Behaviour::kHonest);
  script.Did();
  script.device.OnConnectionLost();
  CHECK(script.Did() == Deeds{"wake in 1000"});
  script.Boot();
  CHECK(script.Did() == Deeds{"connect"});
}

TEST_CASE("an honest device downloads, reports, reboots and reports the new version") {
  Script script(Behaviour::kHonest);
  script.Did();
  script.Notice();
  CHECK(script.Did() == Deeds{"download 2.0.0 100"});
  script.DownloadUpTo(100);
  Deeds steps = script.Did();
  REQUIRE(steps.size() == 21);
  CHECK(steps[0] == R"(/ota/device/progress/pk/dn {"id":2, "params":{"step":"0","desc":""}})");
  CHECK(steps[20] == R"(/ota/device/progress/pk/dn {"id":22, "params":{"step":"100","desc":""}})");
  script.device.OnDownloadDone(true);
  CHECK(script.Did() == Deeds{"power off", "wake in 300"});
  CHECK(script.device.end() == DeviceEnd::kNone);
  script.Boot();
  CHECK(Said(script.Did(), R"("version":"2.0.0")"));
  CHECK(script.device.end() == DeviceEnd::kUpgraded);
}

TEST_CASE("a second notice during a download is not followed, and counted") {
  Script script(Behaviour::kHonest);
  script.Notice();
  script.Did();
  script.Notice();
  CHECK(script.Did().empty());
  CHECK(script.device.notices() == 2);
}

TEST_CASE("a device that is told of what it runs reports it again") {
  Script script(Behaviour::kHonest);
  script.Did();
  script.Notice("1.0.0");
  CHECK(Said(script.Did(), R"("version":"1.0.0")"));
}

TEST_CASE("a notice that cannot be read is counted and changes nothing") {
  Script script(Behaviour::kHonest);
  script.Did();
  script.device.OnMessage("/ota/device/upgrade/pk/dn", "{}");
  script.device.OnMessage("/ota/device/upgrade/pk/other", "{}");
  CHECK(script.Did().empty());
  CHECK(script.device.notices() == 1);
  CHECK(script.device.notices_unreadable() == 1);
}

TEST_CASE("a failing device gives up half way with one of four codes") {
  uint64_t draw = GENERATE(0u, 1u, 2u, 3u);
  Script script(Behaviour::kFailing, draw);
  script.Notice();
  script.DownloadUpTo(50);
  Deeds deeds = script.Did();
  CHECK(Said(deeds, "stop download"));
  CHECK(Said(deeds, "\"step\":\"-" + std::to_string(draw + 1) + "\""));
  CHECK(script.device.end() == DeviceEnd::kFailed);
}

TEST_CASE("a wrong digest is reported as -3, a refused download as -2") {
  Script script(Behaviour::kHonest);
  script.Notice();
  script.device.OnDownloadDone(false);
  CHECK(Said(script.Did(), R"("step":"-3")"));
  script.Notice();
  script.device.OnDownloadFailed();
  CHECK(Said(script.Did(), R"("step":"-2")"));
  CHECK(script.device.end() == DeviceEnd::kFailed);
}

TEST_CASE("a device may come back with a version that nobody asked for") {
  Script script(Behaviour::kWrongVersion);
  script.Notice();
  script.device.OnDownloadDone(true);
  script.Boot();
  CHECK(Said(script.Did(), R"("version":"unasked-for")"));
  CHECK(script.device.end() == DeviceEnd::kWrongVersion);
}

TEST_CASE("a silent device reports no step") {
  Script script(Behaviour::kSilent);
  script.Notice();
  script.DownloadUpTo(100);
  CHECK_FALSE(Said(script.Did(), "/progress/"));
}

TEST_CASE("a device that never reports takes its notice and does nothing") {
  Script script(Behaviour::kNever);
  script.Did();
  script.Notice();
  CHECK(script.Did().empty());
  CHECK(script.device.end() == DeviceEnd::kNotified);
}

TEST_CASE("a returning device goes away once, after its first report") {
  Script script(Behaviour::kReturning);
  Deeds deeds = script.Did();
  CHECK(Said(deeds, "/inform/"));
  CHECK(deeds.back() == "wake in 5000");
  script.Boot();
  CHECK_FALSE(Said(script.Did(), "power off"));
}

TEST_CASE("a device that loses power half way begins anew when it is told again") {
  Script script(Behaviour::kRebooting);
  script.Notice();
  script.DownloadUpTo(50);
  CHECK(Said(script.Did(), "power off"));
  script.Boot();
  CHECK(Said(script.Did(), R"("version":"1.0.0")"));
  script.Notice();
  CHECK(script.Did() == Deeds{"download 2.0.0 100"});
  script.DownloadUpTo(100);
  CHECK_FALSE(Said(script.Did(), "power off"));
}

TEST_CASE("a duplicating device says all twice and some of it late") {
  Script script(Behaviour::kDuplicating);
  script.Notice();
  script.Did();
  script.device.OnDownloaded(10);
  Deeds deeds = script.Did();
  REQUIRE(deeds.size() == 4);
  CHECK(deeds[0] == deeds[1]);
  CHECK(Said({deeds[2]}, R"("step":"5")"));
}

TEST_CASE("a twofold device connects a second time half way") {
  Script script(Behaviour::kTwofold);
  script.Notice();
  script.DownloadUpTo(50);
  CHECK(script.Did().back() == "connect");
}

}  // namespace
}  // namespace updraft
