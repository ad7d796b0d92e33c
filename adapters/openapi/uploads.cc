#include "adapters/openapi/uploads.h"

#include <fmt/format.h>

#include "events/base/bytes.h"

namespace updraft::openapi {
namespace {

std::string UploadUrl(const Call& call) {
  const OpenApiOptions& options = call.service.options;
  return options.public_url() + options.upload_path;
}

// The object key of one of our URLs.
Result<std::string_view> ObjectKeyOf(const Call& call, std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return ApiError("iot.firmware.MalformedFirmwareUrl", "this is no http or https URL");
  }
  const std::string base = UploadUrl(call) + "/";
  if (!url.starts_with(base)) {
    return ApiError("iot.firmware.InvalidFirmwareUrl",
                    "the URL is none that this server gave; get one and post the file there");
  }
  return url.substr(base.size());
}

Status NothingPosted(const Status& status) {
  if (status.code() != StatusCode::kNotFound) return status;
  return ApiError("iot.firmware.InvalidFirmwareUrl",
                  "no file was posted for this URL within the last hour");
}

}  // namespace

UploadOffer OfferUpload(const Call& call, UploadKind kind, std::string_view suffix) {
  const OpenApiOptions& options = call.service.options;
  UploadOffer offer;
  offer.created_ms = options.wall_now_ms();
  offer.object_key = fmt::format("{}.{}", HexLower(RandomBytes(16)), suffix);
  offer.host = UploadUrl(call);
  offer.access_key_id = "updraft";  // SDKs post it back; the signature says all.
  offer.file_url = offer.host + "/" + offer.object_key;
  offer.policy = SignUploadTicket(options.link_key,
                                  {offer.object_key, kind, offer.created_ms + kUploadTicketLifeMs});
  return offer;
}

Result<PostedPackage> FindUploadedPackage(const Call& call, std::string_view url) {
  ASSIGN_OR_RETURN(std::string_view key, ObjectKeyOf(call, url));
  Result<PostedPackage> posted = call.service.files.FindPackage(key);
  if (!posted.ok()) return NothingPosted(posted.status());
  if (posted->size_bytes == 0) {
    return ApiError("iot.firmware.EmptyFirmwareFile", "the uploaded file is empty");
  }
  return posted;
}

Result<std::string> ReadUploadedDeviceList(const Call& call, std::string_view url) {
  ASSIGN_OR_RETURN(std::string_view key, ObjectKeyOf(call, url));
  Result<std::string> text = call.service.files.ReadDeviceList(key);
  if (!text.ok()) return NothingPosted(text.status());
  return text;
}

}  // namespace updraft::openapi
