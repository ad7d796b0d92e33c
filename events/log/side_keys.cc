#include "events/log/side_keys.h"

namespace updraft {
namespace {

constexpr char kDeviceKind = 'd';
constexpr char kTextKind = 't';
constexpr char kProductKind = 'p';
constexpr char kKeyKind = 'k';

static_assert(kDeviceSideKeys == std::string_view(&kDeviceKind, 1));

template <class Int>
void AppendBigEndian(std::string& out, Int value) {
  for (size_t shift = 8 * sizeof(Int); shift > 0; shift -= 8) {
    out += static_cast<char>(value >> (shift - 8));
  }
}

std::string KeyOf(char kind, uint32_t id) {
  std::string key(1, kind);
  AppendBigEndian(key, id);
  return key;
}

}  // namespace

std::string SideKeyOfDevice(DeviceId device) { return KeyOf(kDeviceKind, device.value()); }
std::string SideKeyOfProduct(ProductId product) { return KeyOf(kProductKind, product.value()); }
std::string SideKeyOfKey(KeyId key) { return KeyOf(kKeyKind, key.value()); }

std::string SideKeyOfText(DeviceId device, std::optional<Seq> event) {
  std::string key = KeyOf(kTextKind, device.value());
  if (event) AppendBigEndian(key, event->value());
  return key;
}

DeviceId DeviceOfSideKey(std::string_view key) {
  if (key.size() != 1 + sizeof(uint32_t) || key[0] != kDeviceKind) return DeviceId();
  uint32_t id = 0;
  for (char byte : key.substr(1)) id = id << 8 | static_cast<uint8_t>(byte);
  return DeviceId(id);
}

}  // namespace updraft
