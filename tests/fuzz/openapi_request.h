// A request of the console's API as text: `METHOD TARGET`, `Header: value` lines, an empty line,
// the body.
#pragma once

#include <string>

#include "adapters/wire/http_message.h"
#include "tests/fuzz/fuzz.h"

namespace updraft {

inline HttpRequest ReadRequest(std::string_view text) {
  HttpRequest request;
  std::string_view target = TakeUntil(text, "\n");
  request.method = TakeUntil(target, " ");
  request.path = TakeUntil(target, "?");
  request.raw_query = target;
  request.peer = "127.0.0.1";
  while (!text.empty()) {
    std::string_view value = TakeUntil(text, "\n");
    if (value.empty()) break;
    std::string_view name = TakeUntil(value, ":");
    if (value.starts_with(' ')) value.remove_prefix(1);
    request.headers.push_back({std::string(name), std::string(value)});
  }
  request.body = text;
  return request;
}

}  // namespace updraft
