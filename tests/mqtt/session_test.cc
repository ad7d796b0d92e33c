#include "adapters/mqtt/session.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/refusals.h"
#include "projections/world.h"

namespace updraft {
namespace {

// An engine that answers when it is told to.
class FakeEngine : public EngineSide {
 public:
  Status Submit(const Command& command, Callback callback) override {
    if (!refuse.ok()) return refuse;
    submitted.emplace_back(command, std::move(callback));
    return OkStatus();
  }
  Status Read(std::function<RosterPage(const World&)> look,
              std::function<void(RosterPage)> then) override {
    if (!refuse.ok()) return refuse;
    looks.emplace_back(std::move(look), std::move(then));
    return OkStatus();
  }

  // Answers the oldest command of type T.
  template <class T>
  void Answer(Status status = OkStatus(), Answer answer = {}) {
    for (auto it = submitted.begin(); it != submitted.end(); ++it) {
      if (!std::holds_alternative<T>(it->first)) continue;
      Callback callback = std::move(it->second);
      submitted.erase(it);
      if (callback) callback(Outcome{std::move(status), std::move(answer), 0});
      return;
    }
    FAIL("no such command was submitted");
  }
  template <class T>
  std::vector<T> All() const {
    std::vector<T> all;
    for (const auto& [command, callback] : submitted) {
      if (auto* one = std::get_if<T>(&command)) all.push_back(*one);
    }
    return all;
  }

  Status refuse;
  std::deque<std::pair<Command, Callback>> submitted;
  std::deque<std::pair<std::function<RosterPage(const World&)>, std::function<void(RosterPage)>>>
      looks;
};

class FakeBroker : public BrokerSide {
 public:
  int Publish(const OutMessage& message, int qos) override {
    published.emplace_back(message, qos);
    return sendable ? static_cast<int>(published.size()) : 0;
  }

  bool sendable = true;
  std::vector<std::pair<OutMessage, int>> published;  // Message n is at n - 1.
};

const Status kInboxFull(StatusCode::kUnavailable, refusal::kInboxFull, "full");
const Status kStopped(StatusCode::kUnavailable, refusal::kEngineStopped, "stopped");
const char* kInform = R"({"id":1,"params":{"version":"1.0.0"}})";

struct Bench {
  explicit Bench(MqttPath path = MqttPath::kDirect, uint32_t window = 4)
      : session({.outlet = {path, "http://127.0.0.1:1", std::string(32, 'k')},
                 .push_window = window,
                 .name = "run"},
                engine, broker) {}

  void Inform(const std::string& name) {
    session.OnMessage("/ota/device/inform/pk/" + name, kInform, now_ms);
  }
  uint64_t Reason(const std::string& reason) {
    auto reasons = session.Stats().reasons;
    return reasons.contains(reason) ? reasons[reason] : 0;
  }
  // The engine gives pushes of these numbers.
  void Push(std::vector<uint64_t> numbers) {
    TakenPushes taken;
    for (uint64_t number : numbers) {
      taken.pushes.push_back({PushNumber(number),
                              false,
                              {.product_key = "pk",
                               .device_name = "dn",
                               .module = "default",
                               .version = "2",
                               .md5 = std::string(16, 'm'),
                               .sha256 = std::string(32, 's'),
                               .file = std::string(32, 'f')}});
    }
    engine.Answer<TakePushes>(OkStatus(), std::move(taken));
  }
  void Wait(int64_t ms) {
    now_ms += ms;
    session.Tick(now_ms);
  }

  FakeEngine engine;
  FakeBroker broker;
  MqttSession session;
  int64_t now_ms = 1'000;
};

TEST_CASE("a message is done with when the engine has answered what it asked for") {
  Bench b;
  b.Inform("a");
  CHECK(b.session.taken() == 1);
  CHECK(b.session.answered() == 0);
  CHECK_FALSE(b.session.Idle());
  b.engine.Answer<ReportVersion>();
  CHECK(b.session.answered() == 1);
  CHECK(b.session.Idle());
}

TEST_CASE("a message that asks for nothing is done with at once, and counted") {
  Bench b;
  b.session.OnMessage("/ota/device/inform/pk/a", "{", b.now_ms);
  CHECK(b.session.taken() == 0);
  CHECK(b.Reason("not_json") == 1);
  CHECK(b.session.Stats().messages == 1);
}

TEST_CASE("what the engine refuses is done with and counted by its name") {
  Bench b;
  b.Inform("a");
  b.engine.Answer<ReportVersion>(Status(StatusCode::kNotFound, refusal::kUnknownDevice, "none"));
  CHECK(b.session.Idle());
  CHECK(b.Reason("unknown_device") == 1);
}

TEST_CASE("what the inbox had no room for is asked again, in order, and nothing is lost") {
  Bench b;
  b.engine.refuse = kInboxFull;
  b.Inform("a");
  b.Inform("b");
  CHECK(b.session.Full());
  CHECK(b.session.taken() == 2);
  CHECK(b.session.NextTickMs() == b.now_ms + MqttSession::kAskAgainMs);
  b.Wait(MqttSession::kAskAgainMs);
  CHECK(b.session.Full());
  b.engine.refuse = OkStatus();
  b.Wait(MqttSession::kAskAgainMs);
  CHECK_FALSE(b.session.Full());
  auto reports = b.engine.All<ReportVersion>();
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].device.name == "a");
  CHECK(reports[1].device.name == "b");
}

TEST_CASE("an engine at its end leaves what was taken unanswered") {
  Bench b;
  b.Inform("a");
  b.Inform("b");
  b.engine.Answer<ReportVersion>(Status(StatusCode::kDataLoss, refusal::kLogFailed, "disk"));
  CHECK(b.session.answered() == 0);
  CHECK(b.session.failure().reason() == refusal::kLogFailed);
  CHECK_FALSE(b.session.Idle());

  Bench stopped;
  stopped.engine.refuse = kStopped;
  stopped.Inform("a");
  CHECK(stopped.session.failure().reason() == refusal::kEngineStopped);
  CHECK_FALSE(stopped.session.Idle());
}

TEST_CASE("pushes are asked for while there is a connection, one question at a time") {
  Bench b;
  b.Wait(0);
  CHECK(b.engine.All<TakePushes>().empty());
  b.session.OnConnected(b.now_ms);
  b.Wait(0);
  b.Wait(0);
  REQUIRE(b.engine.All<TakePushes>().size() == 1);
  CHECK(b.engine.All<TakePushes>()[0].max == 4);
}

TEST_CASE("a full window asks for nothing until the broker has taken some") {
  Bench b(MqttPath::kDirect, /*window=*/8);
  b.session.OnConnected(b.now_ms);
  b.Wait(0);
  b.Push({1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(b.broker.published.size() == 8);
  b.Wait(0);
  CHECK(b.engine.All<TakePushes>().empty());
  b.session.OnPuback(1, b.now_ms);
  b.Wait(0);
  CHECK(b.engine.All<TakePushes>().empty());  // A quarter of the window makes a question.
  b.session.OnPuback(2, b.now_ms);
  b.Wait(0);
  REQUIRE(b.engine.All<TakePushes>().size() == 1);
  CHECK(b.engine.All<TakePushes>()[0].max == 2);
}

TEST_CASE("the engine is told how far the broker has got") {
  Bench b;
  b.session.OnConnected(b.now_ms);
  b.Wait(0);
  b.Push({1, 2});
  b.session.OnPuback(2, b.now_ms);
  b.Wait(PushWindow::kTellAfterMs);
  CHECK(b.engine.All<AcknowledgePushes>().empty());
  b.session.OnPuback(1, b.now_ms);
  b.engine.refuse = kInboxFull;
  b.Wait(PushWindow::kTellAfterMs);
  CHECK(b.engine.All<AcknowledgePushes>().empty());
  b.engine.refuse = OkStatus();
  b.Wait(PushWindow::kTellAfterMs);
  auto told = b.engine.All<AcknowledgePushes>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].through == PushNumber(2));
}

TEST_CASE("pushes that come while there is no connection are kept for the next") {
  Bench b;
  b.session.OnConnected(b.now_ms);
  b.Wait(0);
  b.session.OnDisconnected();
  b.Push({1});
  CHECK(b.broker.published.empty());
  b.session.OnConnected(b.now_ms);
  REQUIRE(b.broker.published.size() == 1);
  CHECK(b.broker.published[0].first.topic == "/ota/device/upgrade/pk/dn");
  CHECK(b.broker.published[0].second == 1);
}

TEST_CASE("a push that can never be sent does not block the window") {
  Bench b;
  b.broker.sendable = false;
  b.session.OnConnected(b.now_ms);
  b.Wait(0);
  b.Push({1});
  CHECK(b.Reason("unsendable") == 1);
  CHECK(b.session.Stats().pushes_open == 0);
  b.Wait(PushWindow::kTellAfterMs);
  CHECK(b.engine.All<AcknowledgePushes>().size() == 1);
}

TEST_CASE("a pull is answered when it is durable, and not counted among the pushes") {
  Bench b;
  b.session.OnConnected(b.now_ms);
  b.session.OnMessage("/sys/pk/dn/thing/ota/firmware/get", R"({"id":9,"params":{}})", b.now_ms);
  CHECK(b.broker.published.empty());
  b.engine.Answer<RequestPackage>(OkStatus(), PulledNotice{});
  REQUIRE(b.broker.published.size() == 1);
  CHECK(b.broker.published[0].first.payload == R"({"id":9,"code":200,"data":{}})");
  CHECK(b.session.Stats().pulls == 1);
  CHECK(b.session.Stats().pushes_open == 0);
}

TEST_CASE("with the gate a connection asks for the roster, by a new name each time") {
  Bench b(MqttPath::kGate);
  b.session.OnConnected(b.now_ms);
  b.session.OnDisconnected();
  b.session.OnConnected(b.now_ms);
  REQUIRE(b.broker.published.size() == 2);
  CHECK(b.broker.published[0].first.topic == "updraft/roster/get");
  CHECK(b.broker.published[0].first.payload == "run-1");
  CHECK(b.broker.published[1].first.payload == "run-2");
}

TEST_CASE("who was not named is reported gone once all that came before is submitted") {
  Bench b(MqttPath::kGate);
  b.session.OnConnected(b.now_ms);
  b.engine.refuse = kInboxFull;
  b.session.OnMessage("updraft/presence/pk/dn", R"({"state":"online","epoch":5,"generation":1})",
                      b.now_ms);
  b.session.OnMessage("updraft/roster", R"({"request":"run-1","epoch":5,"count":1})", b.now_ms);
  b.Wait(0);
  CHECK(b.engine.looks.empty());
  b.engine.refuse = OkStatus();
  b.Wait(0);
  REQUIRE(b.engine.looks.size() == 1);
  CHECK(b.engine.All<ReportPresence>().size() == 1);

  RosterPage page;
  page.gone.push_back({.device = {.id = DeviceId(3)}, .broker_epoch = 5, .generation = 1});
  page.next = DeviceId(4);
  b.engine.looks[0].second(page);
  b.Wait(0);
  auto reports = b.engine.All<ReportPresence>();
  REQUIRE(reports.size() == 2);
  CHECK(reports[1].device.id == DeviceId(3));
  CHECK(b.session.Stats().gone_by_roster == 1);
  REQUIRE(b.engine.looks.size() == 2);
  b.engine.looks[1].second(RosterPage());
  b.Wait(0);
  CHECK(b.engine.looks.size() == 2);
}

TEST_CASE("who connects after the roster was told is not reported gone for not being in it") {
  Bench b(MqttPath::kGate);
  b.session.OnConnected(b.now_ms);
  b.session.OnMessage("updraft/roster", R"({"request":"run-1","epoch":5,"count":0})", b.now_ms);
  b.session.OnMessage("updraft/presence/pk/dn", R"({"state":"online","epoch":5,"generation":7})",
                      b.now_ms);
  b.Wait(0);
  REQUIRE(b.engine.looks.size() == 1);
  RosterPage page;  // The look came after both, and saw the device that it had never heard named.
  page.gone.push_back({.device = {.id = DeviceId(3), .product_key = "pk", .name = "dn"},
                       .broker_epoch = 5,
                       .generation = 7});
  b.engine.looks[0].second(page);
  b.Wait(0);
  CHECK(b.engine.All<ReportPresence>().size() == 1);
  CHECK(b.session.Stats().gone_by_roster == 0);
}

TEST_CASE("a look of a roster that a new connection has overtaken changes nothing") {
  Bench b(MqttPath::kGate);
  b.session.OnConnected(b.now_ms);
  b.session.OnMessage("updraft/roster", R"({"request":"run-1","epoch":5})", b.now_ms);
  b.Wait(0);
  REQUIRE(b.engine.looks.size() == 1);
  b.session.OnDisconnected();
  b.session.OnConnected(b.now_ms);
  RosterPage page;
  page.gone.push_back({.device = {.id = DeviceId(3)}, .broker_epoch = 5, .generation = 1});
  b.engine.looks[0].second(page);
  b.Wait(0);
  CHECK(b.engine.All<ReportPresence>().empty());
}

TEST_CASE("an answer to nobody's request is counted") {
  Bench b(MqttPath::kGate);
  b.session.OnMessage("updraft/roster", R"({"request":"old","epoch":5})", b.now_ms);
  CHECK(b.Reason("stale_roster") == 1);
}

TEST_CASE("what the gate tells of itself is kept to be shown") {
  Bench b(MqttPath::kGate);
  b.session.OnMessage("updraft/credentials", R"({"generation":3,"position":9})", b.now_ms);
  b.session.OnMessage("updraft/broker/stats", R"({"online":7})", b.now_ms);
  SessionStats stats = b.session.Stats();
  CHECK(stats.gate_credentials.generation == 3);
  CHECK(stats.gate_credentials.position == 9);
  CHECK(stats.gate_figures == R"({"online":7})");
}

}  // namespace
}  // namespace updraft
