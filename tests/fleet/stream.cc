#include "tests/fleet/stream.h"

#include <array>
#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace updraft {

Stream::Stream(Loop& loop, const std::string& ip, uint16_t port, User& user)
    : loop_(loop),
      user_(user),
      fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  int one = 1;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  bool started = fd_.ok() && inet_pton(AF_INET, ip.c_str(), &address.sin_addr) == 1 &&
                 setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
                 (connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 ||
                  errno == EINPROGRESS);
  if (started) {
    watch_ = loop_.Watch(fd_.get(), EPOLLOUT, this);
  } else {
    fd_ = OwnedFd();
    // Later, as every other failure: the user has no stream in hand yet.
    loop_.After(0, [this, alive = std::weak_ptr<int>(alive_)] {
      if (!alive.expired() && !closed_) user_.OnClosed();
    });
  }
}

Stream::~Stream() { Close(); }

void Stream::Close() {
  closed_ = true;
  if (!fd_.ok()) return;
  loop_.Forget(watch_, fd_.get());
  fd_ = OwnedFd();
}

void Stream::Send(std::string_view bytes) {
  if (!fd_.ok()) return;
  unsent_ += bytes;
  if (!connecting_) Flush();
}

void Stream::PauseReading(bool pause) {
  paused_ = pause;
  UpdateWatch();
}

void Stream::UpdateWatch() {
  if (!fd_.ok() || connecting_) return;
  uint32_t wanted =
      (paused_ ? 0u : uint32_t{EPOLLIN}) | (unsent_.empty() ? 0u : uint32_t{EPOLLOUT});
  loop_.Change(watch_, fd_.get(), wanted);
}

void Stream::Flush() {
  ssize_t sent = send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  // A dead connection is seen when it is next read.
  if (sent > 0) unsent_.erase(0, static_cast<size_t>(sent));
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) unsent_.clear();
  UpdateWatch();
}

void Stream::Fail() {
  Close();
  user_.OnClosed();
}

void Stream::OnReady(uint32_t epoll_events) {
  if (connecting_) {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Fail();
    connecting_ = false;
  }
  if (!unsent_.empty() || (epoll_events & EPOLLOUT)) Flush();
  if (epoll_events & (EPOLLHUP | EPOLLERR) && paused_) return Fail();
  if (!(epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  std::array<char, 16'384> buffer;
  ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (got > 0) return user_.OnBytes(std::string_view(buffer.data(), static_cast<size_t>(got)));
  if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) Fail();
}

}  // namespace updraft
