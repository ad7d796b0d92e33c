#include "adapters/wire/object_ids.h"

#include <algorithm>

#include <fmt/format.h>

#include "adapters/wire/hmac.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

using Number = unsigned __int128;

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr size_t kDigitCount = 20;
constexpr int kTagBits = 86;
constexpr int kIdBits = 32;

// The first `bits` bits of an HMAC, at most 128.
Number FirstBits(std::string_view key, std::string_view text, int bits) {
  Number number = 0;
  for (char byte : Hmac(HmacHash::kSha256, key, text).substr(0, 16)) {
    number = number << 8 | static_cast<unsigned char>(byte);
  }
  return number >> (128 - bits);
}

std::string ToBase62(Number number) {
  std::string digits(kDigitCount, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    *digit = kDigits[static_cast<size_t>(number % kDigits.size())];
    number /= kDigits.size();
  }
  return digits;
}

// 62^20 fits in 128 bits; a number of more than 118 fails by its tag.
std::optional<Number> FromBase62(std::string_view digits) {
  Number number = 0;
  for (char digit : digits) {
    size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    number = number * kDigits.size() + value;
  }
  return number;
}

template <class Id>
std::optional<Id> As(std::optional<uint32_t> id) {
  if (!id) return std::nullopt;
  return Id(*id);
}

}  // namespace

ObjectIds::ObjectIds(std::string key, uint32_t engine_number)
    : key_(std::move(key)), engine_number_(engine_number) {
  Assert(engine_number <= kEngineNumberMax, "an engine's number has four digits, it is {}",
         engine_number);
}

std::optional<DeviceId> ObjectIds::ReadDevice(std::string_view text) const {
  return As<DeviceId>(Read(Kind::kDevice, text));
}

std::optional<TaskId> ObjectIds::ReadTask(std::string_view text) const {
  return As<TaskId>(Read(Kind::kTask, text));
}

std::optional<BatchId> ObjectIds::ReadBatch(std::string_view text) const {
  return As<BatchId>(Read(Kind::kBatch, text));
}

std::optional<PackageId> ObjectIds::ReadPackage(std::string_view text) const {
  return As<PackageId>(Read(Kind::kPackage, text));
}

std::string ObjectIds::Make(Kind kind, uint32_t id) const {
  Number tag = TagOf(kind, id);
  return ToBase62(tag << kIdBits | (id ^ MaskOf(kind, tag))) + SuffixOf(kind);
}

std::optional<uint32_t> ObjectIds::Read(Kind kind, std::string_view text) const {
  if (text.size() != kSize || text.substr(kDigitCount) != SuffixOf(kind)) return std::nullopt;
  std::optional<Number> number = FromBase62(text.substr(0, kDigitCount));
  if (!number) return std::nullopt;
  Number tag = *number >> kIdBits;
  uint32_t id = static_cast<uint32_t>(*number) ^ MaskOf(kind, tag);
  if (TagOf(kind, id) != tag) return std::nullopt;
  return id;
}

ObjectIds::Number ObjectIds::TagOf(Kind kind, uint32_t id) const {
  return FirstBits(key_,
                   fmt::format("object id {} {} {}", engine_number_, static_cast<int>(kind), id),
                   kTagBits);
}

uint32_t ObjectIds::MaskOf(Kind kind, Number tag) const {
  return static_cast<uint32_t>(FirstBits(
      key_, fmt::format("object mask {} {} {}", engine_number_, static_cast<int>(kind), tag),
      kIdBits));
}

std::string ObjectIds::SuffixOf(Kind kind) const {
  return fmt::format("{:02}{:04}", static_cast<int>(kind), engine_number_);
}

}  // namespace updraft
