#include "adapters/http/request_head.h"

#include <catch2/catch.hpp>

namespace updraft {
namespace {

std::vector<HttpHeader> Headers(size_t count, size_t value_bytes = 1) {
  return {count, {"X", std::string(value_bytes, 'v')}};
}

int CheckedStatus(std::string_view url, const std::vector<HttpHeader>& headers) {
  std::optional<HttpResponse> refusal = CheckHead(url, headers);
  return refusal ? refusal->status : 200;
}

}  // namespace

TEST_CASE("a target is a path and a query", "[http][head]") {
  struct Case {
    std::string url, path, query;
  };
  for (const Case& c : std::vector<Case>{
           {"/", "/", ""},
           {"/a/b?x=1&y=2", "/a/b", "x=1&y=2"},
           {"/a?", "/a", ""},
           {"/?a?b", "/", "a?b"},
           {"/d/../../etc/passwd", "/d/../../etc/passwd", ""},
           {"http://host:80/a?b", "/a", "b"},
           {"http://host", "/", ""},
           {"/?u=http://x/y", "/", "u=http://x/y"},
           {"//host/a", "//host/a", ""},
       }) {
    CAPTURE(c.url);
    std::optional<Target> target = ParseTarget(c.url);
    REQUIRE(target.has_value());
    CHECK(target->path == c.path);
    CHECK(target->raw_query == c.query);
  }
}

TEST_CASE("what is not a path is no target", "[http][head]") {
  for (std::string_view url : {"", "*", "a/b", "HTTP/1.1", "?a", "/a\x01", "/a\x7f", "host:80"}) {
    CAPTURE(url);
    CHECK_FALSE(ParseTarget(url).has_value());
  }
}

TEST_CASE("a body's framing is clear or refused", "[http][head]") {
  using List = std::vector<HttpHeader>;
  CHECK(ParseFraming({})->content_length == 0);
  CHECK(ParseFraming({{"content-length", "17"}})->content_length == 17);
  CHECK(ParseFraming({{"Transfer-Encoding", "Chunked"}})->chunked);
  CHECK(ParseFraming({{"Content-Length", "18446744073709551615"}}).has_value());
  for (const List& bad : {
           List{{"Content-Length", "18446744073709551616"}},
           List{{"Content-Length", "-1"}},
           List{{"Content-Length", "+5"}},
           List{{"Content-Length", " 5"}},
           List{{"Content-Length", "0x5"}},
           List{{"Content-Length", "5, 5"}},
           List{{"Content-Length", ""}},
           List{{"Content-Length", "5"}, {"Content-Length", "5"}},
           List{{"Transfer-Encoding", "gzip, chunked"}},
           List{{"Transfer-Encoding", "identity"}},
           List{{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
           List{{"Transfer-Encoding", "chunked"}, {"Content-Length", "5"}},
           List{{"Content-Length", "0"}, {"Transfer-Encoding", "chunked"}},
       }) {
    CAPTURE(bad.front().name, bad.front().value);
    CHECK_FALSE(ParseFraming(bad).has_value());
  }
}

TEST_CASE("a head is taken up to its bounds and not past them", "[http][head]") {
  CHECK(CheckedStatus("/" + std::string(kUrlBytesMax - 1, 'a'), {}) == 200);
  CHECK(CheckedStatus("/" + std::string(kUrlBytesMax, 'a'), {}) == 414);
  CHECK(CheckedStatus("/", Headers(kHeaderCountMax)) == 200);
  CHECK(CheckedStatus("/", Headers(kHeaderCountMax + 1)) == 431);
  CHECK(CheckedStatus("/", Headers(1, kHeaderBytesMax - 1)) == 200);
  CHECK(CheckedStatus("/", Headers(1, kHeaderBytesMax)) == 431);
  CHECK(CheckedStatus("nowhere", {}) == 400);
}

TEST_CASE("a list's words are found in any case and spacing", "[http][head]") {
  CHECK(HasToken("close", "close"));
  CHECK(HasToken("Keep-Alive,\t CLOSE ", "close"));
  CHECK_FALSE(HasToken("closed", "close"));
  CHECK_FALSE(HasToken("", "close"));
  CHECK_FALSE(HasToken(",,", "close"));
}

TEST_CASE("an error is JSON whatever it quotes", "[http][head]") {
  CHECK(ErrorResponse(404, "NotFound", "No \"x\"").body ==
        R"({"Code":"NotFound","Message":"No \"x\""})");
  CHECK(ErrorResponse(400, "Bad", "\xff").body ==
        "{\"Code\":\"Bad\",\"Message\":\"\xEF\xBF\xBD\"}");
}

TEST_CASE("a request's headers are found in any case", "[http][head]") {
  HttpRequest request;
  request.headers = {{"range", "a"}, {"Range", "b"}};
  CHECK(request.Header("RANGE") == "a");
  CHECK(request.Header("If-Range").empty());
}

}  // namespace updraft
