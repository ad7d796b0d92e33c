// Follows a service's committed events (GET /events): each once, in order, without a gap, across
// breaks of the connection and restarts of the service, which it waits for.
//
//   EventFollower follower(client, Seq(1));
//   while (true) {
//     ASSIGN_OR_RETURN(std::vector<FollowedEvent> events, follower.Next(1'000));
//     …
//   }
//
// Thread-safety: none. One to a thread: kj has one event loop a thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/cli/api_client.h"
#include "events/base/ids.h"
#include "events/base/status.h"

namespace updraft {

struct FollowedEvent {
  Seq seq;
  std::string json;
};

class EventFollower {
 public:
  // How long a service that is away is waited for.
  static constexpr int64_t kPatienceMs = 60'000;

  // From event `first` on. `client` outlives it.
  EventFollower(const ApiClient& client, Seq first);
  ~EventFollower();

  // Waits up to `wait_ms` for events and gives those that came; none when none did, or when the
  // service is away. Refused by the service: a status with its code. UNAVAILABLE when it is away
  // for kPatienceMs, and at once when it was never there.
  Result<std::vector<FollowedEvent>> Next(int64_t wait_ms);

  // The last event that Next gave; the next one follows it.
  Seq last() const { return last_; }
  bool connected() const { return connection_ != nullptr; }

 private:
  class Connection;

  Status Connect();
  // What `text` holds of whole events; of the stream's own words `dropped` ends the connection.
  std::vector<FollowedEvent> TakeEvents();

  const ApiClient& client_;
  Seq last_;
  std::string text_;  // Received, and not a whole event yet.
  std::unique_ptr<Connection> connection_;
  bool ever_connected_ = false;
  int64_t away_since_us_ = 0;
  bool dropped_ = false;
};

}  // namespace updraft
