#include "adapters/wire/url_coding.h"

#include <fmt/format.h>

#include "events/base/bytes.h"

namespace updraft {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

}  // namespace

std::string PercentEncode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (char c : text) {
    if (IsUnreserved(c)) {
      encoded += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    std::optional<std::string> byte = HexDecode(text.substr(i + 1, 2));
    if (!byte || byte->empty()) {
      return Status(StatusCode::kInvalidArgument, "MalformedEscape",
                    fmt::format("no two hex digits behind the % at {}", i));
    }
    decoded += *byte;
    i += 2;
  }
  if (!IsValidUtf8(decoded)) {
    return Status(StatusCode::kInvalidArgument, "MalformedUtf8", "a parameter is not UTF-8");
  }
  return decoded;
}

Status AddParameters(std::string_view encoded, Parameters& parameters) {
  while (!encoded.empty()) {
    size_t end = encoded.find('&');
    std::string_view item = encoded.substr(0, end);
    encoded = end == std::string_view::npos ? std::string_view() : encoded.substr(end + 1);
    if (item.empty()) continue;
    size_t equals = item.find('=');
    ASSIGN_OR_RETURN(std::string name, PercentDecode(item.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      ASSIGN_OR_RETURN(value, PercentDecode(item.substr(equals + 1)));
    }
    auto [at, fresh] = parameters.try_emplace(std::move(name), std::move(value));
    if (!fresh) {
      return Status(StatusCode::kInvalidArgument, "DuplicateParameter",
                    fmt::format("the parameter {} comes twice", at->first));
    }
  }
  return OkStatus();
}

std::string EncodeParameters(const Parameters& parameters) {
  std::string encoded;
  for (const auto& [name, value] : parameters) {
    if (!encoded.empty()) encoded += '&';
    encoded.append(PercentEncode(name)).append("=").append(PercentEncode(value));
  }
  return encoded;
}

}  // namespace updraft
