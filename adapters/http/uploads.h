// Takes files from operators: the form that the console's upload URLs are posted with, as browsers,
// curl and the vendor's object store know it. Fields in any order, then `file`, last:
//
//   key, policy, OSSAccessKeyId or AccessKeyId, signature, success_action_status, file
//
// Names are matched in any case, fields we do not know are passed over. The file is never in
// memory: parsing, digests and disk writes happen on a worker, 64 KiB at a time. An upload is
// refused as soon as it can be: by its stated length before a byte is read (and, with "Expect:
// 100-continue", before one is sent), by its ticket and the file's length when the file begins.
//
// Errors are {"Code":…,"Message":…}, the code being the status' reason.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/http/exchange.h"
#include "events/base/status.h"

namespace updraft {

// The fields before the file, as sent; empty where there was none.
struct UploadForm {
  std::string key;
  std::string policy;
  std::string access_key_id;
  std::string signature;
  std::string success_action_status;
  std::string file_name;  // The client's own name for the file.
};

// Where one file's bytes go. Calls come one at a time from a worker thread and may block.
class UploadSink {
 public:
  // Without Finish(), or after an error, what came is dropped.
  virtual ~UploadSink() = default;
  virtual Status Write(std::string_view bytes) = 0;
  virtual Status Finish() = 0;
};

struct UploadTarget {
  std::unique_ptr<UploadSink> sink;
  uint64_t bytes_max = 0;  // Of the file, inclusive.
};

// Checks an upload's ticket and makes room for its file. Called on a worker thread.
// The codes of its errors, and of the sink's, are answered: PERMISSION_DENIED 403,
// INVALID_ARGUMENT 400, RESOURCE_EXHAUSTED 413 (too large), UNAVAILABLE 503; all others 500,
// logged.
using BeginUpload = std::function<Result<UploadTarget>(const UploadForm& form)>;

inline constexpr std::string_view kUploadTooLarge = "FILE_TOO_LARGE";

// For POST. `file_bytes_max` is the most that any target takes. A good upload is answered 200, 201
// or 204 as its success_action_status says, without a body; 204 when it says nothing.
ExchangeHandler ServeUploads(BeginUpload begin, uint64_t file_bytes_max);

}  // namespace updraft
