#include "events/log/side_keys.h"

namespace updraft {
namespace {

constexpr size_t kIdKeyBytes = 1 + sizeof(uint32_t);
constexpr size_t kEventKeyBytes = kIdKeyBytes + sizeof(uint64_t);

template <class Int>
void AppendBigEndian(std::string& out, Int value) {
  for (size_t shift = 8 * sizeof(Int); shift > 0; shift -= 8) {
    out += static_cast<char>(value >> (shift - 8));
  }
}

template <class Int>
Int BigEndian(std::string_view bytes) {
  Int value = 0;
  for (char byte : bytes) value = static_cast<Int>(value << 8 | static_cast<uint8_t>(byte));
  return value;
}

std::string KeyOf(SideKind kind, uint32_t id) {
  std::string key(1, static_cast<char>(kind));
  AppendBigEndian(key, id);
  return key;
}

}  // namespace

std::string DeviceSideKey(DeviceId device) { return KeyOf(SideKind::kDevice, device.value()); }

std::string DeviceTextSideKey(DeviceId device, Seq event) {
  std::string key = DeviceTextsPrefix(device);
  AppendBigEndian(key, event.value());
  return key;
}

std::string DeviceTextsPrefix(DeviceId device) {
  return KeyOf(SideKind::kDeviceText, device.value());
}

std::string ProductSecretSideKey(ProductId product) {
  return KeyOf(SideKind::kProductSecret, product.value());
}

std::string AccessKeySideKey(KeyId key) { return KeyOf(SideKind::kAccessKeySecret, key.value()); }

std::optional<SideKey> ParseSideKey(std::string_view key) {
  if (key.size() < kIdKeyBytes) return std::nullopt;
  SideKey parsed{.kind = SideKind(key[0]),
                 .id = BigEndian<uint32_t>(key.substr(1, sizeof(uint32_t))),
                 .seq = Seq()};
  switch (parsed.kind) {
    case SideKind::kDevice:
    case SideKind::kProductSecret:
    case SideKind::kAccessKeySecret:
      if (key.size() != kIdKeyBytes) return std::nullopt;
      return parsed;
    case SideKind::kDeviceText:
      if (key.size() != kEventKeyBytes) return std::nullopt;
      parsed.seq = Seq(BigEndian<uint64_t>(key.substr(kIdKeyBytes)));
      return parsed;
  }
  return std::nullopt;
}

}  // namespace updraft
