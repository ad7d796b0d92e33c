#include "tests/fleet/notice.h"

#include <charconv>

#include <fmt/format.h>

namespace updraft {
namespace {

constexpr size_t kUrlBytesMax = 254;

std::optional<std::string_view> FindValue(std::string_view text, std::string_view key) {
  std::string pattern = fmt::format("\"{}\":", key);
  size_t at = text.find(pattern);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + pattern.size());
  if (text.starts_with('"')) {
    text.remove_prefix(1);
    return text.substr(0, text.find('"'));
  }
  return text.substr(0, text.find_first_of(",}"));
}

template <class Number>
bool ParseNumber(std::string_view text, Number& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool IsLowerHex(std::string_view text, size_t length) {
  return text.size() == length &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<ReceivedNotice> ReadNotice(std::string_view payload) {
  auto size = FindValue(payload, "size");
  auto version = FindValue(payload, "version");
  auto url = FindValue(payload, "url");
  auto method = FindValue(payload, "signMethod");
  auto sign = FindValue(payload, "sign");
  auto md5 = FindValue(payload, "md5");
  if (!size || !version || !url || !method || !sign || !md5) return std::nullopt;

  ReceivedNotice notice;
  notice.sha256 = *method == "SHA256" || *method == "Sha256";
  bool known_method = notice.sha256 || *method == "Md5";
  if (!known_method || !IsLowerHex(*sign, notice.sha256 ? 64 : 32)) return std::nullopt;
  if (!IsLowerHex(*md5, 32) || url->size() > kUrlBytesMax) return std::nullopt;
  if (!ParseNumber(*size, notice.size_bytes)) return std::nullopt;
  notice.version = *version;
  notice.url = *url;
  notice.sign = *sign;
  notice.module = FindValue(payload, "module").value_or("");
  return notice;
}

std::optional<DownloadAddress> ParseDownloadUrl(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  size_t slash = url.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string_view host = url.substr(0, slash);
  DownloadAddress address;
  address.target = url.substr(slash);
  size_t colon = host.find(':');
  address.ip = host.substr(0, colon);
  if (colon != std::string_view::npos && !ParseNumber(host.substr(colon + 1), address.port)) {
    return std::nullopt;
  }
  return address;
}

}  // namespace updraft
