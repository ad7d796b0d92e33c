#include "adapters/wire/credential_table.h"

#include <bit>
#include <charconv>

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "events/base/assert.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

static_assert(std::endian::native == std::endian::little, "the files hold little-endian integers");

constexpr std::string_view kBaseMagic = "UPDCREDB";
constexpr std::string_view kDeltaMagic = "UPDCREDD";
constexpr uint32_t kFormat = 1;

constexpr size_t kRecordPositionAt = 16;
constexpr size_t kRecordSecretAt = 24;
constexpr size_t kRecordSecretBytesAt = 88;
constexpr size_t kRecordStateAt = 89;
constexpr size_t kRecordKindAt = 90;
constexpr size_t kRecordZeroAt = 91;
constexpr size_t kRecordCheckAt = 92;
constexpr size_t kHeaderCheckAt = 40;

template <class Integer>
void Put(char* at, Integer value) {
  std::memcpy(at, &value, sizeof(value));
}

template <class Integer>
Integer Get(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

uint64_t Check(const char* bytes, size_t count) { return XXH3_64bits(bytes, count); }

}  // namespace

CredentialKey MakeCredentialKey(std::string_view product_key, std::string_view device_name) {
  std::string name;
  name.reserve(product_key.size() + 1 + device_name.size());
  name.append(product_key).append(1, '\0').append(device_name);
  Hash256 hash = Sha256(name);
  CredentialKey key;
  std::memcpy(key.bytes.data(), hash.data(), key.bytes.size());
  return key;
}

CredentialRecord DeviceCredential(std::string_view product_key, std::string_view device_name,
                                  CredentialState state, std::string_view secret,
                                  uint64_t position) {
  return {.key = MakeCredentialKey(product_key, device_name),
          .kind = CredentialKind::kDevice,
          .state = state,
          .secret = std::string(secret),
          .position = position};
}

CredentialRecord ProductCredential(std::string_view product_key, CredentialState state,
                                   uint64_t position) {
  return {.key = MakeCredentialKey(product_key, ""),
          .kind = CredentialKind::kProduct,
          .state = state,
          .secret = "",
          .position = position};
}

CredentialRecordBytes EncodeCredentialRecord(const CredentialRecord& record) {
  Assert(record.secret.size() <= kSecretBytesMax, "a secret of {} bytes", record.secret.size());
  CredentialRecordBytes bytes = {};
  std::memcpy(bytes.data(), record.key.bytes.data(), record.key.bytes.size());
  Put(bytes.data() + kRecordPositionAt, record.position);
  record.secret.copy(bytes.data() + kRecordSecretAt, kSecretBytesMax);
  Put(bytes.data() + kRecordSecretBytesAt, static_cast<uint8_t>(record.secret.size()));
  Put(bytes.data() + kRecordStateAt, static_cast<uint8_t>(record.state));
  Put(bytes.data() + kRecordKindAt, static_cast<uint8_t>(record.kind));
  Put(bytes.data() + kRecordCheckAt, static_cast<uint32_t>(Check(bytes.data(), kRecordCheckAt)));
  return bytes;
}

std::optional<CredentialRecord> DecodeCredentialRecord(std::string_view bytes) {
  if (bytes.size() != kCredentialRecordBytes) return std::nullopt;
  const char* at = bytes.data();
  if (Get<uint32_t>(at + kRecordCheckAt) != static_cast<uint32_t>(Check(at, kRecordCheckAt))) {
    return std::nullopt;
  }
  const uint8_t secret_bytes = Get<uint8_t>(at + kRecordSecretBytesAt);
  const auto state = static_cast<CredentialState>(Get<uint8_t>(at + kRecordStateAt));
  const auto kind = static_cast<CredentialKind>(Get<uint8_t>(at + kRecordKindAt));
  if (secret_bytes > kSecretBytesMax || Get<uint8_t>(at + kRecordZeroAt) != 0) return std::nullopt;
  if (state < CredentialState::kEnabled || state > CredentialState::kDeleted) return std::nullopt;
  if (kind < CredentialKind::kDevice || kind > CredentialKind::kProduct) return std::nullopt;
  CredentialRecord record;
  std::memcpy(record.key.bytes.data(), at, record.key.bytes.size());
  record.kind = kind;
  record.state = state;
  record.secret = std::string(at + kRecordSecretAt, secret_bytes);
  record.position = Get<uint64_t>(at + kRecordPositionAt);
  return record;
}

bool IsAbsentRecord(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

std::string EncodeCredentialHeader(const CredentialHeader& header) {
  std::string bytes(kCredentialHeaderBytes, '\0');
  (header.file == CredentialFile::kBase ? kBaseMagic : kDeltaMagic).copy(bytes.data(), 8);
  Put(bytes.data() + 8, kFormat);
  Put(bytes.data() + 12, static_cast<uint32_t>(kCredentialRecordBytes));
  Put(bytes.data() + 16, header.generation);
  Put(bytes.data() + 24, header.position);
  Put(bytes.data() + 32, header.slots);
  Put(bytes.data() + kHeaderCheckAt, Check(bytes.data(), kHeaderCheckAt));
  return bytes;
}

std::optional<CredentialHeader> DecodeCredentialHeader(std::string_view bytes) {
  if (bytes.size() != kCredentialHeaderBytes) return std::nullopt;
  const char* at = bytes.data();
  if (Get<uint64_t>(at + kHeaderCheckAt) != Check(at, kHeaderCheckAt)) return std::nullopt;
  CredentialHeader header;
  if (bytes.starts_with(kDeltaMagic)) {
    header.file = CredentialFile::kDelta;
  } else if (!bytes.starts_with(kBaseMagic)) {
    return std::nullopt;
  }
  if (Get<uint32_t>(at + 8) != kFormat) return std::nullopt;
  if (Get<uint32_t>(at + 12) != kCredentialRecordBytes) return std::nullopt;
  header.generation = Get<uint64_t>(at + 16);
  header.position = Get<uint64_t>(at + 24);
  header.slots = Get<uint64_t>(at + 32);
  if ((header.file == CredentialFile::kBase) != (header.slots > 0)) return std::nullopt;
  return header;
}

uint64_t CredentialSlots(uint64_t records) { return records + records / 2 + 1; }

uint64_t HomeSlot(const CredentialKey& key, uint64_t slots) {
  uint64_t hash;
  std::memcpy(&hash, key.bytes.data(), sizeof(hash));
  return static_cast<uint64_t>(static_cast<unsigned __int128>(hash) * slots >> 64);
}

std::string CredentialFileName(CredentialFile file, uint64_t generation) {
  return fmt::format("{}-{}", file == CredentialFile::kBase ? "base" : "delta", generation);
}

std::string EncodeCurrent(uint64_t generation) { return fmt::format("{}\n", generation); }

std::optional<uint64_t> DecodeCurrent(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  uint64_t generation = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), generation);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return generation;
}

}  // namespace updraft
