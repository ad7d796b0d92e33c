#include "projections/side_values.h"

#include "events/base/bytes.h"

namespace updraft {
namespace {

void AppendField(std::string& bytes, std::string_view field) {
  bytes += static_cast<char>(field.size() >> 8);  // Big-endian.
  bytes += static_cast<char>(field.size());
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
