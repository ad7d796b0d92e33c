#include "adapters/wire/signed_url.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "adapters/wire/hmac.h"
#include "adapters/wire/url_coding.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr std::string_view kDownloadPath = "/d/";
// 128 bits: beyond guessing, and short in a URL that must be.
constexpr size_t kUrlSignatureBytes = 16;

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// Each use of the key signs its own kind of text, so that no proof of one serves for another.
std::string DownloadSignature(std::string_view key, std::string_view file_id, int64_t end_s) {
  std::string text = fmt::format("download\n{}\n{}", end_s, file_id);
  return Hmac(HmacHash::kSha256, key, text).substr(0, kUrlSignatureBytes);
}

std::string UploadSignature(std::string_view key, std::string_view policy) {
  return Hmac(HmacHash::kSha256, key, fmt::format("upload\n{}", policy));
}

// Where the path of `base_url` begins; nothing when it is no http or https URL with a host.
std::optional<size_t> PathOf(std::string_view base_url) {
  size_t host = base_url.starts_with("https://") ? 8 : base_url.starts_with("http://") ? 7 : 0;
  if (host == 0) return std::nullopt;
  size_t path = std::min(base_url.find('/', host), base_url.size());
  if (path == host || base_url.find_first_of("?#") != std::string_view::npos) return std::nullopt;
  return path;
}

constexpr std::string_view NameOf(UploadKind kind) {
  return kind == UploadKind::kPackageFile ? "package" : "devices";
}

// `{kind} {end, ms} {object key}`
std::optional<UploadTicket> ParseTicket(std::string_view text) {
  for (UploadKind kind : {UploadKind::kPackageFile, UploadKind::kDeviceList}) {
    std::string prefix = fmt::format("{} ", NameOf(kind));
    if (!text.starts_with(prefix)) continue;
    std::string_view rest = text.substr(prefix.size());
    size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    std::optional<int64_t> expires_ms = ParseNumber(rest.substr(0, blank));
    if (!expires_ms) return std::nullopt;
    return UploadTicket{std::string(rest.substr(blank + 1)), kind, *expires_ms};
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> MakeDownloadUrl(std::string_view key, std::string_view base_url,
                                    std::string_view file_id, int64_t expires_ms) {
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  std::optional<size_t> path = PathOf(base_url);
  if (!path) {
    return Status(StatusCode::kInvalidArgument, "bad_base_url",
                  fmt::format("{} is no http or https URL", base_url));
  }
  std::string url(base_url.substr(0, *path));
  for (char c : base_url.substr(*path)) {
    if (c == ':') {
      url += "%3A";
    } else {
      url += c;
    }
  }
  const int64_t end_s = expires_ms / 1000;
  url += fmt::format("{}{}?e={}&s={}", kDownloadPath, PercentEncode(file_id), end_s,
                     HexLower(DownloadSignature(key, file_id, end_s)));
  if (url.size() > kDownloadUrlMaxBytes) {
    return Status(StatusCode::kInvalidArgument, "url_too_long",
                  fmt::format("a download URL would have {} bytes, and {} is the most that devices "
                              "can take; use a shorter public URL",
                              url.size(), kDownloadUrlMaxBytes));
  }
  return url;
}

DownloadLink CheckDownload(std::string_view key, std::string_view path, std::string_view raw_query,
                           int64_t now_ms) {
  const DownloadLink forged;
  if (!path.starts_with(kDownloadPath)) return forged;
  Result<std::string> file_id = PercentDecode(path.substr(kDownloadPath.size()));
  Parameters query;
  if (!file_id.ok() || !AddParameters(raw_query, query).ok()) return forged;
  std::optional<int64_t> end_s = ParseNumber(query["e"]);
  std::optional<std::string> signature = HexDecode(query["s"]);
  if (!end_s || !signature ||
      !EqualConstantTime(*signature, DownloadSignature(key, *file_id, *end_s))) {
    return forged;
  }
  return {now_ms / 1000 > *end_s ? LinkState::kExpired : LinkState::kOk, *std::move(file_id)};
}

UploadPolicy SignUploadTicket(std::string_view key, const UploadTicket& ticket) {
  std::string policy =
      Base64(fmt::format("{} {} {}", NameOf(ticket.kind), ticket.expires_ms, ticket.object_key));
  std::string signature = Base64(UploadSignature(key, policy));
  return {std::move(policy), std::move(signature)};
}

LinkState CheckUploadPolicy(std::string_view key, const UploadPolicy& policy, int64_t now_ms,
                            UploadTicket& ticket) {
  std::optional<std::string> signature = Base64Decode(policy.signature);
  if (!signature || !EqualConstantTime(*signature, UploadSignature(key, policy.policy))) {
    return LinkState::kForged;
  }
  std::optional<std::string> text = Base64Decode(policy.policy);
  std::optional<UploadTicket> parsed = text ? ParseTicket(*text) : std::nullopt;
  if (!parsed) return LinkState::kForged;
  ticket = *std::move(parsed);
  return now_ms > ticket.expires_ms ? LinkState::kExpired : LinkState::kOk;
}

}  // namespace updraft
