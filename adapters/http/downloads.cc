#include "adapters/http/downloads.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <kj/debug.h>
#include <sys/uio.h>

#include "adapters/http/byte_range.h"
#include "events/base/log_line.h"

namespace updraft {
namespace {

constexpr size_t kChunkBytes = 64 * 1024;

// One file on its way to one client. Shared with a worker while that reads.
struct Transfer {
  OwnedFd fd;
  uint64_t offset = 0;
  uint64_t left = 0;
  std::array<char, kChunkBytes> chunk;

  // Reads the next chunk; its size, 0 at the file's end, less than 0 on an error (and errno).
  ssize_t Read(int flags) {
    iovec into{chunk.data(), std::min<uint64_t>(left, chunk.size())};
    return preadv2(fd.get(), &into, 1, static_cast<off_t>(offset), flags);
  }
};

kj::Promise<ssize_t> ReadChunk(Loop& loop, const std::shared_ptr<Transfer>& transfer) {
  ssize_t cached = transfer->Read(RWF_NOWAIT);
  if (cached > 0) return cached;
  // Not in the cache, or a file system that cannot tell.
  return RunBlocking(loop, [transfer] { return transfer->Read(0); });
}

kj::Promise<void> SendRest(Loop& loop, std::shared_ptr<Transfer> transfer,
                           kj::AsyncOutputStream& output) {
  if (transfer->left == 0) return kj::READY_NOW;
  return ReadChunk(loop, transfer)
      .then([transfer, &output](ssize_t got) {
        // The file ends early or cannot be read: the client sees the connection break, and asks
        // for the rest when it can be had.
        KJ_REQUIRE(got > 0, "a package file cannot be read to its end");
        transfer->offset += static_cast<uint64_t>(got);
        transfer->left -= static_cast<uint64_t>(got);
        return output.write(transfer->chunk.data(), static_cast<size_t>(got));
      })
      .then([&loop, transfer, &output] { return SendRest(loop, transfer, output); });
}

HttpResponse ErrorHead(const Status& status) {
  switch (status.code()) {
    case StatusCode::kPermissionDenied:
      return {403, {}, ""};
    case StatusCode::kNotFound:
      return {404, {}, ""};
    default:
      LogError("download failed", {{"why", status.ToString()}});
      return {500, {}, ""};
  }
}

HttpResponse FileHead(const ByteRange& range, uint64_t file_size, const std::string& etag) {
  if (range.kind == ByteRange::Kind::kUnsatisfiable) {
    return {416, {{"Content-Range", fmt::format("bytes */{}", file_size)}}, ""};
  }
  HttpResponse head{
      200,
      {{"Content-Type", "application/octet-stream"}, {"Accept-Ranges", "bytes"}, {"ETag", etag}},
      ""};
  if (range.kind == ByteRange::Kind::kPart) {
    head.status = 206;
    head.headers.push_back({"Content-Range", fmt::format("bytes {}-{}/{}", range.first,
                                                         range.first + range.size - 1, file_size)});
  }
  return head;
}

// The range asked for. Only GET has ranges.
ByteRange RangeOf(const HttpRequest& request, uint64_t file_size, const std::string& etag) {
  bool counts = request.method == "GET" && IfRangeHolds(request.Header("If-Range"), etag);
  return SelectRange(counts ? request.Header("Range") : "", file_size);
}

}  // namespace

ExchangeHandler ServeDownloads(OpenDownload open) {
  return [open = std::move(open)](Exchange& exchange) -> kj::Promise<void> {
    HttpRequest& request = exchange.request();
    Result<DownloadFile> file = open(request.path, request.raw_query);
    if (!file.ok()) return exchange.Respond(ErrorHead(file.status()));
    std::string etag = fmt::format("\"{}\"", file->etag);
    ByteRange range = RangeOf(request, file->size_bytes, etag);
    auto output = exchange.Begin(FileHead(range, file->size_bytes, etag), range.size);
    if (request.method == "HEAD") return kj::READY_NOW;
    auto transfer = std::make_shared<Transfer>();
    transfer->fd = std::move(file->fd);
    transfer->offset = range.first;
    transfer->left = range.size;
    auto sent = SendRest(exchange.loop(), std::move(transfer), *output);
    return sent.attach(kj::mv(output));
  };
}

}  // namespace updraft
