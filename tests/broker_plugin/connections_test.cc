#include "adapters/broker_plugin/connections.h"

#include <vector>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

// Names of clients: only their being different matters.
constexpr char kClients[8] = {};

Connection& Open(Connections& connections, int client, const std::string& device) {
  return connections.Open(&kClients[client], MakeCredentialKey("pk", device), "pk", device,
                          "10.0.0.1");
}

std::vector<std::string> Visit(const Connections& connections, uint64_t& after, size_t count,
                               bool& done) {
  std::vector<std::string> names;
  std::optional<uint64_t> next =
      connections.VisitLive(after, connections.newest_generation(), count,
                            [&](const Connection& c) { names.push_back(c.device_name); });
  done = !next;
  if (next) after = *next;
  return names;
}

}  // namespace

TEST_CASE("a connection is found by its client and by its device", "[connections]") {
  Connections connections;
  Connection& connection = Open(connections, 0, "a");
  CHECK(connections.Find(&kClients[0]) == &connection);
  CHECK(connections.Find(&kClients[1]) == nullptr);
  CHECK(connections.FindLive(MakeCredentialKey("pk", "a")) == &connection);
  CHECK(connections.FindLive(MakeCredentialKey("pk", "b")) == nullptr);
  CHECK(connections.live() == 1);
}

TEST_CASE("generations count up over all devices", "[connections]") {
  Connections connections;
  CHECK(Open(connections, 0, "a").generation == 1);
  CHECK(Open(connections, 1, "b").generation == 2);
  connections.Close(&kClients[0]);
  CHECK(Open(connections, 0, "a").generation == 3);
}

TEST_CASE("a newer connection supersedes the device's older one", "[connections]") {
  Connections connections;
  Open(connections, 0, "a");
  Connection& newer = Open(connections, 1, "a");
  CHECK_FALSE(connections.Find(&kClients[0])->live);
  CHECK(connections.FindLive(newer.key) == &newer);
  CHECK(connections.live() == 1);

  std::optional<Connection> closed = connections.Close(&kClients[0]);
  REQUIRE(closed);
  CHECK_FALSE(closed->live);
  CHECK(connections.FindLive(newer.key) == &newer);
}

TEST_CASE("a connection is closed once", "[connections]") {
  Connections connections;
  Open(connections, 0, "a");
  std::optional<Connection> closed = connections.Close(&kClients[0]);
  REQUIRE(closed);
  CHECK(closed->live);
  CHECK(closed->device_name == "a");
  CHECK_FALSE(connections.Close(&kClients[0]));
  CHECK(connections.live() == 0);
}

TEST_CASE("a walk visits each live connection once, the oldest first", "[connections]") {
  Connections connections;
  for (int i = 0; i < 5; ++i) Open(connections, i, std::string(1, static_cast<char>('a' + i)));
  Open(connections, 5, "b");
  uint64_t after = 0;
  bool done = false;
  CHECK(Visit(connections, after, 2, done) == std::vector<std::string>{"a", "c"});
  CHECK_FALSE(done);
  connections.Close(&kClients[3]);
  CHECK(Visit(connections, after, 9, done) == std::vector<std::string>{"e", "b"});
  CHECK(done);
}

TEST_CASE("a walk ends with the last generation it was to reach", "[connections]") {
  Connections connections;
  Open(connections, 0, "a");
  Open(connections, 1, "b");
  std::vector<std::string> names;
  CHECK_FALSE(
      connections.VisitLive(0, 1, 9, [&](const Connection& c) { names.push_back(c.device_name); }));
  CHECK(names == std::vector<std::string>{"a"});
}

TEST_CASE("a walk over nobody is done", "[connections]") {
  Connections connections;
  CHECK_FALSE(connections.VisitLive(0, 0, 9, [](const Connection&) { FAIL(); }));
}

}  // namespace updraft
