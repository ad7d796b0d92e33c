// The whole adapter, an engine over a log in memory, a real mosquitto, and devices that are
// sockets.
#include <memory>
#include <mutex>
#include <string>

#include <catch2/catch.hpp>

#include "adapters/mqtt/adapter.h"
#include "adapters/wire/gate_topics.h"
#include "tests/mqtt/broker_process.h"
#include "tests/mqtt/engine_bench.h"
#include "tests/mqtt/sockets.h"

namespace updraft {
namespace {

struct Bench {
  explicit Bench(MqttPath path) : path(path), engine(Options()), broker(path == MqttPath::kGate) {
    engine.MakeProduct();
    engine.Register({"dev-a", "dev-b"});
    Connect();
  }
  ~Bench() { Disconnect(); }

  EngineOptions Options() {
    EngineOptions options;
    options.on_commit = [this](Seq last, uint32_t, size_t, int64_t) {
      std::lock_guard lock(mutex);
      if (adapter) adapter->OnCommit(last);
    };
    return options;
  }

  void Begin() {
    MqttOptions options;
    options.path = path;
    options.port = broker.port();
    options.public_url = "http://127.0.0.1:8080";
    options.link_key = std::string(32, 'k');
    if (path == MqttPath::kGate) {
      options.user = kEngineUserName;
      options.password = BrokerProcess::kEnginePassword;
      options.credentials_dir = broker.credentials();
    }
    auto started = MqttAdapter::Start(engine.engine(), options);
    REQUIRE(started.ok());
    std::lock_guard lock(mutex);
    adapter = *std::move(started);
  }
  void Connect() {
    Begin();
    Await([&] {
      MqttStats stats = adapter->Stats();
      return stats.link.connected && stats.credentials_in_step;
    });
  }
  // Until the gate decides by all that is in the log.
  void AwaitGate() {
    const uint64_t last = engine.log().head().last.value();
    Await([&] {
      MqttStats stats = adapter->Stats();
      return stats.credentials.followed >= last && stats.credentials_in_step;
    });
  }
  void Disconnect() {
    std::unique_ptr<MqttAdapter> ended;
    {
      std::lock_guard lock(mutex);
      ended = std::move(adapter);
    }
    ended.reset();
  }

  TestDevice Device(const std::string& name) {
    TestDevice device(broker.port(), EngineBench::kProductKey, name);
    REQUIRE(device.accepted());
    return device;
  }
  uint64_t Reason(const std::string& reason) {
    auto reasons = adapter->Stats().link.session.reasons;
    return reasons.contains(reason) ? reasons[reason] : 0;
  }

  const MqttPath path;
  std::mutex mutex;
  std::unique_ptr<MqttAdapter> adapter;  // Guarded by the mutex against on_commit.
  EngineBench engine;
  BrokerProcess broker;
};

TEST_CASE("a device's words reach the engine through the gate, and its going is noticed",
          "[broker]") {
  Bench b(MqttPath::kGate);
  {
    TestDevice device = b.Device("dev-a");
    Await([&] { return b.engine.IsOnline("dev-a"); });
    device.Inform("1.0.0");
    Await([&] { return b.engine.VersionOf("dev-a") == "1.0.0"; });
  }
  Await([&] { return !b.engine.IsOnline("dev-a"); });
}

TEST_CASE("edge case 40: a notice reaches a device that never subscribes, once", "[broker]") {
  Bench b(MqttPath::kGate);
  TestDevice device = b.Device("dev-a");
  device.Inform("1.0.0");
  Await([&] { return b.engine.VersionOf("dev-a") == "1.0.0"; });
  b.engine.StartBatch({"dev-a"});
  std::string message = device.Receive();
  CHECK(message.find("/ota/device/upgrade/a1pk/dev-a {") == 0);
  CHECK(message.find(R"("version":"2.0.0")") != std::string::npos);
  Await([&] { return b.engine.PushesAcknowledged() == 1; });
  CHECK(device.NothingCame());
}

TEST_CASE("a pull is answered", "[broker]") {
  Bench b(MqttPath::kGate);
  TestDevice device = b.Device("dev-a");
  device.Publish("/sys/a1pk/dev-a/thing/ota/firmware/get", R"({"id":"5","params":{}})");
  CHECK(device.Receive() ==
        R"(/sys/a1pk/dev-a/thing/ota/firmware/get_reply {"id":"5","code":200,"data":{}})");
}

TEST_CASE("devices may connect as they are registered and until they are disabled", "[broker]") {
  Bench b(MqttPath::kGate);
  CHECK_FALSE(TestDevice(b.broker.port(), EngineBench::kProductKey, "dev-new").accepted());
  b.engine.Register({"dev-new"});
  b.AwaitGate();
  CHECK(TestDevice(b.broker.port(), EngineBench::kProductKey, "dev-new").accepted());
  REQUIRE(b.engine.Do(DisableDevice{b.engine.Device("dev-new")}).ok());
  b.AwaitGate();
  CHECK_FALSE(TestDevice(b.broker.port(), EngineBench::kProductKey, "dev-new").accepted());
}

TEST_CASE("what the engine lost with a crash the broker brings again", "[broker]") {
  Bench b(MqttPath::kGate);
  TestDevice device = b.Device("dev-a");
  Await([&] { return b.engine.IsOnline("dev-a"); });
  b.engine.log().Hold();
  device.Inform("1.0.0");  // The broker has acknowledged it to the device.
  b.engine.log().AwaitHeld();
  b.adapter->Stop();
  b.engine.log().Release(MemoryLog::Fate::kFailedAndLost);
  b.Disconnect();
  b.engine.Reopen();
  CHECK(b.engine.VersionOf("dev-a").empty());
  b.Connect();
  Await([&] { return b.engine.VersionOf("dev-a") == "1.0.0"; });
}

TEST_CASE("what comes again although it was durable changes nothing", "[broker]") {
  Bench b(MqttPath::kGate);
  TestDevice device = b.Device("dev-a");
  Await([&] { return b.engine.IsOnline("dev-a"); });
  b.engine.log().Hold();
  device.Inform("1.0.0");
  b.engine.log().AwaitHeld();
  b.adapter->Stop();
  b.Disconnect();
  b.engine.log().Release();
  CHECK(b.engine.VersionOf("dev-a") == "1.0.0");
  const Seq before = b.engine.log().head().last;
  b.Connect();
  device.Inform("1.0.0");
  // Both are done with: the one that came again, and the one behind it.
  Await([&] { return b.adapter->Stats().link.session.messages >= 2; });
  Await([&] {
    SessionStats stats = b.adapter->Stats().link.session;
    return stats.commands >= 2 && stats.answered == stats.commands;
  });
  CHECK(b.engine.log().head().last == before);
}

TEST_CASE("a broker that crashed is found again, and everybody was offline", "[broker]") {
  Bench b(MqttPath::kGate);
  TestDevice device = b.Device("dev-a");
  TestDevice other = b.Device("dev-b");
  Await([&] { return b.engine.IsOnline("dev-a") && b.engine.IsOnline("dev-b"); });
  uint64_t epoch = b.engine.BrokerEpoch();
  b.broker.Kill();
  Await([&] { return !b.adapter->Stats().link.connected; });
  b.broker.Start();
  TestDevice again = b.Device("dev-a");
  Await([&] { return b.adapter->Stats().link.connected; });
  Await([&] { return b.engine.BrokerEpoch() > epoch && b.engine.IsOnline("dev-a"); });
  CHECK_FALSE(b.engine.IsOnline("dev-b"));
}

TEST_CASE("who is gone without a word is found by the roster", "[broker]") {
  Bench b(MqttPath::kGate);
  TestDevice device = b.Device("dev-a");
  Await([&] { return b.engine.IsOnline("dev-a"); });
  REQUIRE(
      b.engine.Do(ReportPresence{b.engine.Device("dev-b"), true, b.engine.BrokerEpoch(), 1}).ok());
  CHECK(b.engine.IsOnline("dev-b"));
  b.Disconnect();
  b.Connect();
  Await([&] { return !b.engine.IsOnline("dev-b"); });
  CHECK(b.engine.IsOnline("dev-a"));
  CHECK(b.adapter->Stats().link.session.gone_by_roster == 1);
}

TEST_CASE("a broker that is not there yet is waited for", "[broker]") {
  Bench b(MqttPath::kDirect);
  b.Disconnect();
  b.broker.Kill();
  b.Begin();
  Await([&] { return !b.adapter->Stats().link.last_error.empty(); });
  CHECK_FALSE(b.adapter->Stats().link.connected);
  b.broker.Start();
  Await([&] { return b.adapter->Stats().link.connected; });
}

TEST_CASE("without the gate a device that speaks is online", "[broker]") {
  Bench b(MqttPath::kDirect);
  TestDevice device = b.Device("dev-a");
  device.Inform("1.0.0");
  Await([&] { return b.engine.VersionOf("dev-a") == "1.0.0"; });
  CHECK(b.engine.IsOnline("dev-a"));
}

TEST_CASE("malformed messages are counted and do no harm", "[broker]") {
  Bench b(MqttPath::kDirect);
  TestDevice device = b.Device("dev-a");
  const std::string inform = "/ota/device/inform/a1pk/dev-a";
  const std::string progress = "/ota/device/progress/a1pk/dev-a";
  device.Publish(inform, "");
  device.Publish(inform, "hello");
  device.Publish(inform, "\xFF");
  device.Publish(inform, "[]");
  device.Publish(inform, R"({"params":{"version":7}})");
  device.Publish(inform, std::string(1024 * 1024, 'x'));
  device.Publish(progress, R"({"params":{"step":"abc"}})");
  device.Publish(progress, R"({"params":{"step":"10"}})");
  device.Publish("/ota/device/inform/a1pk/nobody", R"({"params":{"version":"1"}})");
  device.Publish("/ota/device/inform//dev-a", R"({"params":{"version":"1"}})");
  device.Inform("1.0.0");
  Await([&] { return b.engine.VersionOf("dev-a") == "1.0.0"; });
  CHECK(b.Reason("not_json") == 2);
  CHECK(b.Reason("bad_utf8") == 1);
  CHECK(b.Reason("wrong_type") == 2);
  CHECK(b.Reason("too_large") == 1);
  CHECK(b.Reason("bad_step") == 1);
  CHECK(b.Reason("unknown_topic") == 1);
  Await([&] { return b.Reason("no_open_task") == 1 && b.Reason("unknown_device") == 1; });
  CHECK(b.adapter->Stats().link.connections == 1);
}

TEST_CASE("options that cannot work are refused at the start", "[adapter]") {
  EngineBench engine;
  MqttOptions options;
  options.public_url = "http://127.0.0.1:8080";
  options.link_key = std::string(32, 'k');
  MqttOptions bad_url = options;
  bad_url.public_url = "ftp://127.0.0.1";
  MqttOptions short_keepalive = options;
  short_keepalive.keepalive_seconds = 4;
  MqttOptions no_window = options;
  no_window.push_window = 0;
  for (const MqttOptions& bad : {bad_url, short_keepalive, no_window}) {
    CHECK(MqttAdapter::Start(engine.engine(), bad).status().code() == StatusCode::kInvalidArgument);
  }
  MqttOptions nowhere = options;
  nowhere.host = "256.256.256.256";
  CHECK(MqttAdapter::Start(engine.engine(), nowhere).status().code() == StatusCode::kUnavailable);
}

}  // namespace
}  // namespace updraft
