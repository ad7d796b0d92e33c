// The credentials that the broker's plugin decides by, as the engine writes them to files: a
// projection of the log, which can be deleted and written again at any time. This file is the
// format; credential_writer.h writes it, credential_reader.h reads it.
//
//   CURRENT   the generation in use, as decimal digits and a line feed; replaced by rename.
//   base-G    a header and an open-addressing hash table of records, immutable once CURRENT names
//             it. A record lies in the first free slot at or after its home slot; an absent
//             record (all bytes 0) ends a search, and so do kProbesMax slots.
//   delta-G   a header and the changes after the base's position, oldest first, appended.
//
// Integers are little-endian. A header is 48 bytes:
//
//   0 magic "UPDCREDB" or "UPDCREDD" | 8 u32 format, 1 | 12 u32 record bytes, 96 |
//   16 u64 generation | 24 u64 position | 32 u64 slots of a base, 0 in a delta | 40 u64 check
//
// A record is 96 bytes:
//
//   0 key | 16 u64 position | 24 secret, filled up with zeros | 88 u8 secret bytes |
//   89 u8 state | 90 u8 kind | 91 u8 zero | 92 u32 check
//
// A check is the low bytes of XXH3-64 over the bytes before it: it finds damage, not malice. A key
// is the first 16 bytes of SHA-256(product key, a zero byte, device name), so that the files hold
// no name. A product has a record too: its device name is empty, and so is its secret.
//
// Errors: decoding answers "nothing" for bytes that are not what was written. Thread-safety: pure.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace updraft {

// Names one device, or one product where the device name is empty.
struct CredentialKey {
  std::array<uint8_t, 16> bytes = {};

  friend auto operator<=>(const CredentialKey&, const CredentialKey&) = default;
};

CredentialKey MakeCredentialKey(std::string_view product_key, std::string_view device_name);

// The bytes of a key are evenly spread already.
struct CredentialKeyHash {
  size_t operator()(const CredentialKey& key) const {
    size_t hash;
    std::memcpy(&hash, key.bytes.data(), sizeof(hash));
    return hash;
  }
};

enum class CredentialKind : uint8_t { kDevice = 1, kProduct = 2 };
enum class CredentialState : uint8_t { kEnabled = 1, kDisabled = 2, kDeleted = 3 };

inline constexpr size_t kSecretBytesMax = 64;

struct CredentialRecord {
  CredentialKey key;
  CredentialKind kind = CredentialKind::kDevice;
  CredentialState state = CredentialState::kEnabled;
  std::string secret;     // At most kSecretBytesMax bytes.
  uint64_t position = 0;  // Of the event in the log that made it so.

  friend bool operator==(const CredentialRecord&, const CredentialRecord&) = default;
};

CredentialRecord DeviceCredential(std::string_view product_key, std::string_view device_name,
                                  CredentialState state, std::string_view secret,
                                  uint64_t position);
CredentialRecord ProductCredential(std::string_view product_key, CredentialState state,
                                   uint64_t position);

inline constexpr size_t kCredentialRecordBytes = 96;
inline constexpr size_t kCredentialHeaderBytes = 48;
inline constexpr uint64_t kProbesMax = 1024;

using CredentialRecordBytes = std::array<char, kCredentialRecordBytes>;

// `record.secret` must not be over its bound.
CredentialRecordBytes EncodeCredentialRecord(const CredentialRecord& record);
// `bytes` are kCredentialRecordBytes.
std::optional<CredentialRecord> DecodeCredentialRecord(std::string_view bytes);
bool IsAbsentRecord(std::string_view bytes);

enum class CredentialFile { kBase, kDelta };

struct CredentialHeader {
  CredentialFile file = CredentialFile::kBase;
  uint64_t generation = 0;
  uint64_t position = 0;  // All up to here is in the base.
  uint64_t slots = 0;

  friend bool operator==(const CredentialHeader&, const CredentialHeader&) = default;
};

std::string EncodeCredentialHeader(const CredentialHeader& header);
std::optional<CredentialHeader> DecodeCredentialHeader(std::string_view bytes);

// The slots of a base for so many records: two thirds full.
uint64_t CredentialSlots(uint64_t records);
// Where the search for `key` begins among `slots` slots, of which there is at least one.
uint64_t HomeSlot(const CredentialKey& key, uint64_t slots);

// "base-7", "delta-7".
std::string CredentialFileName(CredentialFile file, uint64_t generation);
inline constexpr std::string_view kCredentialCurrentFile = "CURRENT";

std::string EncodeCurrent(uint64_t generation);
std::optional<uint64_t> DecodeCurrent(std::string_view text);

}  // namespace updraft
