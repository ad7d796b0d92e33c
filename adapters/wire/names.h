// What a product key, a device name and a module name may look like.
//
// Two strengths: what the console may create, and what is let through from the wire, where a name
// only has to be unable to reach beyond its own topic level; whether it exists is asked later.
// Thread-safety: pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace updraft {

inline constexpr size_t kWireNameMaxBytes = 64;

// A name as a topic or a connection may carry it: 1 to 64 bytes, none of them `/`, `+`, `#` or a
// control character.
bool IsWireName(std::string_view name);

// What may be created: 4 to 32 of `A-Z a-z 0-9 - _ @ . :`.
bool IsValidDeviceName(std::string_view name);

// What may be created: 1 to 32 letters and digits.
bool IsValidProductKey(std::string_view key);

}  // namespace updraft
