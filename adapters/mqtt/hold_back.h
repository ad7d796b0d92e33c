// Bytes on their way to the broker that must not arrive before the engine has made durable what
// they may acknowledge. Bytes leave in the order they came in; each run of them waits until the
// command that it is tagged with is answered.
//
// Times are milliseconds of a clock that does not go back. Thread-safety: none; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace updraft {

class HoldBack {
 public:
  // `tag` does not go down from one call to the next.
  void Add(std::string_view bytes, uint64_t tag, int64_t now_ms);

  // All that is tagged with up to `tag` may leave.
  void Release(uint64_t tag);

  // The first bytes that may leave; empty when none may.
  std::string_view Ready() const;
  // So many of them have left.
  void Consume(size_t count);

  size_t bytes() const { return bytes_; }
  // How long the oldest bytes have been kept from leaving by their tag; 0 when none are.
  int64_t HeldMs(int64_t now_ms) const;

  // Forgets the bytes; the connection that they were for is gone.
  void Clear();

 private:
  struct Run {
    std::string bytes;
    uint64_t tag = 0;
    int64_t since_ms = 0;
  };
  // Runs of a like tag are joined up to this, so that many small ones leave in one write.
  static constexpr size_t kRunBytes = 64 * 1024;

  std::deque<Run> runs_;
  size_t consumed_ = 0;  // Of the first run.
  size_t bytes_ = 0;
  uint64_t released_ = 0;
};

}  // namespace updraft
