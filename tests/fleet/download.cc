#include "tests/fleet/download.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr size_t kHeadBytesMax = 1'023;
constexpr size_t kLineBytesMax = 128;
constexpr int kRequestsMax = 60;
constexpr int64_t kRetryMs = 1'000;
constexpr int kPercentStep = 5;

std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> NewDigest(bool sha256) {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                 &EVP_MD_CTX_free);
  EVP_DigestInit_ex(digest.get(), sha256 ? EVP_sha256() : EVP_md5(), nullptr);
  return digest;
}

}  // namespace

DownloadHead ReadDownloadHead(std::string_view head, uint64_t first_byte) {
  if (head.size() > kHeadBytesMax) return {};
  bool part = head.starts_with("HTTP/1.1 206");
  if (!part && !(head.starts_with("HTTP/1.1 200") && first_byte == 0)) return {};
  DownloadHead result;
  while (!head.empty()) {
    size_t end = head.find("\r\n");
    if (end == std::string_view::npos || end + 2 > kLineBytesMax) return {};
    std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    constexpr std::string_view kLength = "Content-Length: ";
    if (!line.starts_with(kLength)) continue;
    line.remove_prefix(kLength.size());
    auto [rest, error] =
        std::from_chars(line.data(), line.data() + line.size(), result.content_bytes);
    result.acceptable = error == std::errc() && rest == line.data() + line.size();
  }
  return result;
}

Download::Download(Loop& loop, ReceivedNotice notice, int64_t pause_ms, User& user)
    : loop_(loop),
      user_(user),
      notice_(std::move(notice)),
      pause_ms_(pause_ms),
      digest_(NewDigest(notice_.sha256)) {
  std::optional<DownloadAddress> address = ParseDownloadUrl(notice_.url);
  // In a turn of its own, so that the user has the download in hand before it hears of it.
  loop_.After(0, [this, address, alive = std::weak_ptr<int>(alive_)] {
    if (alive.expired()) return;
    if (!address) return Finish(Result::kRefused);
    address_ = *address;
    Request();
    user_.OnPercent(0);
  });
}

Download::~Download() { DropStream(); }

void Download::DropStream() {
  if (!stream_) return;
  stream_->Close();
  loop_.Retire(std::move(stream_));
}

void Download::Request() {
  ++requests_;
  stream_ = std::make_unique<Stream>(loop_, address_.ip, address_.port, *this);
  stream_->Send(
      fmt::format("GET {} HTTP/1.1\r\nHost: {}:{}\r\n"
                  "Accept: text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8\r\n"
                  "Range: bytes={}-\r\nContent-Length: 0\r\n\r\n",
                  address_.target, address_.ip, address_.port, received_));
}

void Download::OnBytes(std::string_view bytes) {
  waiting_ += bytes;
  if (!head_read_) {
    OnHead();
  } else {
    Consume();
  }
}

void Download::OnHead() {
  size_t end = waiting_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (waiting_.size() > kHeadBytesMax) Finish(Result::kRefused);
    return;
  }
  DownloadHead head = ReadDownloadHead(std::string_view(waiting_).substr(0, end + 4), received_);
  if (!head.acceptable || received_ + head.content_bytes != notice_.size_bytes) {
    return Finish(Result::kRefused);
  }
  head_read_ = true;
  waiting_.erase(0, end + 4);
  Consume();
}

void Download::Consume() {
  if (pausing_) return;
  uint64_t next_mark = (notice_.size_bytes * (percent_ + kPercentStep) + 99) / 100;
  uint64_t take = std::min<uint64_t>(waiting_.size(), next_mark - received_);
  EVP_DigestUpdate(digest_.get(), waiting_.data(), take);
  waiting_.erase(0, take);
  received_ += take;
  if (received_ < next_mark) return;

  percent_ += kPercentStep;
  pausing_ = true;
  if (stream_) stream_->PauseReading(true);
  loop_.After(pause_ms_, [this, alive = std::weak_ptr<int>(alive_)] {
    if (alive.expired()) return;
    pausing_ = false;
    if (percent_ == 100) {
      std::array<uint8_t, EVP_MAX_MD_SIZE> raw;
      unsigned size = 0;
      EVP_DigestFinal_ex(digest_.get(), raw.data(), &size);
      bool fits = HexLower(std::span<const uint8_t>(raw.data(), size)) == notice_.sign;
      return Finish(fits ? Result::kDone : Result::kWrongDigest);
    }
    if (stream_) stream_->PauseReading(false);
    Consume();
  });
  user_.OnPercent(percent_);
}

void Download::OnClosed() {
  DropStream();
  if (percent_ == 100) return;  // All is here; the digest is looked at after the pause.
  if (requests_ >= kRequestsMax) return Finish(Result::kRefused);
  waiting_.clear();  // What was not taken is asked for again.
  head_read_ = false;
  loop_.After(kRetryMs, [this, alive = std::weak_ptr<int>(alive_)] {
    if (!alive.expired()) Request();
  });
}

void Download::Finish(Result result) {
  DropStream();
  user_.OnResult(result, received_);
}

}  // namespace updraft
