// Bytes as text, digests of them, and secrets compared without a clock's help.
// Thread-safety: all functions are pure, but for RandomBytes, which any thread may call; a stream
// belongs to one thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace updraft {

using Hash256 = std::array<uint8_t, 32>;

Hash256 Sha256(std::string_view bytes);

// The head of SHA-256, where 128 bits are enough. Zero is that of nothing known, and says "none".
struct Fingerprint {
  uint64_t high = 0;
  uint64_t low = 0;

  static Fingerprint Of(std::string_view bytes);
  explicit operator bool() const { return high != 0 || low != 0; }
  friend auto operator<=>(const Fingerprint&, const Fingerprint&) = default;
};

// The same over bytes that come in parts.
class Sha256Stream {
 public:
  Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  ~Sha256Stream();
  void Add(std::string_view bytes);
  // Of all added. Nothing may be added after.
  Hash256 Finish();

 private:
  evp_md_ctx_st* context_;
};

// Lower-case hex.
std::string HexLower(std::span<const uint8_t> bytes);
std::string HexLower(std::string_view bytes);
// Hex of either case to bytes; nothing when it is not hex.
std::optional<std::string> HexDecode(std::string_view hex);

std::string Base64(std::string_view bytes);
std::optional<std::string> Base64Decode(std::string_view text);

// Equal, in a time that depends on the lengths only.
bool EqualConstantTime(std::string_view a, std::string_view b);

// From the system's generator, fit for keys.
std::string RandomBytes(size_t count);

bool IsValidUtf8(std::string_view text);

}  // namespace updraft
