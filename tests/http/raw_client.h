// A client that sends and reads exact bytes. A read that waits for more than a minute throws, so
// that a test fails and does not hang.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace updraft {

class RawClient {
 public:
  // Connects to 127.0.0.1. With `receive_buffer_bytes` the system takes about so much before the
  // other side has to wait.
  explicit RawClient(uint16_t port, int receive_buffer_bytes = 0);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient(const RawClient&) = delete;

  // Sends all of it; false when the other side has closed.
  bool Send(std::string_view bytes);
  void ShutdownWrite();

  // What comes up to and with `end`, or up to the close.
  std::string ReadUntil(std::string_view end);
  std::string ReadHead() { return ReadUntil("\r\n\r\n"); }
  std::string ReadExactly(size_t count);
  // A head and, by its Content-Length, a body.
  std::string ReadAnswer();
  std::string ReadToClose();
  // Sends a request and reads the answer.
  std::string Ask(std::string_view request);

 private:
  bool Fill();  // False at the end.

  int fd_;
  std::string buffer_;  // Received and not read.
};

// The body of an answer.
std::string BodyOf(std::string_view answer);
// The first line of an answer, without its line break.
std::string StatusOf(std::string_view answer);

}  // namespace updraft
