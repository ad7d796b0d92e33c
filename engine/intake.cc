#include "engine/intake.h"

#include "events/base/bytes.h"

namespace updraft {
namespace {

// `size` characters of letters and digits, each as likely as another.
std::string RandomWord(size_t size) {
  static constexpr char kLetters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr unsigned kCount = sizeof(kLetters) - 1;
  std::string word;
  while (word.size() < size) {
    for (char byte : RandomBytes(size)) {
      auto value = static_cast<uint8_t>(byte);
      if (value >= 256 / kCount * kCount) continue;  // Would favour the first letters.
      word += kLetters[value % kCount];
      if (word.size() == size) break;
    }
  }
  return word;
}

void FillIn(CreateProduct& c) {
  if (c.product_key.empty()) c.product_key = "a1" + RandomWord(9);
  if (c.product_secret.empty()) c.product_secret = RandomWord(16);
}

void FillIn(RegisterDevices& c) {
  for (NewDevice& device : c.devices) {
    if (device.name.empty()) device.name = RandomWord(20);
    if (device.secret.empty()) device.secret = HexLower(RandomBytes(16));
    if (device.salt.empty()) device.salt = RandomBytes(16);
  }
}

void FillIn(CreateKey& c) {
  if (c.access_key_id.empty()) c.access_key_id = "UD" + RandomWord(18);
  if (c.secret.empty()) c.secret = RandomWord(30);
}

}  // namespace

void FillIn(Command& command) {
  std::visit(
      [](auto& c) {
        if constexpr (requires { FillIn(c); }) FillIn(c);
      },
      command);
}

}  // namespace updraft
