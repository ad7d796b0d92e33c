#include "tests/http/raw_client.h"

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace updraft {

RawClient::RawClient(uint16_t port, int receive_buffer_bytes)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer_bytes > 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
  }
  timeval patience{60, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("cannot connect");
  }
}

RawClient::~RawClient() {
  if (fd_ >= 0) close(fd_);
}

RawClient::RawClient(RawClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawClient::ShutdownWrite() { shutdown(fd_, SHUT_WR); }

bool RawClient::Fill() {
  char bytes[65536];
  ssize_t got = recv(fd_, bytes, sizeof(bytes), 0);
  if (got < 0 && errno == EAGAIN) throw std::runtime_error("nothing came for a minute");
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(got));
  return true;
}

std::string RawClient::ReadUntil(std::string_view end) {
  while (true) {
    if (size_t at = buffer_.find(end); at != buffer_.npos) return ReadExactly(at + end.size());
    if (!Fill()) return std::exchange(buffer_, "");
  }
}

std::string RawClient::ReadExactly(size_t count) {
  while (buffer_.size() < count && Fill()) {
  }
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

std::string RawClient::ReadAnswer() {
  static constexpr std::string_view kLength = "\r\nContent-Length: ";
  std::string head = ReadHead();
  size_t at = head.find(kLength);
  if (at == head.npos) return head;
  return head + ReadExactly(std::strtoull(head.c_str() + at + kLength.size(), nullptr, 10));
}

std::string RawClient::ReadToClose() {
  while (Fill()) {
  }
  return std::exchange(buffer_, "");
}

std::string RawClient::Ask(std::string_view request) {
  Send(request);
  return ReadAnswer();
}

std::string BodyOf(std::string_view answer) {
  size_t at = answer.find("\r\n\r\n");
  return at == answer.npos ? "" : std::string(answer.substr(at + 4));
}

std::string StatusOf(std::string_view answer) {
  return std::string(answer.substr(0, answer.find("\r\n")));
}

}  // namespace updraft
