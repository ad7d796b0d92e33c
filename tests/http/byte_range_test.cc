#include "adapters/http/byte_range.h"

#include <catch2/catch.hpp>

namespace updraft {
namespace {

using Kind = ByteRange::Kind;

}  // namespace

TEST_CASE("a range is of the file, clamped, or none", "[http][range]") {
  struct Case {
    std::string_view header;
    Kind kind;
    uint64_t first, size;
  };
  for (const Case& c : {
           Case{"bytes=0-", Kind::kPart, 0, 100},
           Case{"bytes=0-0", Kind::kPart, 0, 1},
           Case{"bytes=0-99", Kind::kPart, 0, 100},
           Case{"bytes=0-100", Kind::kPart, 0, 100},
           Case{"bytes=99-", Kind::kPart, 99, 1},
           Case{"bytes=99-99", Kind::kPart, 99, 1},
           Case{"bytes=10-19", Kind::kPart, 10, 10},
           Case{"bytes=10-99999999999999999999999", Kind::kPart, 10, 90},
           Case{"bytes=-1", Kind::kPart, 99, 1},
           Case{"bytes=-100", Kind::kPart, 0, 100},
           Case{"bytes=-101", Kind::kPart, 0, 100},
           Case{"bytes=-99999999999999999999999", Kind::kPart, 0, 100},
           Case{"BYTES=1-", Kind::kPart, 1, 99},
           Case{"bytes= 1-2\t", Kind::kPart, 1, 2},
           Case{"bytes=100-", Kind::kUnsatisfiable, 0, 0},
           Case{"bytes=100-200", Kind::kUnsatisfiable, 0, 0},
           Case{"bytes=18446744073709551615-", Kind::kUnsatisfiable, 0, 0},
           Case{"bytes=18446744073709551616-", Kind::kUnsatisfiable, 0, 0},
           Case{"bytes=-0", Kind::kUnsatisfiable, 0, 0},
           // Malformed, or not for us: the whole file.
           Case{"", Kind::kWhole, 0, 100},
           Case{"bytes", Kind::kWhole, 0, 100},
           Case{"bytes=", Kind::kWhole, 0, 100},
           Case{"bytes=-", Kind::kWhole, 0, 100},
           Case{"bytes=5", Kind::kWhole, 0, 100},
           Case{"bytes=2-1", Kind::kWhole, 0, 100},
           Case{"bytes=a-", Kind::kWhole, 0, 100},
           Case{"bytes=1-b", Kind::kWhole, 0, 100},
           Case{"bytes=1 -2", Kind::kWhole, 0, 100},
           Case{"bytes=+1-2", Kind::kWhole, 0, 100},
           Case{"bytes=--1", Kind::kWhole, 0, 100},
           Case{"bytes=1--1", Kind::kWhole, 0, 100},
           Case{"bytes=0x1-", Kind::kWhole, 0, 100},
           Case{"items=0-1", Kind::kWhole, 0, 100},
           Case{" bytes=0-1", Kind::kWhole, 0, 100},
           Case{"bytes=0-1,5-6", Kind::kWhole, 0, 100},
           Case{"bytes=0-,", Kind::kWhole, 0, 100},
       }) {
    CAPTURE(c.header);
    ByteRange range = SelectRange(c.header, 100);
    CHECK(range.kind == c.kind);
    CHECK(range.first == c.first);
    CHECK(range.size == c.size);
  }
}

TEST_CASE("an empty file has no part", "[http][range]") {
  CHECK(SelectRange("bytes=0-", 0).kind == Kind::kUnsatisfiable);
  CHECK(SelectRange("bytes=-1", 0).kind == Kind::kUnsatisfiable);
  CHECK(SelectRange("", 0).size == 0);
}

TEST_CASE("a range past four gigabytes keeps its position", "[http][range]") {
  ByteRange range = SelectRange("bytes=5000000000-", 6'000'000'000);
  CHECK(range.first == 5'000'000'000);
  CHECK(range.size == 1'000'000'000);
}

TEST_CASE("a range holds for the same content only", "[http][range]") {
  CHECK(IfRangeHolds("", "\"a\""));
  CHECK(IfRangeHolds("\"a\"", "\"a\""));
  CHECK_FALSE(IfRangeHolds("\"b\"", "\"a\""));
  CHECK_FALSE(IfRangeHolds("W/\"a\"", "\"a\""));
  CHECK_FALSE(IfRangeHolds("a", "\"a\""));
  CHECK_FALSE(IfRangeHolds("Sun, 06 Nov 1994 08:49:37 GMT", "\"a\""));
}

}  // namespace updraft
