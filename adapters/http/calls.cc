#include <memory>

#include <fmt/format.h>

#include "adapters/http/server.h"

namespace updraft {
namespace {

kj::Promise<void> Call(const HttpHandler& handler, Exchange& exchange, std::string body) {
  auto answer = NewRemotePromise<HttpResponse>(exchange.loop().mailbox);
  HttpRequest request = std::move(exchange.request());
  request.body = std::move(body);
  handler(std::move(request), [fulfiller = std::move(answer.fulfiller)](HttpResponse response) {
    fulfiller->Fulfill(std::move(response));
  });
  return answer.promise.then(
      [&exchange](HttpResponse response) { return exchange.Respond(std::move(response)); });
}

}  // namespace

ExchangeHandler AnswerCalls(HttpHandler handler, size_t body_bytes_max) {
  auto shared = std::make_shared<const HttpHandler>(std::move(handler));
  return [shared, body_bytes_max](Exchange& exchange) {
    return exchange.ReadWholeBody(body_bytes_max)
        .then([shared, body_bytes_max,
               &exchange](std::optional<std::string> body) -> kj::Promise<void> {
          if (!body.has_value()) {
            return exchange.Respond(ErrorResponse(
                413, "RequestTooLarge",
                fmt::format("The request's body may have {} bytes.", body_bytes_max)));
          }
          return Call(*shared, exchange, *std::move(body));
        });
  };
}

}  // namespace updraft
