#include "adapters/wire/url_coding.h"

#include <string>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

std::string RefusalOf(std::string_view encoded) {
  Parameters parameters;
  Status status = AddParameters(encoded, parameters);
  return status.ok() ? "" : std::string(status.reason());
}

}  // namespace

TEST_CASE("all but letters, digits and four signs is encoded, in capitals", "[url]") {
  CHECK(PercentEncode("AZaz09-_.~") == "AZaz09-_.~");
  CHECK(PercentEncode(" !\"'()*+/:=?&%") == "%20%21%22%27%28%29%2A%2B%2F%3A%3D%3F%26%25");
  CHECK(PercentEncode("\xE4\xB8\xAD") == "%E4%B8%AD");
  CHECK(PercentEncode(std::string_view("\0\x7F", 2)) == "%00%7F");
  CHECK(PercentEncode("") == "");
}

TEST_CASE("decoding undoes encoding, for every byte that is text", "[url]") {
  for (int byte = 0; byte < 128; ++byte) {
    std::string text(1, static_cast<char>(byte));
    CAPTURE(byte);
    Result<std::string> decoded = PercentDecode(PercentEncode(text));
    REQUIRE(decoded.ok());
    CHECK(*decoded == text);
  }
  CHECK(*PercentDecode("a+b%2Bc%2bd%e4%B8%aD!'()*~") == "a b+c+d\xE4\xB8\xAD!'()*~");
  CHECK(*PercentDecode("\xE4\xB8\xAD") == "\xE4\xB8\xAD");
}

TEST_CASE("an escape without two hex digits is refused", "[url]") {
  for (std::string text : {"%", "a%", "%4", "%4g", "%g4", "%%41", "%u4e2d", "% 4", "%+4", "ok%2"}) {
    CAPTURE(text);
    Result<std::string> decoded = PercentDecode(text);
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.status().reason() == "MalformedEscape");
  }
}

TEST_CASE("bytes that are not UTF-8 are refused, escaped or raw", "[url]") {
  for (std::string text : {"%80", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%E4%B8", "\xFF"}) {
    CAPTURE(text);
    Result<std::string> decoded = PercentDecode(text);
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.status().reason() == "MalformedUtf8");
  }
}

TEST_CASE("parameters are read from a query", "[url]") {
  Parameters parameters;
  REQUIRE(AddParameters("b=2&a=1=1&&empty=&bare&%63=%26&", parameters).ok());
  CHECK(parameters ==
        Parameters{{"a", "1=1"}, {"b", "2"}, {"bare", ""}, {"c", "&"}, {"empty", ""}});
  CHECK(EncodeParameters(parameters) == "a=1%3D1&b=2&bare=&c=%26&empty=");

  REQUIRE(AddParameters("", parameters).ok());
  REQUIRE(AddParameters("d=4", parameters).ok());
  CHECK(parameters.size() == 6);
  CHECK(EncodeParameters({}) == "");
}

TEST_CASE("a parameter that comes twice is refused", "[url]") {
  CHECK(RefusalOf("a=1&b=2&a=1") == "DuplicateParameter");
  CHECK(RefusalOf("a=1&%61=2") == "DuplicateParameter");
  CHECK(RefusalOf("a&a") == "DuplicateParameter");
  CHECK(RefusalOf("a=1&A=1") == "");

  Parameters parameters = {{"a", "1"}};
  CHECK(AddParameters("a=1", parameters).reason() == "DuplicateParameter");
}

TEST_CASE("a malformed name or value refuses the whole query", "[url]") {
  CHECK(RefusalOf("a=1&b=%") == "MalformedEscape");
  CHECK(RefusalOf("%=1") == "MalformedEscape");
  CHECK(RefusalOf("a=%FF") == "MalformedUtf8");
  CHECK(RefusalOf("%FF=a") == "MalformedUtf8");
}

}  // namespace updraft
