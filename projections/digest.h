// The digest of the world: a sum, modulo 2^128, of one term for each field of each record that is
// not at its default. A field's change takes its old term out and puts the new one in, so the
// digest is always at hand, and two worlds that hold the same have the same digest however they
// came to it.
//
// A term is XXH3-128 over kind, id, field number and value. That is not proof against somebody who
// forges a world; the hash chain over the log's bytes is what proves those.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "projections/records.h"

namespace updraft {

// Raised when the meaning of a record's field changes, never when a field is added.
inline constexpr uint32_t kDigestVersion = 1;

class Digest {
 public:
  void Add(Digest term) {
    low_ += term.low_;
    high_ += term.high_ + (low_ < term.low_ ? 1 : 0);
  }
  void Subtract(Digest term) {
    high_ -= term.high_ + (low_ < term.low_ ? 1 : 0);
    low_ -= term.low_;
  }
  Digest() = default;
  Digest(uint64_t high, uint64_t low) : high_(high), low_(low) {}

  uint64_t high() const { return high_; }
  uint64_t low() const { return low_; }
  friend bool operator==(const Digest&, const Digest&) = default;

  std::string ToString() const { return fmt::format("{:016x}{:016x}", high_, low_); }

 private:
  uint64_t high_ = 0;
  uint64_t low_ = 0;
};

namespace digest_internal {

struct Place {
  uint32_t kind_and_field;
  uint32_t pad;
  uint64_t id;
};

inline Digest FromXxh(XXH128_hash_t hash) { return Digest(hash.high64, hash.low64); }

inline Digest NumberTerm(int kind, uint64_t id, int field, uint64_t value) {
  if (value == 0) return Digest();
  struct {
    Place place;
    uint64_t value;
  } key = {{static_cast<uint32_t>(kind << 16 | field), 0, id}, value};
  return FromXxh(XXH3_128bits(&key, sizeof(key)));
}

inline Digest BytesTerm(int kind, uint64_t id, int field, std::string_view value) {
  if (value.empty()) return Digest();
  Place place = {static_cast<uint32_t>(kind << 16 | field), 1, id};
  std::string key(reinterpret_cast<const char*>(&place), sizeof(place));
  key += value;
  return FromXxh(XXH3_128bits(key.data(), key.size()));
}

inline void AppendSized(std::string& bytes, std::string_view text) {
  uint32_t size = static_cast<uint32_t>(text.size());
  bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
  bytes += text;
}

}  // namespace digest_internal

// The term of one field's value; zero at the default.
template <class T>
Digest TermOf(int kind, uint64_t id, int field, const T& value) {
  using digest_internal::BytesTerm;
  using digest_internal::NumberTerm;
  if constexpr (std::is_same_v<T, std::string>) {
    return BytesTerm(kind, id, field, value);
  } else if constexpr (std::is_same_v<T, std::array<uint8_t, 8>>) {
    uint64_t number;
    std::memcpy(&number, value.data(), sizeof(number));
    return NumberTerm(kind, id, field, number);
  } else if constexpr (std::is_same_v<T, std::vector<VersionId>>) {
    return BytesTerm(kind, id, field,
                     std::string_view(reinterpret_cast<const char*>(value.data()),
                                      value.size() * sizeof(VersionId)));
  } else if constexpr (std::is_same_v<T, Tags>) {
    std::string bytes;
    for (const auto& [key, text] : value) {
      digest_internal::AppendSized(bytes, key);
      digest_internal::AppendSized(bytes, text);
    }
    return BytesTerm(kind, id, field, bytes);
  } else if constexpr (std::is_same_v<T, Ms48>) {
    return NumberTerm(kind, id, field, static_cast<uint64_t>(static_cast<int64_t>(value)));
  } else if constexpr (std::is_same_v<T, Seq40>) {
    return NumberTerm(kind, id, field, static_cast<Seq>(value).value());
  } else if constexpr (std::is_integral_v<T>) {
    return NumberTerm(kind, id, field, static_cast<uint64_t>(value));
  } else if constexpr (requires { value.value(); }) {
    return NumberTerm(kind, id, field, value.value());
  } else {  // Small<enum>
    uint8_t number;
    static_assert(sizeof(value) == 1);
    std::memcpy(&number, &value, 1);
    return NumberTerm(kind, id, field, number);
  }
}

// The terms of a whole record.
template <class Record>
Digest DigestOf(uint64_t id, const Record& record) {
  Digest sum;
  [&]<class... F>(FieldList<F...>) {
    (sum.Add(TermOf(RecordTraits<Record>::kKind, id, F::number, record.*F::member)), ...);
  }(typename RecordTraits<Record>::Fields{});
  return sum;
}

// The number of a field, at compile time.
template <class Record, auto Member>
consteval int NumberOf() {
  int number = 0;
  [&]<class... F>(FieldList<F...>) {
    auto match = [&]<class One>(One) {
      if constexpr (std::is_same_v<std::remove_cv_t<decltype(One::member)>,
                                   std::remove_cv_t<decltype(Member)>>) {
        if (One::member == Member) number = One::number;
      }
    };
    (match(F{}), ...);
  }(typename RecordTraits<Record>::Fields{});
  return number;
}

}  // namespace updraft
