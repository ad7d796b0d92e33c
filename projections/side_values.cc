#include "projections/side_values.h"

#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr char kDeviceKind = 'd';
constexpr char kProductKind = 'p';
constexpr char kKeyKind = 'k';
constexpr char kTextKind = 't';

void AppendBigEndian(std::string& bytes, uint64_t value, int size) {
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(value >> shift);
  }
}

std::string SideKey(char kind, uint32_t id) {
  std::string key(1, kind);
  AppendBigEndian(key, id, 4);
  return key;
}

void AppendField(std::string& bytes, std::string_view field) {
  AppendBigEndian(bytes, field.size(), 2);
  bytes += field;
}

std::optional<std::string_view> TakeField(std::string_view& bytes) {
  if (bytes.size() < 2) return std::nullopt;
  size_t size = static_cast<uint8_t>(bytes[0]) << 8 | static_cast<uint8_t>(bytes[1]);
  if (bytes.size() < 2 + size) return std::nullopt;
  std::string_view field = bytes.substr(2, size);
  bytes.remove_prefix(2 + size);
  return field;
}

}  // namespace

std::string DevicePrivate::Commitment() const {
  Hash256 hash = Sha256(EncodeDevicePrivate(*this));
  return std::string(reinterpret_cast<const char*>(hash.data()), 16);
}

std::string SideKeyOfDevice(DeviceId device) { return SideKey(kDeviceKind, device.value()); }
std::string SideKeyOfProduct(ProductId product) { return SideKey(kProductKind, product.value()); }
std::string SideKeyOfKey(KeyId key) { return SideKey(kKeyKind, key.value()); }

std::string SideKeyOfText(DeviceId device, std::optional<Seq> event) {
  std::string key = SideKey(kTextKind, device.value());
  if (event) AppendBigEndian(key, event->value(), 8);
  return key;
}

DeviceId DeviceOfSideKey(std::string_view key) {
  if (key.size() != 5 || key[0] != kDeviceKind) return DeviceId();
  uint32_t id = 0;
  for (char byte : key.substr(1)) id = id << 8 | static_cast<uint8_t>(byte);
  return DeviceId(id);
}

std::string EncodeDevicePrivate(const DevicePrivate& value) {
  std::string bytes;
  AppendField(bytes, value.salt);
  AppendField(bytes, value.name);
  AppendField(bytes, value.secret);
  AppendField(bytes, value.nickname);
  return bytes;
}

std::optional<DevicePrivate> DecodeDevicePrivate(std::string_view bytes) {
  auto salt = TakeField(bytes);
  auto name = TakeField(bytes);
  auto secret = TakeField(bytes);
  auto nickname = TakeField(bytes);
  if (!nickname || !bytes.empty()) return std::nullopt;
  return DevicePrivate{std::string(*salt), std::string(*name), std::string(*secret),
                       std::string(*nickname)};
}

std::optional<std::string_view> NameInDevicePrivate(std::string_view bytes) {
  auto salt = TakeField(bytes);
  auto name = TakeField(bytes);
  return salt ? name : std::nullopt;
}

}  // namespace updraft
