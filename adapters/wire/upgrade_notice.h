// The JSON that we send to a device: which package to fetch.
//
// Fielded clients find a field by searching the text for `"key":`, undo no escapes and count braces
// inside strings. So the text is compact, keys stand in one fixed order with `extData` last, `/` is
// not escaped, text is raw UTF-8, and names that would be taken for a key are refused when they are
// made (IsReservedName, HasSafeBraces).
//
// Thread-safety: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace updraft {

enum class NoticeDigest { kMd5, kSha256 };

struct NoticeTag {
  std::string key;
  std::string value;
};

struct NoticeFields {
  uint64_t size_bytes = 0;
  std::string version;  // The target.
  bool is_diff = false;
  std::string url;  // At most 254 bytes (signed_url.h).
  std::string md5_hex;
  std::string sha256_hex;
  // Which of the two is `sign`. `md5` is sent in any case: old clients check nothing else.
  NoticeDigest sign_by = NoticeDigest::kMd5;
  std::string module;           // Left out of the text where it is "default" or empty.
  std::vector<NoticeTag> tags;  // In `extData`, in this order.
  std::string udi;              // JSON as text, in `extData` as `_package_udi`; empty for none.
};

// The push, and also the answer to a legacy request: one form and one reader in the client.
// {"code":"1000","data":{…},"id":`id_ms`,"message":"success"}
std::string UpgradeNotice(const NoticeFields& fields, uint64_t id_ms);

// The answers to a pull, {"id":…,"code":200,"data":{…}}. `id_json` is the request's
// (device_payload.h), left out when empty; with nothing to upgrade to, data is {}.
std::string PullReply(std::string_view id_json, const NoticeFields& fields);
std::string EmptyPullReply(std::string_view id_json);

// A name that a client would take for a key of the notice. It can be no module's name, no tag's key
// and no version: `"version":"url"` makes Link SDK C 4.x drop the notice, and a tag `module` gives
// a package of the default module to that module.
bool IsReservedName(std::string_view name);

// Braces close what they open, and do not nest deeper than a client's 8-bit counter holds. Asked of
// tags and Udi, where anything else would end `data` early.
bool HasSafeBraces(std::string_view text);

}  // namespace updraft
