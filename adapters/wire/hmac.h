// Keyed digests (HMAC, RFC 2104), as device passwords, API signatures and signed URLs use them.
// Thread-safety: pure.
#pragma once

#include <string>
#include <string_view>

namespace updraft {

enum class HmacHash { kMd5, kSha1, kSha256 };

// The raw bytes: 16, 20 or 32 of them.
std::string Hmac(HmacHash hash, std::string_view key, std::string_view text);

}  // namespace updraft
