#include "adapters/http/connection.h"

#include <utility>

#include <kj/debug.h>

#include "events/base/log_line.h"

namespace updraft {
namespace {

constexpr kj::Duration kLinger = 2 * kj::SECONDS;

HttpRequest CopyHead(kj::HttpMethod method, const kj::HttpHeaders& headers,
                     const std::string& peer) {
  HttpRequest request;
  request.method = kj::str(method).cStr();
  request.peer = peer;
  headers.forEach([&](kj::StringPtr name, kj::StringPtr value) {
    request.headers.push_back({name.cStr(), value.cStr()});
  });
  return request;
}

kj::Promise<void> DiscardAll(kj::AsyncInputStream& input, kj::Array<kj::byte> buffer) {
  auto read = input.tryRead(buffer.begin(), 1, buffer.size());
  return read.then([&input, buffer = kj::mv(buffer)](size_t got) mutable -> kj::Promise<void> {
    if (got == 0) return kj::READY_NOW;
    return DiscardAll(input, kj::mv(buffer));
  });
}

}  // namespace

Connection::Connection(ConnectionContext& context, kj::Own<kj::AsyncIoStream> stream,
                       std::string peer)
    : context_(context),
      peer_(std::move(peer)),
      stream_(kj::mv(stream)),
      server_(context.loop.timer, context.header_table, static_cast<kj::HttpService&>(*this),
              Settings()) {}

kj::HttpServerSettings Connection::Settings() {
  kj::HttpServerSettings settings;
  settings.headerTimeout = context_.head_timeout;
  settings.pipelineTimeout = context_.idle_timeout;
  settings.errorHandler = static_cast<kj::HttpServerErrorHandler&>(*this);
  settings.callbacks = static_cast<kj::HttpServerCallbacks&>(*this);
  return settings;
}

kj::Promise<void> Connection::Serve() {
  return server_.listenHttpCleanDrain(*stream_).then([this](bool) -> kj::Promise<void> {
    if (!lingering_) return kj::READY_NOW;
    return Linger();
  });
}

void Connection::Drain() {
  closing_ = true;
  // Ends the wait for a next request. What it promises, that none is left, is asked of the server.
  auto drained = server_.drain();
}

kj::Promise<void> Connection::request(kj::HttpMethod method, kj::StringPtr url,
                                      const kj::HttpHeaders& headers, kj::AsyncInputStream& body,
                                      Response& response) {
  in_handler_ = true;
  HttpRequest request = CopyHead(method, headers, peer_);
  if (HasToken(request.Header("Connection"), "close")) closing_ = true;
  return Dispatch(std::move(request), url, body, response).then([this]() -> kj::Promise<void> {
    in_handler_ = false;
    if (!closing_) return kj::READY_NOW;
    // The answer is written, and what the client may have sent behind its request is not read.
    return KJ_EXCEPTION(DISCONNECTED, "last answer");
  });
}

kj::Promise<void> Connection::Dispatch(HttpRequest request, kj::StringPtr url,
                                       kj::AsyncInputStream& body, Response& response) {
  if (auto error = CheckHead({url.begin(), url.size()}, request.headers)) {
    CloseAfterAnswer();
    return SendError(*error, response);
  }
  Target target = *ParseTarget({url.begin(), url.size()});
  request.path = std::move(target.path);
  request.raw_query = std::move(target.raw_query);
  Framing framing = *ParseFraming(request.headers);
  Routes::Found found = context_.routes.Find(request.method, request.path);
  auto exchange = kj::heap<Exchange>(static_cast<ExchangeLine&>(*this), std::move(request), framing,
                                     body, response);
  kj::Promise<void> answered = nullptr;
  if (found.handler != nullptr) {
    answered = (*found.handler)(*exchange);
  } else if (found.allow.empty()) {
    answered = exchange->Respond(ErrorResponse(404, "NotFound", "Nothing is served here."));
  } else {
    HttpResponse error =
        ErrorResponse(405, "MethodNotAllowed", "This path takes " + found.allow + ".");
    error.headers.push_back({"Allow", found.allow});
    answered = exchange->Respond(std::move(error));
  }
  return answered.attach(kj::mv(exchange));
}

kj::Promise<void> Connection::handleClientProtocolError(kj::HttpHeaders::ProtocolError error,
                                                        Response& response) {
  lingering_ = true;
  return SendError(ErrorResponse(error.statusCode, "BadRequest", error.description.cStr()),
                   response);
}

kj::Promise<void> Connection::handleApplicationError(kj::Exception exception,
                                                     kj::Maybe<Response&> response) {
  if (exception.getType() == kj::Exception::Type::DISCONNECTED) return kj::READY_NOW;
  lingering_ = true;
  if (!in_handler_) {
    // kj-http threw on reading the head: at a body without a clear length, or, before it has an
    // answer to offer, at a head that does not fit its buffer of 128 KiB.
    KJ_IF_MAYBE (r, response) {
      return SendError(ErrorResponse(400, "BadRequest", "The request's head is not valid."), *r);
    }
    static constexpr kj::StringPtr kTooLarge =
        "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n"
        "Content-Length: 0\r\n\r\n"_kj;
    context_.stats.Count(431);
    return stream_->write(kTooLarge.begin(), kTooLarge.size());
  }
  HttpResponse answer = AnswerTo(exception);
  KJ_IF_MAYBE (r, response) {
    return SendError(answer, *r);
  }
  return kj::READY_NOW;
}

HttpResponse Connection::AnswerTo(const kj::Exception& exception) const {
  if (body_malformed_) {
    return ErrorResponse(400, "BadRequest", "The request's body is not chunked as it should be.");
  }
  if (no_room_) {
    return ErrorResponse(503, "ServiceUnavailable",
                         "The server holds as much of requests as it may; try again.");
  }
  if (exception.getType() == kj::Exception::Type::OVERLOADED) {  // A timer's.
    return ErrorResponse(408, "RequestTimeout", "The request's body took too long.");
  }
  LogError("request failed", {{"why", exception.getDescription().cStr()}});
  return ErrorResponse(500, "InternalError", "The request failed; see the log.");
}

kj::Promise<void> Connection::handleNoResponse(Response& response) {
  LogError("request had no answer");
  return SendError(ErrorResponse(500, "InternalError", "The request had no answer."), response);
}

bool Connection::TakeRoom(size_t bytes) {
  no_room_ = bytes > context_.bodies_bytes_max - context_.bodies_bytes;
  if (!no_room_) context_.bodies_bytes += bytes;
  return !no_room_;
}

kj::Promise<void> Connection::SendContinue() {
  static constexpr kj::StringPtr kContinue = "HTTP/1.1 100 Continue\r\n\r\n"_kj;
  return stream_->write(kContinue.begin(), kContinue.size());
}

kj::Own<kj::AsyncOutputStream> Connection::SendHead(Response& response, const HttpResponse& head,
                                                    std::optional<uint64_t> size) {
  kj::HttpHeaders headers(context_.header_table);
  for (const HttpHeader& header : head.headers) headers.add(header.name, header.value);
  kj::Maybe<uint64_t> length;
  if (size.has_value()) {
    length = *size;
    // For answers to HEAD, of which kj-http leaves out a length of 0. For others it is the same.
    headers.set(kj::HttpHeaderId::CONTENT_LENGTH, kj::str(*size));
  }
  auto output = response.send(head.status, StatusText(head.status), headers, length);
  context_.stats.Count(head.status);
  return output;
}

kj::Promise<void> Connection::SendError(const HttpResponse& error, Response& response) {
  auto stream = SendHead(response, error, error.body.size());
  auto body = kj::heap(error.body);
  auto written = stream->write(body->data(), body->size());
  return written.attach(kj::mv(stream), kj::mv(body));
}

kj::Promise<void> Connection::Linger() {
  stream_->shutdownWrite();
  return DiscardAll(*stream_, kj::heapArray<kj::byte>(16 * 1024))
      .exclusiveJoin(context_.loop.timer.afterDelay(kLinger));
}

}  // namespace updraft
