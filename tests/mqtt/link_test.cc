// The link against a broker that does what the test says, byte by byte.
#include "adapters/mqtt/link.h"

#include <atomic>
#include <string>

#include <catch2/catch.hpp>

#include "tests/mqtt/engine_bench.h"
#include "tests/mqtt/sockets.h"

namespace updraft {
namespace {

// Runs with the machine's, and can be turned forward.
class TurnedClock final : public Clock {
 public:
  int64_t WallUs() const override { return SystemClock().WallUs() + ahead_us_; }
  int64_t MonotonicUs() const override { return SystemClock().MonotonicUs() + ahead_us_; }
  void Turn(std::chrono::milliseconds by) { ahead_us_ += by.count() * 1'000; }

 private:
  std::atomic<int64_t> ahead_us_ = 0;
};

class ScriptedBroker {
 public:
  uint16_t port() const { return PortOf(listener_.get()); }

  // Takes a connection as far as its CONNECT.
  PacketSocket Accept() {
    pollfd fd = {listener_.get(), POLLIN, 0};
    REQUIRE(poll(&fd, 1, PacketSocket::kPatienceMs) == 1);
    PacketSocket client(OwnedFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    connect_ = client.Await(MqttKind::kConnect).body;
    return client;
  }
  // And on, until it is subscribed.
  PacketSocket AcceptSubscribed() {
    PacketSocket client = Accept();
    client.Send(std::string("\x20\x02\x00\x00", 4));
    auto subscribe = client.Await(static_cast<MqttKind>(8));
    std::string granted = "\x90";
    size_t filters = 0;
    for (size_t at = 2; at < subscribe.body.size(); ++filters) {
      at += 3 + (static_cast<uint8_t>(subscribe.body[at]) << 8 |
                 static_cast<uint8_t>(subscribe.body[at + 1]));
    }
    granted += static_cast<char>(2 + filters);
    granted += subscribe.body.substr(0, 2) + std::string(filters, '\1');
    client.Send(granted);
    return client;
  }
  // The last CONNECT's body.
  const std::string& connect() const { return connect_; }

 private:
  OwnedFd listener_ = ListenOnLoopback();
  std::string connect_;
};

struct Bench {
  explicit Bench(EngineOptions options = {}) : engine(std::move(options)) {
    engine.MakeProduct();
    engine.Register({"dev-a", "dev-b", "dev-c"});
    LinkOptions link_options;
    link_options.port = broker.port();
    link_options.client.client_id = "updraft-engine-1";
    link_options.session.outlet = {MqttPath::kDirect, "http://127.0.0.1:1", std::string(32, 'k')};
    auto started = BrokerLink::Start(link_options, engine.engine(), clock);
    REQUIRE(started.ok());
    link = *std::move(started);
  }

  static std::string Inform(const std::string& name, uint16_t id,
                            const std::string& version = "1.0.0") {
    return PublishAtQos1("/ota/device/inform/a1pk/" + name,
                         R"({"id":1,"params":{"version":")" + version + R"("}})", id);
  }

  EngineBench engine;
  TurnedClock clock;
  ScriptedBroker broker;
  std::unique_ptr<BrokerLink> link;
};

TEST_CASE("the session is persistent and has a name that stays", "[link]") {
  Bench b;
  b.broker.AcceptSubscribed();
  // Protocol name and level 4, flags without clean session, keepalive, client id.
  CHECK(b.broker.connect() == std::string("\0\4MQTT\4\0\0\x3C\0\x10updraft-engine-1", 28));
}

TEST_CASE("a report is acknowledged after it is durable, and not before", "[link]") {
  Bench b;
  PacketSocket client = b.broker.AcceptSubscribed();
  b.engine.log().Hold();
  client.Send(Bench::Inform("dev-a", 7));
  b.engine.log().AwaitHeld();
  // libmosquitto has long written its acknowledgement: the command was submitted after it.
  CHECK_FALSE(client.IsReadable(/*patience_ms=*/0));
  b.engine.log().Release();
  CHECK(client.Await(MqttKind::kPuback).body == std::string("\0\7", 2));
  CHECK(b.engine.VersionOf("dev-a") == "1.0.0");
}

TEST_CASE("a message that asks for nothing is acknowledged at once", "[link]") {
  Bench b;
  PacketSocket client = b.broker.AcceptSubscribed();
  client.Send(PublishAtQos1("/ota/device/inform/a1pk/dev-a", "{", 9));
  CHECK(client.Await(MqttKind::kPuback).body == std::string("\0\x09", 2));
  CHECK(b.link->Stats().session.reasons.at("not_json") == 1);
}

TEST_CASE("a failed log leaves messages unacknowledged for ever", "[link]") {
  Bench b;
  PacketSocket client = b.broker.AcceptSubscribed();
  b.engine.log().Hold();
  client.Send(Bench::Inform("dev-a", 7));
  b.engine.log().AwaitHeld();
  b.engine.log().Release(MemoryLog::Fate::kFailedAndLost);
  CHECK_FALSE(client.Receive());  // Closed, and nothing before.
  CHECK_FALSE(b.link->Stats().connected);
}

TEST_CASE("when the engine takes too long the connection is closed, so that the broker sends again",
          "[link]") {
  Bench b;
  PacketSocket client = b.broker.AcceptSubscribed();
  b.engine.log().Hold();
  client.Send(Bench::Inform("dev-a", 7));
  b.engine.log().AwaitHeld();
  b.clock.Turn(std::chrono::seconds(31));  // Half the keepalive is 30.
  CHECK_FALSE(client.Receive());
  CHECK(b.link->Stats().stalls == 1);
  b.engine.log().Release();
  // Only now is there a new one.
  PacketSocket again = b.broker.AcceptSubscribed();
  again.Send(Bench::Inform("dev-a", 7));
  CHECK(again.Await(MqttKind::kPuback).body == std::string("\0\7", 2));
}

TEST_CASE("a full inbox holds the broker back, and nothing is lost", "[link]") {
  EngineOptions options;
  options.inbox_max = 1;
  Bench b(std::move(options));
  PacketSocket client = b.broker.AcceptSubscribed();
  Await([&] { return b.link->Stats().connected; });
  b.engine.log().Hold();
  constexpr uint16_t kReports = 300;
  for (uint16_t i = 1; i <= kReports; ++i) {
    client.Send(Bench::Inform(std::string("dev-") + "abc"[i % 3], i, std::to_string(i % 7)));
  }
  b.engine.log().AwaitHeld();
  CHECK(b.link->Stats().session.answered == 0);
  b.engine.log().Release();
  for (uint16_t i = 1; i <= kReports; ++i) {
    std::string id = {static_cast<char>(i >> 8), static_cast<char>(i)};
    CHECK(client.Await(MqttKind::kPuback).body == id);
  }
  CHECK(b.link->Stats().session.answered == kReports);
}

TEST_CASE("a broker that closes is dialed again", "[link]") {
  Bench b;
  { PacketSocket client = b.broker.AcceptSubscribed(); }
  PacketSocket again = b.broker.AcceptSubscribed();
  Await([&] { return b.link->Stats().connected; });
  CHECK(b.link->Stats().connections == 2);
}

TEST_CASE("a broker that refuses says so in the figures", "[link]") {
  Bench b;
  {
    PacketSocket client = b.broker.Accept();
    client.Send(std::string("\x20\x02\x00\x05", 4));
    CHECK_FALSE(client.Receive());
  }
  LinkStats stats = b.link->Stats();
  CHECK_FALSE(stats.connected);
  CHECK(stats.connections == 0);
  CHECK(stats.last_error.find("refused the engine") != std::string::npos);
}

TEST_CASE("a broker that refuses the subscription is no connection", "[link]") {
  Bench b;
  PacketSocket client = b.broker.Accept();
  client.Send(std::string("\x20\x02\x00\x00", 4));
  auto subscribe = client.Await(static_cast<MqttKind>(8));
  client.Send("\x90\x06" + subscribe.body.substr(0, 2) + "\x80\1\1\1");
  CHECK_FALSE(client.Receive());
  CHECK(b.link->Stats().connections == 0);
}

TEST_CASE("a broker that does not answer is given up and dialed again", "[link]") {
  Bench b;
  {
    PacketSocket silent = b.broker.Accept();
    b.clock.Turn(std::chrono::seconds(11));
    CHECK_FALSE(silent.Receive());
  }
  b.broker.AcceptSubscribed();
}

TEST_CASE("bytes that are no MQTT end the connection and no more", "[link]") {
  Bench b;
  {
    PacketSocket client = b.broker.AcceptSubscribed();
    client.Send(std::string("\xF0\xFF\xFF\xFF\xFF\xFF", 6));
    CHECK_FALSE(client.Receive());
  }
  b.broker.AcceptSubscribed();
}

TEST_CASE("a push that the broker did not acknowledge is sent again on the next connection",
          "[link]") {
  Bench b;
  std::string body;
  {
    PacketSocket client = b.broker.AcceptSubscribed();
    client.Send(Bench::Inform("dev-a", 1));
    client.Await(MqttKind::kPuback);
    b.engine.StartBatch({"dev-a"});
    body = client.Await(MqttKind::kPublish).body;
    CHECK(body.find("/ota/device/upgrade/a1pk/dev-a") == 2);
  }
  PacketSocket again = b.broker.Accept();
  again.Send(std::string("\x20\x02\x00\x00", 4));
  PacketSocket::Packet packet = again.Await(MqttKind::kPublish);
  CHECK(packet.body == body);
  CHECK((packet.flags & 8) != 0);  // DUP.
  CHECK(b.engine.PushesAcknowledged() == 0);
  auto message = ParsePublish({packet.kind, packet.flags, packet.body});
  REQUIRE(message);
  again.Send(PubackPacket(message->packet_id));
  Await([&] { return b.engine.PushesAcknowledged() == 1; });
}

}  // namespace
}  // namespace updraft
