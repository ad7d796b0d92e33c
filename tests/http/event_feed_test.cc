#include "adapters/http/event_feed.h"

#include <atomic>
#include <future>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "adapters/http/server.h"
#include "tests/http/raw_client.h"

namespace updraft {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /events?from=3 HTTP/1.1\r\nLast-Event-ID: 41\r\n\r\n";
constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n"
    "Cache-Control: no-cache\r\n\r\n";

// A server whose feeds are handed to the test.
struct Served {
  explicit Served(milliseconds quiet = std::chrono::minutes(1)) : server(HttpServerOptions{}) {
    server.Route("/events", {"GET"},
                 ServeFeeds(
                     [this](HttpRequest request, std::unique_ptr<EventFeed> feed) {
                       asked.set_value({std::move(request), std::move(feed)});
                     },
                     quiet));
    port = *server.Start();
  }

  using Asked = std::pair<HttpRequest, std::unique_ptr<EventFeed>>;
  Asked Next() {
    Asked next = asked.get_future().get();
    asked = {};
    return next;
  }

  std::promise<Asked> asked;
  HttpServer server;
  uint16_t port = 0;
};

// The text that chunks make up.
std::string Unchunk(std::string_view body) {
  std::string text;
  while (!body.empty()) {
    size_t size = std::stoul(std::string(body.substr(0, body.find("\r\n"))), nullptr, 16);
    body.remove_prefix(body.find("\r\n") + 2);
    text += body.substr(0, size);
    body.remove_prefix(std::min(size + 2, body.size()));
  }
  return text;
}

}  // namespace

TEST_CASE("an event's text is these lines", "[http][feed]") {
  CHECK(FormatEvent({7, "", "x"}) == "id: 7\ndata: x\n\n");
  CHECK(FormatEvent({7, "batch", ""}) == "id: 7\nevent: batch\ndata: \n\n");
  CHECK(FormatEvent({7, "", "a\nb\r\nc\rd\n"}) ==
        "id: 7\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
}

TEST_CASE("a reader gets its head at once and events as they come", "[http][feed]") {
  Served served;
  RawClient client(served.port);
  client.Send(kGet);
  auto [request, feed] = served.Next();
  CHECK(request.Header("last-event-id") == "41");
  CHECK(request.raw_query == "from=3");

  feed->Open(41);
  CHECK(client.ReadHead() == kHead);
  CHECK(client.ReadUntil("\n\n\r\n") == "3\r\n:\n\n\r\n");
  std::thread([&] { CHECK(feed->Push({42, "batch", "{}"})); }).join();
  CHECK(client.ReadUntil("\n\n\r\n") == "1e\r\nid: 42\nevent: batch\ndata: {}\n\n\r\n");
  CHECK(feed->Push({43, "", "x"}));
  CHECK(feed->Push({44, "", "y"}));
  feed = nullptr;
  CHECK(client.ReadUntil("44\ndata: y\n\n\r\n").find("id: 43\ndata: x\n\n") != std::string::npos);
  CHECK(client.ReadUntil("\r\n\r\n") == "0\r\n\r\n");
  // The connection is kept.
  CHECK(StatusOf(client.Ask("GET /none HTTP/1.1\r\n\r\n")) == "HTTP/1.1 404 Not Found");
}

TEST_CASE("a feed may be refused, later and by another thread", "[http][feed]") {
  Served served;
  RawClient client(served.port);
  client.Send(kGet);
  auto [request, feed] = served.Next();
  std::thread([&] { feed->Refuse({403, {}, "no"}); }).join();
  CHECK(client.ReadAnswer() == "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  CHECK_FALSE(feed->Push({1, "", ""}));
}

TEST_CASE("a feed that is let go unopened is an error", "[http][feed]") {
  Served served;
  RawClient client(served.port);
  client.Send(kGet);
  served.Next();
  CHECK(StatusOf(client.ReadAnswer()) == "HTTP/1.1 500 Internal Server Error");
}

TEST_CASE("a slow reader is dropped, and told where it stood", "[http][feed]") {
  Served served;
  RawClient client(served.port, /*receive_buffer_bytes=*/4096);
  client.Send(kGet);
  auto [request, feed] = served.Next();
  feed->Open(41);
  uint64_t pushed = 41;
  while (feed->Push({pushed + 1, "", std::string(1000, 'x')})) ++pushed;
  CHECK_FALSE(feed->Push({pushed + 2, "", ""}));

  std::string text = Unchunk(BodyOf(client.ReadUntil("\r\n0\r\n\r\n")));
  uint64_t got = 41;
  size_t at = 3;  // Behind the comment.
  for (;; ++got) {
    std::string next = FormatEvent({got + 1, "", std::string(1000, 'x')});
    if (text.compare(at, next.size(), next) != 0) break;
    at += next.size();
  }
  // All events up to one without a gap, then that one's number.
  CHECK(text.substr(at) == fmt::format("id: {0}\nevent: dropped\ndata: {0}\n\n", got));
  CHECK(got < pushed);
}

TEST_CASE("an event is queued up to the bound and not past it", "[http][feed]") {
  const std::string frame = FormatEvent({42, "", ""});
  for (size_t over : {0, 1}) {
    CAPTURE(over);
    Served served;
    RawClient client(served.port);
    client.Send(kGet);
    auto [request, feed] = served.Next();
    feed->Open(41);
    std::string data(EventFeed::kQueueBytesMax - frame.size() + over, 'x');
    CHECK(feed->Push({42, "", data}) == (over == 0));
  }
}

TEST_CASE("a producer that waits for room never loses its reader", "[http][feed]") {
  Served served;
  RawClient client(served.port, /*receive_buffer_bytes=*/4096);
  client.Send(kGet);
  auto [request, feed] = served.Next();
  feed->Open(41);
  std::atomic<int> rooms = 0;
  feed->NotifyRoom([&] { ++rooms; });
  const uint64_t last = 41 + 3 * EventFeed::kQueueBytesMax / 1000;
  std::thread producer([&, feed = feed.get()] {
    for (uint64_t id = 42; id <= last; ++id) {
      while (!feed->HasRoom()) std::this_thread::yield();
      if (!feed->Push({id, "", std::string(1000, 'x')})) return;
    }
  });
  std::string text = client.ReadUntil(fmt::format("id: {}\n", last));
  producer.join();
  CHECK(text.find("dropped") == text.npos);
  CHECK(rooms > 0);
  feed->NotifyRoom(nullptr);
}

TEST_CASE("a reader may be dropped by the producer", "[http][feed]") {
  Served served;
  RawClient client(served.port);
  client.Send(kGet);
  auto [request, feed] = served.Next();
  feed->Open(41);
  client.ReadUntil("\n\n\r\n");
  feed->Drop();
  CHECK_FALSE(feed->Push({42, "", ""}));
  std::string rest = client.ReadUntil("\r\n0\r\n\r\n");
  CHECK(rest.find("id: 41\nevent: dropped\ndata: 41\n") != rest.npos);
}

TEST_CASE("a reader that has left is noticed though there is nothing to send", "[http][feed]") {
  Served served(milliseconds(1));
  auto client = std::make_unique<RawClient>(served.port);
  client->Send(kGet);
  auto [request, feed] = served.Next();
  feed->Open(0);
  CHECK(client->ReadHead() == kHead);
  CHECK(client->ReadUntil("\n\n\r\n") == "3\r\n:\n\n\r\n");
  CHECK(client->ReadUntil("\n\n\r\n") == "3\r\n:\n\n\r\n");  // It is quiet.
  client = nullptr;
  while (served.server.stats().connections_open > 0) std::this_thread::yield();
  CHECK_FALSE(feed->Push({1, "", ""}));
}

TEST_CASE("no event is lost between comments", "[http][feed]") {
  Served served(milliseconds(1));
  RawClient client(served.port);
  client.Send(kGet);
  auto [request, feed] = served.Next();
  feed->Open(0);
  CHECK(client.ReadHead() == kHead);
  for (uint64_t id = 1; id <= 2000; ++id) {
    REQUIRE(feed->Push({id, "", ""}));
    // Each is awaited, so that the server waits for the next one or for its timer.
    REQUIRE(client.ReadUntil("data: \n\n").find(fmt::format("id: {}\n", id)) != std::string::npos);
  }
}

TEST_CASE("a stop ends feeds at once", "[http][feed]") {
  Served served;
  RawClient client(served.port);
  client.Send(kGet);
  auto [request, feed] = served.Next();
  feed->Open(0);
  CHECK(client.ReadHead() == kHead);
  served.server.Stop();
  CHECK(client.ReadToClose() == "3\r\n:\n\n\r\n0\r\n\r\n");
  CHECK_FALSE(feed->Push({1, "", ""}));
}

TEST_CASE("a feed may outlive its server", "[http][feed]") {
  std::unique_ptr<EventFeed> kept;
  {
    Served served;
    RawClient client(served.port);
    client.Send(kGet);
    kept = served.Next().second;
  }
  kept->Open(0);
  CHECK_FALSE(kept->Push({1, "", ""}));
}

}  // namespace updraft
