// The HTTP server: one thread with one event loop that serves all connections. What it serves is
// plugged in by routes; it knows nothing of packages, calls or engines.
//
//   HttpServer server({.address = "127.0.0.1", .port = 0});
//   server.Route("/", {"GET", "POST"}, AnswerCalls(handler, kBodyBytesMax));
//   Result<uint16_t> port = server.Start();
//
// What bounds a client: the head of a request by size and time, its body by the handler's bound and
// a least pace, its idleness between requests, its refusal to take what is sent, and the number of
// connections in all and from one address. kj-http does not see a request's HTTP version: every
// client is answered in HTTP/1.1 and may keep its connection unless it says "Connection: close".
// Nor does it know trailers and chunk extensions: a request with either is refused.
//
// Thread-safety: one thread at a time, but for stats(). What handlers are given says itself what
// other threads may do.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/http/connection.h"
#include "adapters/http/exchange.h"
#include "adapters/http/routes.h"
#include "events/base/status.h"

namespace updraft {

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // An IP address, "*" for all.
  uint16_t port = 0;                  // 0 takes a free one.

  // A connection past either is answered 503 and closed. Many devices may share one address, and
  // behind a proxy all clients do: the second bound is then to be raised to the first. A connection
  // takes a file descriptor, and a download another.
  size_t connections_max = 4096;
  size_t connections_per_address_max = 1024;

  std::chrono::milliseconds head_timeout{15'000};  // For a request's whole head.
  std::chrono::milliseconds idle_timeout{60'000};  // Between two requests.
  // For each 16 KiB of a body: the least pace of an upload is about 550 bytes a second.
  std::chrono::milliseconds body_timeout{30'000};
  // Of the bodies that are read whole before they are answered, all together: who sends them
  // slowly, over many connections, fills no memory. Past it a request is answered 503.
  size_t bodies_bytes_max = 128 << 20;
  // How long a client may take nothing of what is waiting for it, before the system gives it up.
  std::chrono::milliseconds stall_timeout{120'000};
  // How long Stop() waits for requests at hand before it cuts them off.
  std::chrono::milliseconds drain_timeout{10'000};
};

class HttpServer {
 public:
  explicit HttpServer(HttpServerOptions options);
  ~HttpServer();  // Stops.

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Answers `path` alone; RouteBelow() all paths that begin with `prefix`. The longest route wins,
  // an exact one before all. `methods`: "GET" brings "HEAD" with it. Before Start().
  void Route(std::string path, std::vector<std::string> methods, ExchangeHandler handler);
  void RouteBelow(std::string prefix, std::vector<std::string> methods, ExchangeHandler handler);

  // Listens, and gives the port. UNAVAILABLE when the address cannot be had; the server may then
  // be started again.
  Result<uint16_t> Start();

  // Takes no new connection or request, waits for those at hand and ends the thread. Streams of
  // events end at once. Nothing to do when the server does not run.
  void Stop();

  const HttpStats& stats() const { return stats_; }

 private:
  class Running;  // What exists between Start() and Stop().

  const HttpServerOptions options_;
  Routes routes_;
  HttpStats stats_;
  std::unique_ptr<Running> running_;
};

// Answers whole requests with whole responses: see HttpHandler. A body over `body_bytes_max` is
// refused with 413.
ExchangeHandler AnswerCalls(HttpHandler handler, size_t body_bytes_max);

}  // namespace updraft
