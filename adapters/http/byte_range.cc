#include "adapters/http/byte_range.h"

#include <algorithm>
#include <limits>
#include <optional>

#include <strings.h>

namespace updraft {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A number of digits only. One that does not fit is larger than any file, and so is what it
// becomes.
std::optional<uint64_t> ParsePosition(std::string_view digits) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  if (digits.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    uint64_t digit = static_cast<uint64_t>(c - '0');
    value = value > (kMax - digit) / 10 ? kMax : value * 10 + digit;
  }
  return value;
}

ByteRange Part(uint64_t first, uint64_t size) {
  if (size == 0) return {ByteRange::Kind::kUnsatisfiable, 0, 0};
  return {ByteRange::Kind::kPart, first, size};
}

}  // namespace

ByteRange SelectRange(std::string_view range_header, uint64_t file_size) {
  const ByteRange whole{ByteRange::Kind::kWhole, 0, file_size};
  static constexpr std::string_view kUnit = "bytes=";
  if (range_header.size() < kUnit.size() ||
      strncasecmp(range_header.data(), kUnit.data(), kUnit.size()) != 0) {
    return whole;
  }
  std::string_view range = Trim(range_header.substr(kUnit.size()));
  size_t dash = range.find('-');
  if (dash == range.npos) return whole;
  std::string_view last_digits = range.substr(dash + 1);
  std::optional<uint64_t> last = ParsePosition(last_digits);
  if (dash == 0) {
    if (!last) return whole;
    uint64_t size = std::min(*last, file_size);
    return Part(file_size - size, size);
  }
  std::optional<uint64_t> first = ParsePosition(range.substr(0, dash));
  if (!first || (!last && !last_digits.empty()) || (last && *last < *first)) return whole;
  if (*first >= file_size) return Part(0, 0);
  uint64_t end = last ? std::min(*last, file_size - 1) : file_size - 1;
  return Part(*first, end - *first + 1);
}

bool IfRangeHolds(std::string_view if_range_header, std::string_view quoted_etag) {
  return if_range_header.empty() || if_range_header == quoted_etag;
}

}  // namespace updraft
