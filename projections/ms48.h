// A point in time, in milliseconds since 1970 UTC, in six bytes and of no alignment: for records of
// which there are millions. Reaches to the year 10889. 0 stands for "never".
#pragma once

#include <compare>
#include <cstdint>

namespace updraft {

class Ms48 {
 public:
  constexpr Ms48() = default;
  constexpr Ms48(int64_t ms) {  // NOLINT: implicit, it is the same thing in less room.
    for (auto& byte : bytes_) {
      byte = static_cast<uint8_t>(ms);
      ms >>= 8;
    }
  }
  constexpr operator int64_t() const {
    int64_t ms = 0;
    for (int i = 5; i >= 0; --i) ms = ms << 8 | bytes_[i];
    return ms;
  }

 private:
  uint8_t bytes_[6] = {};
};

}  // namespace updraft
