// One HTTP request and its answer as plain values, so that a room can answer requests without
// knowing the server that carries them. Nothing here does I/O.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <strings.h>

namespace updraft {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method;     // "GET", "POST".
  std::string path;       // Up to the first '?', percent-encoded as sent; begins with '/'.
  std::string raw_query;  // Behind that '?', percent-encoded as sent; empty when there is none.
  std::vector<HttpHeader> headers;
  std::string body;
  std::string peer;  // The sender's address without its port, "127.0.0.1".

  // The value of the first header of that name, in any case; empty when there is none.
  std::string_view Header(std::string_view name) const {
    for (const HttpHeader& header : headers) {
      if (header.name.size() == name.size() &&
          strncasecmp(header.name.data(), name.data(), name.size()) == 0) {
        return header.value;
      }
    }
    return {};
  }
};

// The server adds Content-Length and Connection; an answer does not name them.
struct HttpResponse {
  int status = 200;
  std::vector<HttpHeader> headers;
  std::string body;
};

// Answers one request, now or later, on any thread. The first call counts. A copy that outlives the
// server or the client's connection may still be called and does nothing. When the last copy goes
// without a call, the client is answered 500.
using HttpRespond = std::function<void(HttpResponse)>;

// Takes one request. It runs on the server's thread, so it must not block: what takes time is
// answered later through `respond`.
using HttpHandler = std::function<void(HttpRequest request, HttpRespond respond)>;

}  // namespace updraft
