#include "adapters/wire/upgrade_notice.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "adapters/wire/device_payload.h"

namespace updraft {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kUdiKey = "_package_udi";
constexpr int kBraceDepthMax = 250;  // Beside the few that the notice itself opens.

// Link SDK C 4.x compares these to the letter: to it `MD5` is an unknown method.
std::string_view WireName(NoticeDigest digest) {
  return digest == NoticeDigest::kMd5 ? "Md5" : "SHA256";
}

// C-SDK 3.2 compares digests as text, and in lower case.
std::string LowerHex(std::string hex) {
  std::transform(hex.begin(), hex.end(), hex.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  return hex;
}

Json DataOf(const NoticeFields& fields) {
  Json data;
  data["size"] = fields.size_bytes;
  data["version"] = fields.version;
  if (fields.is_diff) data["isDiff"] = 1;
  data["url"] = fields.url;
  data["md5"] = LowerHex(fields.md5_hex);
  data["sign"] =
      LowerHex(fields.sign_by == NoticeDigest::kMd5 ? fields.md5_hex : fields.sha256_hex);
  data["signMethod"] = WireName(fields.sign_by);
  if (!fields.module.empty() && fields.module != kDefaultModule) data["module"] = fields.module;
  if (fields.tags.empty() && fields.udi.empty()) return data;

  Json& ext_data = data["extData"];
  for (const NoticeTag& tag : fields.tags) ext_data[tag.key] = tag.value;
  if (!fields.udi.empty()) ext_data[kUdiKey] = fields.udi;
  return data;
}

// Never throws: what is not UTF-8 is replaced.
std::string Compact(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string Reply(std::string_view id_json, std::string_view data_json) {
  std::string reply = "{";
  if (!id_json.empty()) reply.append("\"id\":").append(id_json).append(",");
  return reply.append("\"code\":200,\"data\":").append(data_json).append("}");
}

}  // namespace

std::string UpgradeNotice(const NoticeFields& fields, uint64_t id_ms) {
  Json notice;
  notice["code"] = "1000";
  notice["data"] = DataOf(fields);
  notice["id"] = id_ms;
  notice["message"] = "success";
  return Compact(notice);
}

std::string PullReply(std::string_view id_json, const NoticeFields& fields) {
  return Reply(id_json, Compact(DataOf(fields)));
}

std::string EmptyPullReply(std::string_view id_json) { return Reply(id_json, "{}"); }

bool IsReservedName(std::string_view name) {
  static constexpr std::array<std::string_view, 21> kKeys = {
      "size",    "version",  "url",      "sign",      "signMethod",   "md5",        "module",
      "extData", "isDiff",   "message",  "files",     "fileSize",     "fileName",   "fileUrl",
      "fileMd5", "fileSign", "streamId", "dProtocol", "streamFileId", "digestsign", kUdiKey};
  return std::find(kKeys.begin(), kKeys.end(), name) != kKeys.end();
}

bool HasSafeBraces(std::string_view text) {
  int depth = 0;
  for (char c : text) {
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if (depth < 0 || depth > kBraceDepthMax) return false;
  }
  return depth == 0;
}

}  // namespace updraft
