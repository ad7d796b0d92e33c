// What is checked of every request before a handler sees it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wire/http_message.h"

namespace updraft {

inline constexpr size_t kUrlBytesMax = 64 * 1024;
inline constexpr size_t kHeaderCountMax = 100;
inline constexpr size_t kHeaderBytesMax = 32 * 1024;  // All names and values together.

// A JSON answer {"Code":…,"Message":…}: the console's SDKs look for exactly these two keys, and
// fail on a body that is not JSON.
HttpResponse ErrorResponse(int status, std::string_view code, std::string_view message);

// The reason phrase of a status, "Not Found".
const char* StatusText(int status);

// Whether one of the comma-separated words of a header's value is `token`, in any case.
bool HasToken(std::string_view value, std::string_view token);

// A path and query out of a request's target: "/a?b" or "http://host/a?b". Nothing when it is
// neither, or holds a control character.
struct Target {
  std::string path;
  std::string raw_query;
};
std::optional<Target> ParseTarget(std::string_view url);

// How a request's body is delimited.
struct Framing {
  bool chunked = false;
  uint64_t content_length = 0;  // 0 when chunked.
};

// The framing the headers name; nothing when they can be read in two ways, which is how a request
// is smuggled past a proxy: a length and a transfer coding, or a length that is not all digits.
std::optional<Framing> ParseFraming(const std::vector<HttpHeader>& headers);

// The answer to a head that is over a bound or cannot be understood; nothing for a good one.
std::optional<HttpResponse> CheckHead(std::string_view url, const std::vector<HttpHeader>& headers);

}  // namespace updraft
