#include "adapters/broker_plugin/gate.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/broker_plugin/gate_fixture.h"

namespace updraft {
namespace {

using Lines = std::vector<std::string>;

// Writes down what the gate does to it, a line each.
class FakeBroker : public Broker {
 public:
  void Publish(const std::string& topic, std::string_view payload, int qos, bool retain) override {
    if (topic == "updraft/credentials") return;
    if (topic == "updraft/broker/stats") {
      stats = payload;
      return;
    }
    done.push_back(topic + " " + std::string(payload) + " " + std::to_string(qos) +
                   (retain ? " retained" : ""));
  }
  void Deliver(const std::string& client_id, const std::string& topic, std::string_view payload,
               int qos) override {
    done.push_back("to " + client_id + ": " + topic + " " + std::string(payload) + " " +
                   std::to_string(qos));
  }
  void Disconnect(const std::string& client_id) override {
    done.push_back("disconnect " + client_id);
  }
  void Warn(const std::string& line) override { warnings.push_back(line); }

  Lines Take() { return std::exchange(done, {}); }

  Lines done;
  Lines warnings;
  std::string stats;
};

class Fixture {
 public:
  explicit Fixture(const std::vector<std::string>& devices = {"a", "b"}) {
    for (const std::string& name : devices) directory.Append(directory.Device(name));
    options.credentials = directory.path();
    options.connects_per_minute = 0;
  }

  Gate& gate() {
    if (!gate_) {
      gate_.emplace(options, "engine-password", /*epoch=*/42, "1.0", broker);
      Tick();
      broker.Take();
    }
    return *gate_;
  }
  void Connect(int client, const std::string& device) {
    DeviceConnect connect(device);
    CHECK(gate().Connect(&clients_[client], connect.request(), now_ms).refusal.empty());
  }
  void ConnectEngine(int client) {
    ConnectRequest request = {.client_id = "engine",
                              .user_name = "updraft-engine",
                              .password = "engine-password",
                              .ip = "127.0.0.1",
                              .keepalive_seconds = 60};
    CHECK(gate().Connect(&clients_[client], request, now_ms).engine);
  }
  void Close(int client) { gate().Disconnected(&clients_[client]); }
  bool Allows(int client, Access access, std::string_view topic, uint32_t subscriptions = 0) {
    return gate().Allows(&clients_[client], {access, topic, subscriptions}, now_ms);
  }
  Verdict Publish(int client, std::string_view topic, std::string_view payload, int qos = 0) {
    return gate().Publish(&clients_[client], {topic, payload, qos}, now_ms);
  }
  void Tick() {
    now_ms += Gate::kTickMs;
    gate_->Tick(now_ms);
  }
  nlohmann::json Stats() {
    now_ms += 10'000;
    Tick();
    return nlohmann::json::parse(broker.stats);
  }

  GateOptions options;  // Set before the first call.
  CredentialDirectory directory;
  FakeBroker broker;
  int64_t now_ms = 1'000'000;

 private:
  char clients_[8] = {};  // Names of clients: only their being different matters.
  std::optional<Gate> gate_;
};

const std::string kIdOfA = GateClientId(MakeCredentialKey("pk", "a"));

}  // namespace

TEST_CASE("a gate says at its start which run it is", "[gate]") {
  Fixture f;
  Gate gate(f.options, "p", 42, "1.0", f.broker);
  CHECK(f.broker.Take() == Lines{R"(updraft/broker {"epoch":42,"version":"1.0"} 1 retained)"});
}

TEST_CASE("a device comes and goes with a generation", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  CHECK(f.broker.Take() ==
        Lines{R"(updraft/presence/pk/a {"state":"online","epoch":42,"generation":1,)"
              R"("ip":"10.0.0.1"} 1)"});
  f.Close(0);
  CHECK(f.broker.Take() ==
        Lines{R"(updraft/presence/pk/a {"state":"offline","epoch":42,"generation":1} 1)"});
  f.Close(0);
  CHECK(f.broker.Take().empty());
}

TEST_CASE("a takeover is online only", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  f.broker.Take();
  f.Connect(1, "a");
  CHECK(f.broker.Take() ==
        Lines{R"(updraft/presence/pk/a {"state":"online","epoch":42,"generation":2,)"
              R"("ip":"10.0.0.1"} 1)"});
  f.Close(0);
  CHECK(f.broker.Take().empty());
  f.Close(1);
  CHECK(f.broker.Take() ==
        Lines{R"(updraft/presence/pk/a {"state":"offline","epoch":42,"generation":2} 1)"});
}

TEST_CASE("a refused CONNECT is nobody's presence", "[gate]") {
  Fixture f;
  f.gate();
  DeviceConnect wrong("a", "wrong");
  char client = 0;
  CHECK(f.gate().Connect(&client, wrong.request(), f.now_ms).refusal == "bad_password");
  CHECK_FALSE(f.gate().Knows(&client));
  f.gate().Disconnected(&client);
  CHECK(f.broker.Take().empty());
}

TEST_CASE("what a device says goes up at QoS 1 and no further", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  f.broker.Take();
  auto [topic, up] = GENERATE(table<std::string, std::string>({
      {"/ota/device/inform/pk/a", "updraft/up/inform/pk/a"},
      {"/ota/device/progress/pk/a", "updraft/up/progress/pk/a"},
      {"/ota/device/request/pk/a", "updraft/up/request/pk/a"},
      {"/sys/pk/a/thing/ota/firmware/get", "updraft/up/get/pk/a"},
      {"/sys/pk/a/thing/file/download", "updraft/up/download/pk/a"},
      {"/sys/pk/a/thing/config/get", "updraft/up/config/pk/a"},
  }));
  const int qos = GENERATE(0, 1, 2);
  CHECK(f.Allows(0, Access::kPublish, topic));
  CHECK(f.Publish(0, topic, "payload", qos) == Verdict::kTaken);
  CHECK(f.broker.Take() == Lines{up + " payload 1"});
}

TEST_CASE("what has nothing to do with upgrades is left to the broker", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  f.broker.Take();
  CHECK(f.Allows(0, Access::kPublish, "/pk/a/user/x"));
  CHECK(f.Publish(0, "/pk/a/user/x", "payload") == Verdict::kPass);
  CHECK(f.Allows(0, Access::kReceive, "/pk/a/user/x"));
  CHECK_FALSE(f.Allows(0, Access::kReceive, "/pk/b/user/x"));
  CHECK(f.broker.Take().empty());
}

TEST_CASE("a device reaches nothing but its own", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  for (const char* topic :
       {"/ota/device/inform/pk/b", "/ota/device/upgrade/pk/a", "updraft/presence/pk/a",
        "updraft/roster/get", "updraft/down/pk/b/ota/device/upgrade/pk/b", "$SYS/x", "x"}) {
    CAPTURE(topic);
    CHECK_FALSE(f.Allows(0, Access::kPublish, topic));
  }
  for (const char* filter : {"#", "+/+/+/+", "updraft/#", "/ota/device/upgrade/pk/b",
                             "/ota/device/upgrade/pk/+", "$SYS/#", "$share/g/#"}) {
    CAPTURE(filter);
    CHECK_FALSE(f.Allows(0, Access::kSubscribe, filter));
  }
}

TEST_CASE("a device may subscribe to what it is never sent that way", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  CHECK(f.Allows(0, Access::kSubscribe, "/ota/device/upgrade/pk/a"));
  CHECK_FALSE(f.Allows(0, Access::kReceive, "/ota/device/upgrade/pk/a"));
  CHECK_FALSE(f.Allows(0, Access::kReceive, "/ota/device/request/pk/a"));
}

TEST_CASE("a connection has its number of subscriptions", "[gate]") {
  Fixture f;
  f.ConnectEngine(1);
  f.Connect(0, "a");
  CHECK(f.Allows(0, Access::kSubscribe, "/ota/device/upgrade/pk/a", 99));
  CHECK_FALSE(f.Allows(0, Access::kSubscribe, "/ota/device/upgrade/pk/a", 100));
  CHECK(f.Allows(1, Access::kSubscribe, "#", 100));
  CHECK(f.Stats()["denied"]["subscriptions"] == 1);
}

TEST_CASE("a client that did not come in through the gate may do nothing", "[gate]") {
  Fixture f;
  CHECK_FALSE(f.Allows(0, Access::kPublish, "/ota/device/inform/pk/a"));
  CHECK_FALSE(f.Allows(0, Access::kSubscribe, "/ota/device/upgrade/pk/a"));
  CHECK_FALSE(f.Allows(0, Access::kReceive, "/pk/a/user/x"));
  CHECK(f.Publish(0, "/ota/device/inform/pk/a", "x") == Verdict::kDeny);
}

TEST_CASE("the engine's account may do everything until it leaves", "[gate]") {
  Fixture f;
  f.ConnectEngine(0);
  CHECK(f.Allows(0, Access::kPublish, "updraft/roster/get"));
  CHECK(f.Allows(0, Access::kSubscribe, "#"));
  CHECK(f.Allows(0, Access::kReceive, "updraft/up/inform/pk/a"));
  CHECK(f.Publish(0, "some/topic", "x") == Verdict::kPass);
  CHECK(f.broker.Take().empty());
  f.Close(0);
  CHECK_FALSE(f.Allows(0, Access::kSubscribe, "#"));
}

TEST_CASE("a notice goes down to the device that is online, at its QoS", "[gate]") {
  Fixture f;
  f.ConnectEngine(0);
  f.Connect(1, "a");
  f.broker.Take();
  const int qos = GENERATE(0, 1);
  CHECK(f.Publish(0, "updraft/down/pk/a/ota/device/upgrade/pk/a", "push", qos) == Verdict::kTaken);
  CHECK(f.broker.Take() ==
        Lines{"to " + kIdOfA + ": /ota/device/upgrade/pk/a push " + std::to_string(qos)});
}

TEST_CASE("a notice for a device that is offline is dropped and counted", "[gate]") {
  Fixture f;
  f.ConnectEngine(0);
  CHECK(f.Publish(0, "updraft/down/pk/a/ota/device/upgrade/pk/a", "push", 1) == Verdict::kTaken);
  CHECK(f.broker.Take().empty());
  CHECK(f.Stats()["undeliverable"] == 1);
}

TEST_CASE("a roster names every live connection once and then ends", "[gate]") {
  std::vector<std::string> names;
  for (int i = 0; i < 6; ++i) names.push_back("dev-" + std::to_string(i));
  Fixture f(names);
  f.ConnectEngine(7);
  for (int i = 0; i < 6; ++i) f.Connect(i, names[static_cast<size_t>(i)]);
  f.Close(2);
  f.broker.Take();
  CHECK(f.Publish(7, "updraft/roster/get", "run-1") == Verdict::kTaken);
  f.Tick();
  Lines roster = f.broker.Take();
  REQUIRE(roster.size() == 6);
  CHECK_THAT(roster[0], Catch::StartsWith("updraft/presence/pk/dev-0 {\"state\":\"online\""));
  CHECK_THAT(roster[2], Catch::StartsWith("updraft/presence/pk/dev-3 "));
  CHECK(roster[5] == R"(updraft/roster {"request":"run-1","epoch":42,"count":5} 1)");
  f.Tick();
  CHECK(f.broker.Take().empty());
}

TEST_CASE("a roster of nobody ends at once", "[gate]") {
  Fixture f;
  f.ConnectEngine(0);
  f.Publish(0, "updraft/roster/get", "");
  f.Tick();
  CHECK(f.broker.Take() == Lines{R"(updraft/roster {"request":"","epoch":42,"count":0} 1)"});
}

TEST_CASE("a request for the roster has a name that fits an answer", "[gate]") {
  Fixture f;
  f.ConnectEngine(0);
  for (const std::string& bad : {std::string("a\"b"), std::string("a b"), std::string("\n"),
                                 std::string(Gate::kRequestBytesMax + 1, 'x')}) {
    CHECK(f.Publish(0, "updraft/roster/get", bad) == Verdict::kTaken);
    f.Tick();
    CHECK(f.broker.Take().empty());
  }
  f.Publish(0, "updraft/roster/get", std::string(Gate::kRequestBytesMax, 'x'));
  f.Tick();
  CHECK(f.broker.Take().size() == 1);
}

TEST_CASE("a device that is disabled or deleted is disconnected", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  f.Connect(1, "b");
  f.broker.Take();
  f.directory.Append(
      f.directory.Device("a", GENERATE(CredentialState::kDisabled, CredentialState::kDeleted)));
  f.Tick();
  CHECK(f.broker.Take() == Lines{"disconnect " + kIdOfA});
  f.Close(0);
  f.broker.Take();
  f.Tick();
  CHECK(f.broker.Take().empty());
}

TEST_CASE("a device that was disabled and enabled again before anyone looked stays", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  f.broker.Take();
  f.directory.Append(f.directory.Device("a", CredentialState::kDisabled));
  f.directory.Append(f.directory.Device("a"));
  f.Tick();
  CHECK(f.broker.Take().empty());
}

TEST_CASE("with its product every device is disconnected", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  f.Connect(1, "b");
  f.broker.Take();
  f.directory.Append(f.directory.Product(CredentialState::kDisabled));
  f.Tick();
  CHECK(f.broker.Take().size() == 2);
}

TEST_CASE("what a new base leaves out is disconnected too", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  f.Connect(1, "b");
  f.broker.Take();
  f.directory.NewGeneration({f.directory.Product(), f.directory.Device("b")});
  f.Tick();
  CHECK(f.broker.Take() == Lines{"disconnect " + kIdOfA});
}

TEST_CASE("a payload over its bound is denied, counted and told", "[gate]") {
  Fixture f;
  f.options.payload_bytes_max = 10;
  f.ConnectEngine(1);
  f.Connect(0, "a");
  f.broker.Take();
  CHECK(f.Publish(0, "/ota/device/inform/pk/a", "0123456789") == Verdict::kTaken);
  CHECK(f.Publish(0, "/ota/device/inform/pk/a", "01234567890") == Verdict::kDeny);
  CHECK(f.broker.Take().size() == 1);
  CHECK(f.broker.warnings == Lines{R"(denied: publish device=pk/a topic="/ota/device/inform/pk/a")"
                                   R"( reason=payload_bytes)"});
  CHECK(f.Stats()["denied"]["payload_bytes"] == 1);
}

TEST_CASE("what waits for the engine has a bound of its own", "[gate]") {
  Fixture f;
  f.options.report_bytes_max = 10;
  f.ConnectEngine(1);
  f.Connect(0, "a");
  CHECK(f.Publish(0, "/ota/device/progress/pk/a", "0123456789") == Verdict::kTaken);
  CHECK(f.Publish(0, "/ota/device/progress/pk/a", "01234567890") == Verdict::kDeny);
  CHECK(f.Publish(0, "/pk/a/user/data", "01234567890") == Verdict::kPass);
  CHECK(f.Stats()["denied"]["payload_bytes"] == 1);
}

TEST_CASE("messages over a device's rate are denied and counted", "[gate]") {
  Fixture f;
  f.ConnectEngine(1);
  f.Connect(0, "a");
  for (int i = 0; i < 30; ++i) {
    CHECK(f.Publish(0, "/ota/device/progress/pk/a", "x", 0) == Verdict::kTaken);
  }
  CHECK(f.Publish(0, "/ota/device/progress/pk/a", "x", 0) == Verdict::kDeny);
  CHECK(f.Publish(0, "/ota/device/progress/pk/a", "x", 1) == Verdict::kTaken);
  f.now_ms += 1000;
  CHECK(f.Publish(0, "/ota/device/progress/pk/a", "x", 0) == Verdict::kTaken);
  CHECK(f.Stats()["denied"]["message_rate"] == 1);
}

TEST_CASE("a flood of denials does not flood the log", "[gate]") {
  Fixture f;
  f.Connect(0, "a");
  for (int i = 0; i < 1000; ++i) f.Allows(0, Access::kPublish, "x");
  CHECK(f.broker.warnings.size() == LineLimiter::kLinesPerSecond);
  f.now_ms += 1000;
  f.Allows(0, Access::kPublish, "x");
  REQUIRE(f.broker.warnings.size() == LineLimiter::kLinesPerSecond + 2);
  CHECK(f.broker.warnings[LineLimiter::kLinesPerSecond] ==
        std::to_string(1000 - LineLimiter::kLinesPerSecond) + " lines left out");
}

TEST_CASE("the counters tell what happened", "[gate]") {
  Fixture f;
  f.ConnectEngine(0);
  f.Connect(1, "a");
  f.Connect(2, "a");
  f.Close(1);
  f.Connect(3, "b");
  f.Publish(3, "/ota/device/inform/pk/b", "x");
  f.Publish(0, "updraft/down/pk/b/ota/device/upgrade/pk/b", "x", 1);
  f.Allows(3, Access::kSubscribe, "#");
  char client = 0;
  f.gate().Connect(&client, DeviceConnect("a", "wrong").request(), f.now_ms);
  CHECK(f.Stats() == nlohmann::json::parse(R"({
    "epoch": 42, "online": 2, "accepted": 3, "refused": {"bad_password": 1}, "takeovers": 1,
    "disconnected": 0, "denied": {"subscribe_topic": 1}, "republished": 1, "delivered": 1,
    "undeliverable": 0, "credentials": {"generation": 1, "position": 3, "damaged": 0}})"));
}

TEST_CASE("counters are told to an engine only, each few seconds", "[gate]") {
  Fixture f;
  f.gate();
  f.Tick();
  CHECK(f.broker.stats.empty());
  f.ConnectEngine(0);
  f.Tick();
  CHECK_FALSE(f.broker.stats.empty());
  f.broker.stats.clear();
  f.now_ms += 4000;
  f.Tick();
  CHECK(f.broker.stats.empty());
  f.now_ms += 1000;
  f.Tick();
  CHECK_FALSE(f.broker.stats.empty());
}

}  // namespace updraft
