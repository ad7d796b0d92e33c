#include "adapters/http/request_head.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace updraft {
namespace {

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace

HttpResponse ErrorResponse(int status, std::string_view code, std::string_view message) {
  nlohmann::ordered_json body{{"Code", code}, {"Message", message}};
  // Messages may quote what a client sent, which need not be UTF-8.
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  return {status, {{"Content-Type", "application/json"}}, body.dump(-1, ' ', false, kReplace)};
}

const char* StatusText(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Payload Too Large";
    case 414:
      return "URI Too Long";
    case 416:
      return "Range Not Satisfiable";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Other";
  }
}

bool HasToken(std::string_view value, std::string_view token) {
  while (!value.empty()) {
    size_t comma = value.find(',');
    std::string_view word = value.substr(0, comma);
    value = comma == value.npos ? "" : value.substr(comma + 1);
    while (!word.empty() && (word.front() == ' ' || word.front() == '\t')) word.remove_prefix(1);
    while (!word.empty() && (word.back() == ' ' || word.back() == '\t')) word.remove_suffix(1);
    if (EqualIgnoringCase(word, token)) return true;
  }
  return false;
}

std::optional<Target> ParseTarget(std::string_view url) {
  for (char c : url) {
    if (IsControl(c)) return std::nullopt;
  }
  if (size_t scheme = url.find("://"); !url.starts_with('/') && scheme != url.npos) {
    size_t path = url.find('/', scheme + 3);
    url = path == url.npos ? "/" : url.substr(path);
  }
  if (!url.starts_with('/')) return std::nullopt;
  size_t question = url.find('?');
  Target target{std::string(url.substr(0, question)), ""};
  if (question != url.npos) target.raw_query = url.substr(question + 1);
  return target;
}

std::optional<Framing> ParseFraming(const std::vector<HttpHeader>& headers) {
  Framing framing;
  bool has_length = false;
  for (const HttpHeader& header : headers) {
    if (EqualIgnoringCase(header.name, "Transfer-Encoding")) {
      if (framing.chunked || !EqualIgnoringCase(header.value, "chunked")) return std::nullopt;
      framing.chunked = true;
    } else if (EqualIgnoringCase(header.name, "Content-Length")) {
      const char* end = header.value.data() + header.value.size();
      auto [stop, error] = std::from_chars(header.value.data(), end, framing.content_length);
      if (has_length || error != std::errc() || stop != end) return std::nullopt;
      has_length = true;
    }
  }
  if (framing.chunked && has_length) return std::nullopt;
  return framing;
}

std::optional<HttpResponse> CheckHead(std::string_view url,
                                      const std::vector<HttpHeader>& headers) {
  if (url.size() > kUrlBytesMax) {
    return ErrorResponse(
        414, "UrlTooLong",
        fmt::format("The URL has {} bytes; {} are read.", url.size(), kUrlBytesMax));
  }
  size_t bytes = 0;
  for (const HttpHeader& header : headers) bytes += header.name.size() + header.value.size();
  if (headers.size() > kHeaderCountMax || bytes > kHeaderBytesMax) {
    return ErrorResponse(431, "HeadersTooLarge",
                         fmt::format("The request has {} headers of {} bytes; {} of {} are read.",
                                     headers.size(), bytes, kHeaderCountMax, kHeaderBytesMax));
  }
  if (!ParseTarget(url)) {
    return ErrorResponse(400, "BadRequest", "The URL of the request line is not a path.");
  }
  if (!ParseFraming(headers)) {
    return ErrorResponse(400, "BadRequest", "The length of the request's body is not clear.");
  }
  return std::nullopt;
}

}  // namespace updraft
