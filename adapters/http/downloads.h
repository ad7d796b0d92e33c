// Sends files to devices. What fielded devices need of an answer, and get:
//   - "Content-Length: n" in this spelling, no chunks, no encoding, no redirect;
//   - header lines of at most 128 bytes and a head of less than 1 kB;
//   - a range answered with 206 and exactly that range, so that a cut download goes on;
//   - errors without a body: an old SDK takes the body of an error for firmware.
//
// Each download has a buffer of 64 KiB and one file descriptor, whatever the file's size. What the
// system has in its cache is sent from the loop's thread; a read that would wait for the disk is
// made by a worker, so that no client waits for another's disk.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "adapters/http/exchange.h"
#include "events/base/owned_fd.h"
#include "events/base/status.h"

namespace updraft {

struct DownloadFile {
  OwnedFd fd;
  uint64_t size_bytes = 0;
  std::string etag;  // Names the content, as "0a1b"; without quotes.
};

// Checks a URL and opens the file it names. `path` and `raw_query` are as sent, percent-encoded.
// PERMISSION_DENIED is answered 403 (forged, expired), NOT_FOUND 404, anything else 500 and logged.
// Called on the server's thread.
using OpenDownload =
    std::function<Result<DownloadFile>(std::string_view path, std::string_view raw_query)>;

// For GET and HEAD.
ExchangeHandler ServeDownloads(OpenDownload open);

}  // namespace updraft
