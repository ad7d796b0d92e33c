// Integers as they stand in files of ours and of RocksDB: the lowest byte first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "events/base/assert.h"

namespace updraft {

template <class Int>
void AppendLittleEndian(std::string& out, Int value) {
  auto rest = static_cast<std::make_unsigned_t<Int>>(value);
  for (size_t i = 0; i < sizeof(Int); ++i) out += static_cast<char>(rest >> (8 * i));
}

template <class Int>
std::string LittleEndian(Int value) {
  std::string bytes;
  AppendLittleEndian(bytes, value);
  return bytes;
}

// Takes an integer off the front. REQUIRED: `bytes` has one.
template <class Int>
Int TakeLittleEndian(std::string_view& bytes) {
  Assert(bytes.size() >= sizeof(Int), "an integer lies in the {} bytes", bytes.size());
  std::make_unsigned_t<Int> value = 0;
  for (size_t i = sizeof(Int); i > 0; --i) {
    value = static_cast<decltype(value)>(uint64_t{value} << 8 | static_cast<uint8_t>(bytes[i - 1]));
  }
  bytes.remove_prefix(sizeof(Int));
  return static_cast<Int>(value);
}

}  // namespace updraft
