// Which bytes of a file a request asks for. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace updraft {

struct ByteRange {
  enum class Kind {
    kWhole,          // No range, or none that counts: 200.
    kPart,           // 206.
    kUnsatisfiable,  // A good range of which the file has no byte: 416.
  };
  Kind kind = Kind::kWhole;
  uint64_t first = 0;
  uint64_t size = 0;  // 0 when unsatisfiable.
};

// Reads the value of a Range header ("bytes=0-99", "bytes=100-", "bytes=-5") against a file's size.
// What is malformed or of another unit is as good as absent, which RFC 9110 asks for. Several
// ranges are answered with the whole file, which it allows: they would need a multipart body, and
// no device asks for them.
ByteRange SelectRange(std::string_view range_header, uint64_t file_size);

// Whether a range may be answered by a part, by the value of an If-Range header: it may when there
// is none, or when it is exactly the file's entity tag. A date never matches, as no answer has a
// Last-Modified.
bool IfRangeHolds(std::string_view if_range_header, std::string_view quoted_etag);

}  // namespace updraft
