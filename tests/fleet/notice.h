// What a fielded device reads out of an upgrade notice: as strict as the strictest client, and as
// simple. Link SDK C 4.x finds a field by the first `"key":` in the text, undoes no escapes, wants
// `signMethod` spelled `Md5`, `SHA256` or `Sha256` with a `sign` of fitting length, and has 254
// bytes for the URL; C-SDK 3.x wants `md5` in lower case and `"message":"success"`.
//
// Thread-safety: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace updraft {

struct ReceivedNotice {
  uint64_t size_bytes = 0;
  std::string version;
  std::string url;
  bool sha256 = false;  // The method of `sign`; else MD5.
  std::string sign;     // Hex.
  std::string module;   // Empty for the default module.
};

// Nothing where one of the clients would drop the message.
std::optional<ReceivedNotice> ReadNotice(std::string_view payload);

// `http://a.b.c.d[:port]/path`, as the simulated devices use it: no names are resolved.
struct DownloadAddress {
  std::string ip;
  uint16_t port = 80;
  std::string target;  // Path and query.
};
std::optional<DownloadAddress> ParseDownloadUrl(std::string_view url);

}  // namespace updraft
