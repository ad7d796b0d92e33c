// The way between libmosquitto and the broker. libmosquitto acknowledges a message before anybody
// has seen it; so it is given a unix socket of this process in place of the broker's, and what it
// sends waits here until the engine has made durable what came in before.
//
//   broker ──TCP──▶ relay ──unix──▶ libmosquitto      at once, but only as much as was asked for
//   broker ◀──TCP── hold-back ◀──unix── libmosquitto  when released
//
// The bytes are not looked into. Errors: UNAVAILABLE where either side is gone. Times are
// milliseconds of a clock that does not go back. Thread-safety: none; one thread, which polls.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <sys/socket.h>

#include "adapters/mqtt/hold_back.h"
#include "events/base/owned_fd.h"
#include "events/base/status.h"

namespace updraft {

// Where the broker is.
struct ResolvedAddress {
  sockaddr_storage address = {};
  socklen_t size = 0;
};
// Asks the resolver, which may take its time. UNAVAILABLE, with the name.
Result<ResolvedAddress> ResolveBroker(const std::string& host, uint16_t port);

class Relay {
 public:
  // What libmosquitto has sent is left in its socket beyond this.
  static constexpr size_t kHeldBytesMax = 16 * 1024 * 1024;

  // Makes the unix socket, in a directory that is this user's alone.
  static Result<std::unique_ptr<Relay>> Create();
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // What the client connects to.
  const std::string& path() const { return path_; }

  // Begins to connect to the broker.
  Status Dial(const ResolvedAddress& broker);
  // After the broker's socket was found writable: whether it is connected.
  Status FinishDial();
  // Takes the client that has connected to path().
  Status Accept();
  // Both connections are over; bytes that have not left are dropped.
  void Close();

  int broker_fd() const { return broker_.get(); }
  int client_fd() const { return client_.get(); }

  // Bytes from the broker that the client has not taken yet.
  bool HasInput() const { return input_sent_ < input_.size(); }
  bool HasRoomForOutput() const { return held_.bytes() < kHeldBytesMax; }
  bool HasOutput() const { return !held_.Ready().empty(); }

  // Moves bytes from the broker to the client, a buffer at most.
  Status PumpIn();
  // Takes all that the client has sent, tagged.
  Status TakeOutput(uint64_t tag, int64_t now_ms);
  // Sends the broker what may leave.
  Status PumpOut();

  void Release(uint64_t tag) { held_.Release(tag); }
  int64_t HeldMs(int64_t now_ms) const { return held_.HeldMs(now_ms); }

 private:
  Relay() = default;

  std::string directory_;
  std::string path_;
  OwnedFd listener_;
  OwnedFd broker_;
  OwnedFd client_;
  std::string input_;  // From the broker, sent on up to input_sent_.
  size_t input_sent_ = 0;
  HoldBack held_;
};

}  // namespace updraft
