// Links that prove by themselves that this service issued them: download URLs, which devices get in
// a notice, and upload tickets, which a console gets before it posts a file. Nothing is stored for
// either; the proof is an HMAC-SHA256 with a key of the installation.
//
// Units: times in milliseconds since 1970; a download URL's end is kept in whole seconds.
// Thread-safety: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "events/base/status.h"

namespace updraft {

// Link SDK C 4.1 keeps a URL's length in 8 bits and overruns its buffer beyond this.
inline constexpr size_t kDownloadUrlMaxBytes = 254;

enum class LinkState {
  kOk,
  kExpired,  // Ours, and over.
  kForged,   // Not ours, or changed.
};

// `{base_url}/d/{file_id}?e={end, s}&s={32 hex}`. `base_url` is http or https, with a host and
// maybe a port and a path; no `:` follows its port, since C-SDK 3.2 takes the first one for the
// port's. INVALID_ARGUMENT: bad_base_url, url_too_long.
Result<std::string> MakeDownloadUrl(std::string_view key, std::string_view base_url,
                                    std::string_view file_id, int64_t expires_ms);

// What a request with that path (from `/d/` on) and query asks for.
struct DownloadLink {
  LinkState state = LinkState::kForged;
  std::string file_id;  // Empty when forged.
};
DownloadLink CheckDownload(std::string_view key, std::string_view path, std::string_view raw_query,
                           int64_t now_ms);

enum class UploadKind { kPackageFile, kDeviceList };

// The right to post one file under `object_key`.
struct UploadTicket {
  std::string object_key;
  UploadKind kind = UploadKind::kPackageFile;
  int64_t expires_ms = 0;
};

// The ticket as two fields of the form that posts the file, both base64.
struct UploadPolicy {
  std::string policy;
  std::string signature;
};
UploadPolicy SignUploadTicket(std::string_view key, const UploadTicket& ticket);

// `ticket` is filled unless the policy is forged. The form's own `key` field must be compared with
// its object_key by the caller.
LinkState CheckUploadPolicy(std::string_view key, const UploadPolicy& policy, int64_t now_ms,
                            UploadTicket& ticket);

}  // namespace updraft
