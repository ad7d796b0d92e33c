// A point in time, in milliseconds since 1970 UTC, in six bytes and of no alignment: for records of
// which there are millions. Reaches to the year 10889. 0 stands for "never".
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace updraft {

static_assert(std::endian::native == std::endian::little);

class Ms48 {
 public:
  constexpr Ms48() = default;
  Ms48(int64_t ms) {  // NOLINT: implicit, it is the same thing in less room.
    std::memcpy(bytes_, &ms, sizeof(bytes_));
  }
  operator int64_t() const {
    int64_t ms = 0;
    std::memcpy(&ms, bytes_, sizeof(bytes_));
    return ms;
  }

 private:
  uint8_t bytes_[6] = {};
};

}  // namespace updraft
