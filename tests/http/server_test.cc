#include "adapters/http/server.h"

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/http/raw_client.h"

namespace updraft {
namespace {

using std::chrono::milliseconds;

constexpr size_t kBodyMax = 100'000;
constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

// Says what it was asked.
void Echo(HttpRequest request, HttpRespond respond) {
  respond(
      {200,
       {{"Content-Type", "text/plain"}},
       fmt::format("{} {} {} {}", request.method, request.path, request.raw_query, request.body)});
}

// A server whose "/" is answered by `handler`.
struct Served {
  explicit Served(HttpHandler handler = Echo, HttpServerOptions options = {}) : server(options) {
    server.Route("/", {"GET", "POST"}, AnswerCalls(std::move(handler), kBodyMax));
    server.RouteBelow("/below/", {"GET"}, AnswerCalls(Echo, kBodyMax));
    port = *server.Start();
  }
  HttpServer server;
  uint16_t port = 0;
};

std::string Post(std::string_view body, std::string_view more_headers = "") {
  return fmt::format("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n{}\r\n{}", body.size(),
                     more_headers, body);
}

}  // namespace

TEST_CASE("an answer's bytes are exactly these", "[http][server]") {
  Served served;
  CHECK(RawClient(served.port).Ask(kGet) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Type: text/plain\r\n\r\nGET /  ");
}

TEST_CASE("a body comes whole, by length or in chunks", "[http][server]") {
  Served served;
  RawClient client(served.port);
  CHECK(BodyOf(client.Ask(Post("hello"))) == "POST /  hello");
  CHECK(BodyOf(client.Ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) == "POST /  abcde");
  CHECK(BodyOf(client.Ask(Post(""))) == "POST /  ");
}

TEST_CASE("a body is taken up to its bound and not past it", "[http][server]") {
  Served served;
  std::string most(kBodyMax, 'x');
  CHECK(StatusOf(RawClient(served.port).Ask(Post(most))) == "HTTP/1.1 200 OK");
  CHECK(StatusOf(RawClient(served.port).Ask(Post(most + "x"))) == "HTTP/1.1 413 Payload Too Large");
  CHECK(StatusOf(RawClient(served.port)
                     .Ask(fmt::format("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                      "{:x}\r\n{}x\r\n0\r\n\r\n",
                                      kBodyMax + 1, most))) == "HTTP/1.1 413 Payload Too Large");
}

TEST_CASE("a connection is kept after bodies of every size around a read's step",
          "[http][server]") {
  Served served;
  RawClient client(served.port);
  for (size_t size : {1, 16383, 16384, 16385, 32768, 65536}) {
    CAPTURE(size);
    std::string body(size, 'b');
    CHECK(BodyOf(client.Ask(Post(body))) == "POST /  " + body);
  }
}

TEST_CASE("a long query arrives whole", "[http][server]") {
  Served served;
  std::string query(40'000, 'q');
  CHECK(BodyOf(RawClient(served.port).Ask("GET /?" + query + " HTTP/1.1\r\n\r\n")) ==
        "GET / " + query + " ");
}

TEST_CASE("pipelined requests are answered in order", "[http][server]") {
  Served served;
  RawClient client(served.port);
  client.Send(
      "GET /?1 HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n2"
      "GET /?3 HTTP/1.1\r\n\r\n");
  CHECK(BodyOf(client.ReadAnswer()) == "GET / 1 ");
  CHECK(BodyOf(client.ReadAnswer()) == "POST /  2");
  CHECK(BodyOf(client.ReadAnswer()) == "GET / 3 ");
}

TEST_CASE("a client that asks for it is closed, and what it sent behind is not answered",
          "[http][server]") {
  Served served;
  RawClient client(served.port);
  client.Send("GET /?1 HTTP/1.1\r\nConnection: Close\r\n\r\nGET /?2 HTTP/1.1\r\n\r\n");
  CHECK(client.ReadToClose() ==
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n"
        "Content-Type: text/plain\r\n\r\nGET / 1 ");
}

TEST_CASE("paths and methods find their route or a clear error", "[http][server]") {
  Served served;
  RawClient client(served.port);
  CHECK(BodyOf(client.Ask("GET /below/x HTTP/1.1\r\n\r\n")) == "GET /below/x  ");
  CHECK(client.Ask("GET /nowhere HTTP/1.1\r\n\r\n") ==
        "HTTP/1.1 404 Not Found\r\nContent-Length: 55\r\nContent-Type: application/json\r\n\r\n"
        R"({"Code":"NotFound","Message":"Nothing is served here."})");
  std::string refused = client.Ask("DELETE /below/x HTTP/1.1\r\n\r\n");
  CHECK(StatusOf(refused) == "HTTP/1.1 405 Method Not Allowed");
  CHECK(refused.find("\r\nAllow: GET, HEAD\r\n") != refused.npos);
}

TEST_CASE("HEAD gets the head of GET and no body", "[http][server]") {
  Served served;
  RawClient client(served.port);
  client.Send("HEAD / HTTP/1.1\r\n\r\nGET /?next HTTP/1.1\r\n\r\n");
  CHECK(client.ReadHead() ==
        "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nContent-Type: text/plain\r\n\r\n");
  CHECK(BodyOf(client.ReadAnswer()) == "GET / next ");
}

TEST_CASE("requests that break the protocol are refused and closed", "[http][server]") {
  struct Case {
    std::string request, status;
  };
  Served served;
  const std::string smuggled = "GET /?smuggled HTTP/1.1\r\n\r\n";
  for (const Case& c : std::vector<Case>{
           {"\r\n\r\n\r\n", "501 Not Implemented"},
           {"nonsense\r\n\r\n", "501 Not Implemented"},
           {"FETCH / HTTP/1.1\r\n\r\n", "501 Not Implemented"},
           {"GET /\r\nHost: h\r\n\r\n", "400 Bad Request"},
           {"GET  HTTP/1.1\r\n\r\n", "400 Bad Request"},
           {"GET * HTTP/1.1\r\n\r\n", "400 Bad Request"},
           {"GET /\x01 HTTP/1.1\r\n\r\n", "400 Bad Request"},
           {"GET / HTTP/1.1\r\nno colon\r\n\r\n", "400 Bad Request"},
           {"GET / HTTP/1.1\r\n: no name\r\n\r\n", "400 Bad Request"},
           {"GET / HTTP/1.1\r\nA: b" + std::string(1, '\0') + "\r\n\r\n", "400 Bad Request"},
           {"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400 Bad Request"},
           {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400 Bad Request"},
           {"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc" + smuggled,
            "400 Bad Request"},
           {"POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            "0\r\n\r\n" +
                smuggled,
            "400 Bad Request"},
           {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n" + smuggled, "400 Bad Request"},
           {"GET /" + std::string(kUrlBytesMax, 'a') + " HTTP/1.1\r\n\r\n", "414 URI Too Long"},
           {"GET / HTTP/1.1\r\nA: " + std::string(kHeaderBytesMax, 'a') + "\r\n\r\n",
            "431 Request Header Fields Too Large"},
           {"GET /" + std::string(300'000, 'a'), "431 Request Header Fields Too Large"},
       }) {
    CAPTURE(c.request.substr(0, 80));
    RawClient client(served.port);
    client.Send(c.request);
    std::string answer = client.ReadToClose();
    CHECK(StatusOf(answer) == "HTTP/1.1 " + c.status);
    CHECK(answer.find("Connection: close\r\n") != answer.npos);
    CHECK(answer.find("smuggled") == answer.npos);
  }
}

TEST_CASE("a body in malformed chunks is refused and closed", "[http][server]") {
  Served served;
  for (std::string_view chunks :
       {"x\r\n", "-1\r\n", "3;extension\r\nabc\r\n0\r\n\r\n", "3\r\nabcxyz\r\n"}) {
    CAPTURE(chunks);
    RawClient client(served.port);
    client.Send(fmt::format("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunks));
    CHECK(StatusOf(client.ReadToClose()) == "HTTP/1.1 400 Bad Request");
  }
}

TEST_CASE("a body that breaks off is nobody's answer", "[http][server]") {
  std::atomic<bool> called = false;
  Served served([&](HttpRequest, HttpRespond) { called = true; });
  RawClient client(served.port);
  client.Send("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
  client.ShutdownWrite();
  CHECK(client.ReadToClose() == "");
  CHECK_FALSE(called);
}

TEST_CASE("a body is asked for only when it is wanted", "[http][server]") {
  Served served;
  RawClient client(served.port);
  client.Send("POST / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.ReadHead() == "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("abc");
  CHECK(BodyOf(client.ReadAnswer()) == "POST /  abc");

  RawClient refused(served.port);
  refused.Send(fmt::format("POST / HTTP/1.1\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
                           kBodyMax + 1));
  CHECK(StatusOf(refused.ReadToClose()) == "HTTP/1.1 413 Payload Too Large");
}

TEST_CASE("a client that sends its head too slowly is closed without an answer", "[http][server]") {
  Served served(Echo, {.head_timeout = milliseconds(50)});
  RawClient client(served.port);
  client.Send("GET / HT");
  CHECK(client.ReadToClose() == "");
}

TEST_CASE("a client that sends its body too slowly is told so and closed", "[http][server]") {
  Served served(Echo, {.body_timeout = milliseconds(50)});
  RawClient client(served.port);
  client.Send("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na");
  CHECK(StatusOf(client.ReadToClose()) == "HTTP/1.1 408 Request Timeout");
}

TEST_CASE("bodies that are held back fill no memory past the server's bound", "[http][server]") {
  constexpr size_t kHalf = 40'000;
  Served served(Echo, {.bodies_bytes_max = 2 * kHalf});
  const std::string whole = Post(std::string(50'000, 'x'));
  std::vector<RawClient> slow;
  for (int i = 0; i < 2; ++i) {
    slow.emplace_back(served.port);
    slow.back().Send(whole.substr(0, kHalf));
  }
  auto ask_until = [&](std::string_view status) {
    // What was sent, or who left, is not known to the server at once.
    while (StatusOf(RawClient(served.port).Ask(whole)) != status) {
    }
  };
  ask_until("HTTP/1.1 503 Service Unavailable");
  CHECK(StatusOf(RawClient(served.port).Ask(kGet)) == "HTTP/1.1 200 OK");
  CHECK(StatusOf(RawClient(served.port).Ask(Post("abc"))) == "HTTP/1.1 200 OK");
  slow.clear();
  ask_until("HTTP/1.1 200 OK");
}

TEST_CASE("a client that asks nothing more is closed", "[http][server]") {
  Served served(Echo, {.idle_timeout = milliseconds(50)});
  RawClient client(served.port);
  CHECK(StatusOf(client.Ask(kGet)) == "HTTP/1.1 200 OK");
  CHECK(client.ReadToClose() == "");
}

TEST_CASE("clients who hold their requests back do not hold up others", "[http][server]") {
  Served served;
  std::vector<RawClient> slow;
  for (int i = 0; i < 300; ++i) {
    slow.emplace_back(served.port);
    slow.back().Send(i % 2 == 0 ? "GET / HTTP/1.1\r\nA: " : "POST / HTTP/1.1\r\nContent-Length: 9");
  }
  CHECK(StatusOf(RawClient(served.port).Ask(kGet)) == "HTTP/1.1 200 OK");
  for (RawClient& client : slow) {
    CHECK(StatusOf(client.Ask("\r\n\r\n123456789")) == "HTTP/1.1 200 OK");
  }
}

TEST_CASE("connections are taken up to their bound, and again when one has gone",
          "[http][server]") {
  auto [total, of_address] = GENERATE(std::pair<size_t, size_t>{3, 100}, std::pair{100, 3});
  Served served(Echo, {.connections_max = total, .connections_per_address_max = of_address});
  RawClient first(served.port), second(served.port);
  CHECK(StatusOf(first.Ask(kGet)) == "HTTP/1.1 200 OK");
  CHECK(StatusOf(second.Ask(kGet)) == "HTTP/1.1 200 OK");
  {
    RawClient third(served.port);
    CHECK(StatusOf(third.Ask(kGet)) == "HTTP/1.1 200 OK");
    CHECK(StatusOf(RawClient(served.port).ReadToClose()) == "HTTP/1.1 503 Service Unavailable");
    third.Send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    third.ReadToClose();
  }
  CHECK(StatusOf(RawClient(served.port).Ask(kGet)) == "HTTP/1.1 200 OK");
}

TEST_CASE("a server counts what it does", "[http][server]") {
  Served served(Echo, {.connections_max = 1});
  RawClient client(served.port);
  client.Ask(kGet);
  client.Ask("GET /none HTTP/1.1\r\n\r\n");
  RawClient(served.port).ReadToClose();
  const HttpStats& stats = served.server.stats();
  CHECK(stats.connections_open == 1);
  CHECK(stats.connections_refused == 1);
  CHECK(stats.answers[2] == 1);
  CHECK(stats.answers[4] == 1);
}

TEST_CASE("a request is answered from another thread, by the first answer", "[http][server]") {
  std::promise<HttpRespond> asked;
  Served served([&](HttpRequest, HttpRespond respond) { asked.set_value(std::move(respond)); });
  RawClient client(served.port);
  client.Send(kGet);
  std::thread([respond = asked.get_future().get()] {
    respond({200, {}, "first"});
    respond({200, {}, "second"});
  }).join();
  CHECK(BodyOf(client.ReadAnswer()) == "first");
}

TEST_CASE("a request that is dropped or fails is answered 500", "[http][server]") {
  auto drop = [](HttpRequest, HttpRespond) {};
  auto fail = [](HttpRequest, HttpRespond) { throw std::runtime_error("a bug"); };
  auto split = [](HttpRequest, HttpRespond respond) { respond({200, {{"A", "b\r\nC: d"}}, ""}); };
  for (const HttpHandler& handler : {HttpHandler(drop), HttpHandler(fail), HttpHandler(split)}) {
    Served served(handler);
    std::string answer = RawClient(served.port).Ask(kGet);
    CHECK(StatusOf(answer) == "HTTP/1.1 500 Internal Server Error");
    CHECK(answer.find("a bug") == answer.npos);
  }
}

TEST_CASE("an answer to a client that has left, or after the server's end, does nothing",
          "[http][server]") {
  std::mutex mutex;
  std::vector<HttpRespond> asked;
  std::promise<void> both_asked;
  Served served(
      [&](HttpRequest, HttpRespond respond) {
        std::lock_guard lock(mutex);
        asked.push_back(std::move(respond));
        if (asked.size() == 2) both_asked.set_value();
      },
      {.drain_timeout = milliseconds(50)});
  RawClient stays(served.port);
  stays.Send(kGet);
  RawClient(served.port).Send(kGet);
  both_asked.get_future().get();
  asked[0]({});
  asked[1]({});
  served.server.Stop();
  asked[0]({});
  asked[1]({});
}

TEST_CASE("a stop waits for the request at hand and says that the connection ends",
          "[http][server]") {
  std::promise<HttpRespond> asked;
  Served served([&](HttpRequest, HttpRespond respond) { asked.set_value(std::move(respond)); });
  RawClient busy(served.port), idle(served.port);
  busy.Send(kGet);
  HttpRespond respond = asked.get_future().get();
  std::thread stop([&] { served.server.Stop(); });
  CHECK(idle.ReadToClose() == "");  // Draining has begun.
  respond({200, {}, "done"});
  CHECK(busy.ReadToClose() ==
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone");
  stop.join();
  CHECK_THROWS(RawClient(served.port));
}

TEST_CASE("a stop cuts off a request that is never answered", "[http][server]") {
  std::promise<HttpRespond> asked;
  Served served([&](HttpRequest, HttpRespond respond) { asked.set_value(std::move(respond)); },
                {.drain_timeout = milliseconds(50)});
  RawClient client(served.port);
  client.Send(kGet);
  HttpRespond respond = asked.get_future().get();
  served.server.Stop();
  CHECK(client.ReadToClose() == "");
}

TEST_CASE("an address that is taken is refused with its name, and the server can start again",
          "[http][server]") {
  Served first;
  HttpServer second({.port = first.port});
  Result<uint16_t> port = second.Start();
  REQUIRE_FALSE(port.ok());
  CHECK(port.status().code() == StatusCode::kUnavailable);
  CHECK(port.status().message().find(fmt::format("127.0.0.1:{}", first.port)) != std::string::npos);
  first.server.Stop();
  CHECK(*second.Start() == first.port);
}

}  // namespace updraft
