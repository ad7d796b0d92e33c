// One client's connection: its requests, one after the other, through kj-http to the handlers.
// Belongs to the server's thread.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <string>

#include <kj/async-io.h>
#include <kj/compat/http.h>

#include "adapters/http/exchange.h"
#include "adapters/http/routes.h"

namespace updraft {

// What a server has done so far. Any thread may read it.
struct HttpStats {
  std::atomic<uint64_t> connections_open = 0;
  std::atomic<uint64_t> connections_refused = 0;  // Over a bound of the server.
  // By the first digit of their status: [2] counts 200, 204 and 206.
  std::array<std::atomic<uint64_t>, 6> answers = {};
  // By status, from 400 on: [31] counts 431.
  std::array<std::atomic<uint64_t>, 200> refusals = {};

  void Count(int status) {
    ++answers.at(status / 100);
    if (status >= 400) ++refusals.at(status - 400);
  }
};

// What all connections of a server share; outlives them.
struct ConnectionContext {
  Loop& loop;
  const Routes& routes;
  const kj::HttpHeaderTable& header_table;
  kj::Duration head_timeout;
  kj::Duration idle_timeout;
  kj::Duration body_timeout;
  HttpStats& stats;
  size_t bodies_bytes_max;
  std::function<kj::Promise<void>()> when_draining;
  size_t bodies_bytes = 0;  // Held now, of all.
};

class Connection final : private kj::HttpService,
                         private kj::HttpServerCallbacks,
                         private kj::HttpServerErrorHandler,
                         private ExchangeLine {
 public:
  Connection(ConnectionContext& context, kj::Own<kj::AsyncIoStream> stream, std::string peer);

  // Answers requests until the client leaves, breaks a rule or is told to go. Once.
  kj::Promise<void> Serve();

  // Ends the connection once the request at hand, if there is one, is answered. Once.
  void Drain();

 private:
  // kj::HttpService
  kj::Promise<void> request(kj::HttpMethod method, kj::StringPtr url,
                            const kj::HttpHeaders& headers, kj::AsyncInputStream& body,
                            Response& response) override;
  // kj::HttpServerCallbacks
  bool shouldClose() override { return closing_; }
  // kj::HttpServerErrorHandler
  kj::Promise<void> handleClientProtocolError(kj::HttpHeaders::ProtocolError error,
                                              Response& response) override;
  kj::Promise<void> handleApplicationError(kj::Exception exception,
                                           kj::Maybe<Response&> response) override;
  kj::Promise<void> handleNoResponse(Response& response) override;

  // ExchangeLine
  kj::Own<kj::AsyncOutputStream> SendHead(Response& response, const HttpResponse& head,
                                          std::optional<uint64_t> size) override;
  kj::Promise<void> SendContinue() override;
  void CloseAfterAnswer() override { closing_ = lingering_ = true; }
  void NoteMalformedBody() override { body_malformed_ = true; }
  bool TakeRoom(size_t bytes) override;
  void GiveRoom(size_t bytes) override { context_.bodies_bytes -= bytes; }
  Loop& loop() override { return context_.loop; }
  kj::Duration body_timeout() override { return context_.body_timeout; }
  kj::Promise<void> WhenDraining() override { return context_.when_draining(); }

  kj::HttpServerSettings Settings();
  kj::Promise<void> Dispatch(HttpRequest request, kj::StringPtr url, kj::AsyncInputStream& body,
                             Response& response);
  // What to answer when a handler has failed.
  HttpResponse AnswerTo(const kj::Exception& exception) const;
  kj::Promise<void> SendError(const HttpResponse& error, Response& response);
  // Lets the client finish sending, so that it reads its answer before the connection breaks.
  kj::Promise<void> Linger();

  ConnectionContext& context_;
  const std::string peer_;
  bool closing_ = false;    // The next answer says "Connection: close" and is the last.
  bool lingering_ = false;  // The client may still be sending when the last answer is out.
  bool body_malformed_ = false;
  bool no_room_ = false;
  bool in_handler_ = false;  // Between a request's head and the end of its handler.
  kj::Own<kj::AsyncIoStream> stream_;
  kj::HttpServer server_;  // Of this connection alone, so that it can be ended alone.
};

}  // namespace updraft
