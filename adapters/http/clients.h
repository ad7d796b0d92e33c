// All connections of a server: takes them in within the bounds, and ends them when it stops.
// Belongs to the server's thread.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>

#include <kj/async-io.h>

#include "adapters/http/connection.h"

namespace updraft {

class Clients final : private kj::TaskSet::ErrorHandler {
 public:
  struct Bounds {
    size_t connections_max;
    size_t connections_per_address_max;
    unsigned stall_timeout_ms;
  };
  // `context.when_draining` is filled in here.
  Clients(ConnectionContext context, Bounds bounds);

  // Takes connections until the promise is dropped.
  kj::Promise<void> AcceptFrom(kj::ConnectionReceiver& port);

  // Ends the connections as each has answered what it has at hand; done when none is left. Once.
  kj::Promise<void> Drain();

 private:
  void Admit(kj::Own<kj::AsyncIoStream> stream);
  void taskFailed(kj::Exception&& exception) override;

  ConnectionContext context_;
  const Bounds bounds_;
  kj::Own<kj::PromiseFulfiller<void>> start_draining_;
  kj::ForkedPromise<void> draining_;
  bool accept_failing_ = false;
  std::unordered_set<Connection*> connections_;
  std::unordered_map<std::string, size_t> by_address_;
  kj::TaskSet tasks_;  // A connection each. Destroyed first: its tasks use the above.
};

}  // namespace updraft
