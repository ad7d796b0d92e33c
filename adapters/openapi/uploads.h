// The two ends of an upload that the API has: the ticket with which a file is posted, and the URL
// by which the file is named afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/openapi/call.h"
#include "adapters/wire/signed_url.h"

namespace updraft::openapi {

// A form that is posted later than this after the offer is refused.
inline constexpr int64_t kUploadTicketLifeMs = 60'000;

struct UploadOffer {
  std::string object_key;
  std::string host;  // Where the form is posted.
  std::string access_key_id;
  UploadPolicy policy;
  std::string file_url;  // Names the file once it is posted.
  int64_t created_ms = 0;
};
// `suffix` has no point.
UploadOffer OfferUpload(const Call& call, UploadKind kind, std::string_view suffix);

// The file behind a URL of an offer. Codes: iot.firmware.MalformedFirmwareUrl (no URL),
// iot.firmware.InvalidFirmwareUrl (none of ours, or nothing was posted).
Result<PostedPackage> FindUploadedPackage(const Call& call, std::string_view url);
Result<std::string> ReadUploadedDeviceList(const Call& call, std::string_view url);

}  // namespace updraft::openapi
