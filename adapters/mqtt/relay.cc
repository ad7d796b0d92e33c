#include "adapters/mqtt/relay.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

namespace updraft {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

Status Failed(std::string_view what, int error) {
  return Status(StatusCode::kUnavailable, fmt::format("{}: {}", what, strerror(error)));
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

Result<ResolvedAddress> ResolveBroker(const std::string& host, uint16_t port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    return Status(StatusCode::kUnavailable,
                  fmt::format("the broker's address '{}': {}", host, gai_strerror(error)));
  }
  ResolvedAddress broker;
  std::memcpy(&broker.address, found->ai_addr, found->ai_addrlen);
  broker.size = found->ai_addrlen;
  freeaddrinfo(found);
  return broker;
}

Result<std::unique_ptr<Relay>> Relay::Create() {
  std::unique_ptr<Relay> relay(new Relay);
  std::error_code error;
  std::string directory = std::filesystem::temp_directory_path(error) / "updraft-mqtt-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return Failed("cannot make " + directory, errno);
  relay->directory_ = directory;
  relay->path_ = directory + "/relay";
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (relay->path_.size() >= sizeof(address.sun_path)) {
    return Status(StatusCode::kInvalidArgument, "too long for a socket: " + relay->path_);
  }
  relay->path_.copy(address.sun_path, relay->path_.size());
  relay->listener_ = OwnedFd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (bind(relay->listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(relay->listener_.get(), 1) != 0) {
    return Failed("cannot listen on " + relay->path_, errno);
  }
  return relay;
}

Relay::~Relay() {
  if (directory_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Status Relay::Dial(const ResolvedAddress& broker) {
  Close();
  // Clients that connected and were not accepted.
  while (OwnedFd(accept(listener_.get(), nullptr, nullptr)).ok()) {
  }
  broker_ = OwnedFd(
      socket(broker.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!broker_.ok()) return Failed("no socket", errno);
  int on = 1;
  setsockopt(broker_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const auto* address = reinterpret_cast<const sockaddr*>(&broker.address);
  if (connect(broker_.get(), address, broker.size) != 0 && errno != EINPROGRESS) {
    return Failed("cannot connect", errno);
  }
  return OkStatus();
}

Status Relay::FinishDial() {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(broker_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? OkStatus() : Failed("cannot connect", error);
}

Status Relay::Accept() {
  client_ = OwnedFd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return client_.ok() ? OkStatus() : Failed("no client", errno);
}

void Relay::Close() {
  broker_ = OwnedFd();
  client_ = OwnedFd();
  input_.clear();
  input_sent_ = 0;
  held_.Clear();
}

Status Relay::PumpIn() {
  if (!HasInput()) {
    input_.resize(kBufferBytes);
    input_sent_ = 0;
    ssize_t got = recv(broker_.get(), input_.data(), input_.size(), 0);
    int error = errno;
    input_.resize(got > 0 ? static_cast<size_t>(got) : 0);
    if (got == 0) return Status(StatusCode::kUnavailable, "the broker closed the connection");
    if (got < 0 && !WouldBlock(error)) return Failed("the broker is gone", error);
  }
  while (HasInput()) {
    ssize_t sent =
        send(client_.get(), input_.data() + input_sent_, input_.size() - input_sent_, MSG_NOSIGNAL);
    if (sent < 0 && WouldBlock(errno)) break;
    if (sent < 0) return Failed("the client is gone", errno);
    input_sent_ += static_cast<size_t>(sent);
  }
  return OkStatus();
}

Status Relay::TakeOutput(uint64_t tag, int64_t now_ms) {
  char buffer[kBufferBytes];
  while (HasRoomForOutput()) {
    ssize_t got = recv(client_.get(), buffer, sizeof(buffer), 0);
    if (got < 0 && WouldBlock(errno)) break;
    if (got <= 0) return Status(StatusCode::kUnavailable, "the client closed the connection");
    held_.Add(std::string_view(buffer, static_cast<size_t>(got)), tag, now_ms);
  }
  return OkStatus();
}

Status Relay::PumpOut() {
  while (HasOutput()) {
    std::string_view ready = held_.Ready();
    ssize_t sent = send(broker_.get(), ready.data(), ready.size(), MSG_NOSIGNAL);
    if (sent < 0 && WouldBlock(errno)) break;
    if (sent < 0) return Failed("the broker is gone", errno);
    held_.Consume(static_cast<size_t>(sent));
  }
  return OkStatus();
}

}  // namespace updraft
