// One package fetched over HTTP/1.1 as the C SDKs do it: `Range: bytes=N-`, the answer's head read
// as strictly as they read it, what was cut taken up again, the digest checked at the end.
//
// The head: status line `HTTP/1.1 200` or `206`, `Content-Length: n` spelled so, lines of at most
// 128 bytes and 1,023 bytes in all. A download that was begun before is only taken up by a 206.
//
// Thread-safety: the loop's thread. Lifetime: `user` outlives it; it may be destroyed from within
// the calls to the user.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

#include "tests/fleet/loop.h"
#include "tests/fleet/notice.h"
#include "tests/fleet/stream.h"

namespace updraft {

// What the head of an answer says, or that a fielded client would not take it.
struct DownloadHead {
  bool acceptable = false;
  uint64_t content_bytes = 0;
};
// `head` ends with the empty line.
DownloadHead ReadDownloadHead(std::string_view head, uint64_t first_byte);

class Download : public Stream::User {
 public:
  enum class Result { kDone, kWrongDigest, kRefused };
  class User {
   public:
    virtual ~User() = default;
    virtual void OnPercent(int percent) = 0;  // 0, 5, 10, … 100.
    virtual void OnResult(Result result, uint64_t bytes) = 0;
  };

  // Waits `pause_ms` after each twentieth.
  Download(Loop& loop, ReceivedNotice notice, int64_t pause_ms, User& user);
  ~Download() override;

  int requests() const { return requests_; }

 private:
  void Request();
  void DropStream();
  void Finish(Result result);
  void OnBytes(std::string_view bytes) override;
  void OnClosed() override;
  void OnHead();
  void Consume();

  Loop& loop_;
  User& user_;
  ReceivedNotice notice_;
  DownloadAddress address_;
  int64_t pause_ms_;
  std::unique_ptr<Stream> stream_;
  std::string waiting_;  // Received, not yet taken.
  bool head_read_ = false;
  bool pausing_ = false;
  uint64_t received_ = 0;
  int percent_ = 0;
  int requests_ = 0;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // Gone with this.
};

}  // namespace updraft
