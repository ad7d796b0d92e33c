#include "events/base/bytes.h"

#include <catch2/catch.hpp>

namespace updraft {

TEST_CASE("hex goes there and back in either case", "[bytes]") {
  CHECK(HexLower(std::string_view("\x00\xff\x10", 3)) == "00ff10");
  CHECK(HexDecode("00FF10") == std::string("\x00\xff\x10", 3));
  CHECK_FALSE(HexDecode("0").has_value());
  CHECK_FALSE(HexDecode("zz").has_value());
}

TEST_CASE("a digest of parts is the digest of the whole", "[bytes]") {
  Sha256Stream stream;
  stream.Add("");
  stream.Add("a");
  stream.Add("bc");
  CHECK(stream.Finish() == Sha256("abc"));
  CHECK(HexLower(Sha256("abc")).starts_with("ba7816bf8f01cfea"));
}

TEST_CASE("base64 goes there and back with every padding", "[bytes]") {
  for (std::string text : {"", "a", "ab", "abc", "abcd"}) {
    CAPTURE(text);
    CHECK(Base64Decode(Base64(text)) == text);
  }
  CHECK_FALSE(Base64Decode("abc").has_value());
  CHECK_FALSE(Base64Decode("a*c=").has_value());
}

TEST_CASE("text is UTF-8 or it is not", "[bytes]") {
  CHECK(IsValidUtf8("plain"));
  CHECK(IsValidUtf8("\xE5\x9B\xBA\xE4\xBB\xB6"));  // Two Chinese characters.
  CHECK(IsValidUtf8("\xF0\x9F\x98\x80"));          // Four bytes.
  CHECK_FALSE(IsValidUtf8("\x80"));                // A continuation alone.
  CHECK_FALSE(IsValidUtf8("\xC0\xAF"));            // Overlong.
  CHECK_FALSE(IsValidUtf8("\xED\xA0\x80"));        // A surrogate.
  CHECK_FALSE(IsValidUtf8("\xF4\x90\x80\x80"));    // Past the last code point.
  CHECK_FALSE(IsValidUtf8("\xE5\x9B"));            // Cut short.
}

TEST_CASE("secrets are compared whole", "[bytes]") {
  CHECK(EqualConstantTime("abc", "abc"));
  CHECK_FALSE(EqualConstantTime("abc", "abd"));
  CHECK_FALSE(EqualConstantTime("abc", "ab"));
}

}  // namespace updraft
