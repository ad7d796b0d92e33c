#include "adapters/wire/names.h"

#include <algorithm>

namespace updraft {
namespace {

bool IsLetterOrDigit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

bool IsWireName(std::string_view name) {
  return !name.empty() && name.size() <= kWireNameMaxBytes &&
         std::none_of(name.begin(), name.end(), [](char c) {
           return c == '/' || c == '+' || c == '#' || static_cast<unsigned char>(c) < 0x20 ||
                  c == 0x7F;
         });
}

bool IsValidDeviceName(std::string_view name) {
  return name.size() >= 4 && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
           return IsLetterOrDigit(c) || std::string_view("-_@.:").find(c) != std::string_view::npos;
         });
}

bool IsValidProductKey(std::string_view key) {
  return !key.empty() && key.size() <= 32 && std::all_of(key.begin(), key.end(), IsLetterOrDigit);
}

}  // namespace updraft
