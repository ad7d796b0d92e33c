// One request being answered: what a handler reads the body from and writes the answer to. Lives on
// the server's thread, from the request's head to the end of the handler's promise, or until the
// client has gone, which drops that promise.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <kj/compat/http.h>

#include "adapters/http/request_head.h"
#include "adapters/http/worker_pool.h"
#include "adapters/wire/http_message.h"

namespace updraft {

// What an exchange needs of the connection it came on.
class ExchangeLine {
 public:
  // Tells the client that the body is wanted ("HTTP/1.1 100 Continue").
  virtual kj::Promise<void> SendContinue() = 0;
  // The connection ends after this answer.
  virtual void CloseAfterAnswer() = 0;
  // The body is not what its head says, which is the client's fault and not the handler's.
  virtual void NoteMalformedBody() = 0;
  // Counts `bytes` of a body against what the server holds of all bodies; false, and the request
  // gets no room, when that is too much. What was taken is given back.
  virtual bool TakeRoom(size_t bytes) = 0;
  virtual void GiveRoom(size_t bytes) = 0;
  // Begins an answer of `size` bytes, or of unknown size. `head.body` is not sent.
  virtual kj::Own<kj::AsyncOutputStream> SendHead(kj::HttpService::Response& response,
                                                  const HttpResponse& head,
                                                  std::optional<uint64_t> size) = 0;
  virtual Loop& loop() = 0;
  virtual kj::Duration body_timeout() = 0;
  // Done when the server is about to stop.
  virtual kj::Promise<void> WhenDraining() = 0;

 protected:
  ~ExchangeLine() = default;
};

class Exchange {
 public:
  // The arguments outlive the exchange. What it held of the body is let go at its end.
  Exchange(ExchangeLine& line, HttpRequest request, Framing framing, kj::AsyncInputStream& body,
           kj::HttpService::Response& response);
  ~Exchange() { line_.GiveRoom(room_taken_); }

  // The head; its body is empty. May be moved from.
  HttpRequest& request() { return request_; }
  // The body's size when the client said it; nothing for a chunked body.
  std::optional<uint64_t> body_size() const;
  Loop& loop() { return line_.loop(); }
  kj::Promise<void> WhenDraining() { return line_.WhenDraining(); }

  // Reads the body on into `buffer`: at least 16 KiB of it, all of `buffer`, or what is left; 0 at
  // the end. Rejected when the client takes longer than the server's body_timeout for that (the
  // server answers 408), when its chunks are malformed (400), and when it leaves.
  kj::Promise<size_t> ReadBody(kj::ArrayPtr<kj::byte> buffer);

  // The whole body; nothing when it has more than `bytes_max`. A body whose stated size is more is
  // not read at all, and not asked for. Rejected when the server holds too much of other bodies (it
  // answers 503).
  kj::Promise<std::optional<std::string>> ReadWholeBody(size_t bytes_max);

  // Answers with all there is. Once, and not after Begin().
  kj::Promise<void> Respond(HttpResponse response);

  // Begins an answer of `size` bytes, or of unknown size (chunked). `head.body` is not sent. A HEAD
  // request gets the head, and what is written is dropped. An answer begun before the body has
  // been read to its end ends the connection.
  kj::Own<kj::AsyncOutputStream> Begin(const HttpResponse& head, std::optional<uint64_t> size);

 private:
  kj::Promise<std::optional<std::string>> ReadOn(std::string so_far, size_t bytes_max);

  ExchangeLine& line_;
  HttpRequest request_;
  const Framing framing_;
  kj::AsyncInputStream& body_;
  kj::HttpService::Response& response_;
  bool continue_awaited_;
  uint64_t body_left_;  // Of a body of stated size.
  bool body_ended_;
  size_t room_taken_ = 0;
};

// Answers one exchange. The exchange lives until the promise is done or dropped.
using ExchangeHandler = std::function<kj::Promise<void>(Exchange&)>;

}  // namespace updraft
