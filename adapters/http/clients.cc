#include "adapters/http/clients.h"

#include <utility>

#include <arpa/inet.h>
#include <kj/debug.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "events/base/log_line.h"

namespace updraft {
namespace {

constexpr kj::Duration kAcceptPause = 100 * kj::MILLISECONDS;

// What the system holds for a client and has not sent yet, beyond which a write waits. It keeps the
// memory of many slow readers small; what is on its way to a fast one does not count.
constexpr int kUnsentBytesMax = 256 * 1024;

// The peer's address without its port; empty when it has gone already.
std::string PeerAddress(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return "";
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in&>(address).sin_addr, text, sizeof(text));
  } else if (address.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6&>(address).sin6_addr, text, sizeof(text));
  }
  return text;
}

void SetSocketBounds(int fd, unsigned stall_timeout_ms) {
  // A failure means that the client has gone, which the first read tells.
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall_timeout_ms, sizeof(stall_timeout_ms));
  setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytesMax, sizeof(kUnsentBytesMax));
}

void RefuseForNow(int fd) {
  static constexpr std::string_view kBusy =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
      "Content-Length: 0\r\n\r\n";
  // Into the empty buffer of a new socket: it fits or the client has gone.
  [[maybe_unused]] ssize_t written = write(fd, kBusy.data(), kBusy.size());
  shutdown(fd, SHUT_WR);
}

}  // namespace

Clients::Clients(ConnectionContext context, Bounds bounds)
    : context_(std::move(context)), bounds_(bounds), draining_(nullptr), tasks_(*this) {
  auto pair = kj::newPromiseAndFulfiller<void>();
  start_draining_ = kj::mv(pair.fulfiller);
  draining_ = pair.promise.fork();
  context_.when_draining = [this] { return draining_.addBranch(); };
}

kj::Promise<void> Clients::AcceptFrom(kj::ConnectionReceiver& port) {
  return port.accept()
      .then([this](kj::Own<kj::AsyncIoStream> stream) -> kj::Promise<void> {
        accept_failing_ = false;
        Admit(kj::mv(stream));
        return kj::READY_NOW;
      })
      .catch_([this](kj::Exception&& exception) {
        // Most likely out of file descriptors: those who are connected are served on.
        if (!accept_failing_) {
          LogError("cannot take a connection", {{"why", exception.getDescription().cStr()}});
        }
        accept_failing_ = true;
        return context_.loop.timer.afterDelay(kAcceptPause);
      })
      .then([this, &port] { return AcceptFrom(port); });
}

void Clients::Admit(kj::Own<kj::AsyncIoStream> stream) {
  int fd = KJ_ASSERT_NONNULL(stream->getFd());
  std::string peer = PeerAddress(fd);
  size_t& of_address = by_address_[peer];
  if (connections_.size() >= bounds_.connections_max ||
      of_address >= bounds_.connections_per_address_max) {
    if (of_address == 0) by_address_.erase(peer);
    ++context_.stats.connections_refused;
    return RefuseForNow(fd);
  }
  SetSocketBounds(fd, bounds_.stall_timeout_ms);
  ++of_address;
  auto connection = kj::heap<Connection>(context_, kj::mv(stream), peer);
  Connection* key = connection.get();
  connections_.insert(key);
  ++context_.stats.connections_open;
  auto forget = kj::defer([this, key, peer] {
    --context_.stats.connections_open;
    connections_.erase(key);
    if (--by_address_[peer] == 0) by_address_.erase(peer);
  });
  tasks_.add(key->Serve().attach(kj::mv(connection), kj::mv(forget)));
}

kj::Promise<void> Clients::Drain() {
  start_draining_->fulfill();
  for (Connection* connection : connections_) connection->Drain();
  return tasks_.onEmpty();
}

void Clients::taskFailed(kj::Exception&& exception) {
  // A client that broke off: its own business, and any of them can make as many as it likes.
  LogDebug("connection broke", {{"why", exception.getDescription().cStr()}});
}

}  // namespace updraft
