#include "adapters/http/exchange.h"

#include <algorithm>

#include <kj/debug.h>

namespace updraft {
namespace {

constexpr size_t kBodyStepBytes = 16 * 1024;

}  // namespace

Exchange::Exchange(ExchangeLine& line, HttpRequest request, Framing framing,
                   kj::AsyncInputStream& body, kj::HttpService::Response& response)
    : line_(line),
      request_(std::move(request)),
      framing_(framing),
      body_(body),
      response_(response),
      continue_awaited_(HasToken(request_.Header("Expect"), "100-continue")),
      body_left_(framing.content_length),
      body_ended_(!framing.chunked && framing.content_length == 0) {}

std::optional<uint64_t> Exchange::body_size() const {
  if (framing_.chunked) return std::nullopt;
  return framing_.content_length;
}

kj::Promise<size_t> Exchange::ReadBody(kj::ArrayPtr<kj::byte> buffer) {
  if (body_ended_) return size_t{0};
  if (continue_awaited_) {
    continue_awaited_ = false;
    return line_.SendContinue().then([this, buffer] { return ReadBody(buffer); });
  }
  size_t least = std::min(buffer.size(), kBodyStepBytes);
  auto read = body_.tryRead(buffer.begin(), least, buffer.size()).then([this, least](size_t got) {
    // Past what was stated kj-http gives nothing, and of a chunked body's end it tells by giving
    // less than the least that was asked for.
    body_left_ -= std::min<uint64_t>(body_left_, got);
    body_ended_ = framing_.chunked ? got < least : body_left_ == 0;
    return got;
  });
  return loop()
      .timer.timeoutAfter(line_.body_timeout(), kj::mv(read))
      .catch_([this](kj::Exception&& exception) -> size_t {
        if (exception.getType() == kj::Exception::Type::FAILED) line_.NoteMalformedBody();
        kj::throwFatalException(kj::mv(exception));
      });
}

kj::Promise<std::optional<std::string>> Exchange::ReadWholeBody(size_t bytes_max) {
  if (framing_.content_length > bytes_max) return std::optional<std::string>();
  return ReadOn("", bytes_max);
}

kj::Promise<std::optional<std::string>> Exchange::ReadOn(std::string so_far, size_t bytes_max) {
  // One byte more than allowed is asked for, so that a longer body shows.
  size_t room = std::min(kBodyStepBytes, bytes_max + 1 - so_far.size());
  auto buffer = kj::heapArray<kj::byte>(room);
  auto read = ReadBody(buffer);
  return read.then([this, bytes_max, so_far = std::move(so_far), buffer = kj::mv(buffer)](
                       size_t got) mutable -> kj::Promise<std::optional<std::string>> {
    if (!line_.TakeRoom(got)) return KJ_EXCEPTION(OVERLOADED, "too much of all bodies");
    room_taken_ += got;
    so_far.append(reinterpret_cast<const char*>(buffer.begin()), got);
    if (so_far.size() > bytes_max) return std::optional<std::string>();
    if (body_ended_) return std::optional<std::string>(std::move(so_far));
    return ReadOn(std::move(so_far), bytes_max);
  });
}

kj::Promise<void> Exchange::Respond(HttpResponse response) {
  auto stream = Begin(response, response.body.size());
  if (response.body.empty()) return kj::READY_NOW;
  // On the heap, since a short string's bytes move with the string.
  auto body = kj::heap(std::move(response.body));
  auto written = stream->write(body->data(), body->size());
  return written.attach(kj::mv(stream), kj::mv(body));
}

kj::Own<kj::AsyncOutputStream> Exchange::Begin(const HttpResponse& head,
                                               std::optional<uint64_t> size) {
  if (!body_ended_) line_.CloseAfterAnswer();
  return line_.SendHead(response_, head, size);
}

}  // namespace updraft
