// A private mosquitto as a child process: started with a configuration of ours, started again when
// it dies, ended with us.
//
// It outlives a service that is killed, and that is good: it keeps its devices, and what they say
// until the service is back, which then adopts it.
//
// Thread-safety: Start and Stop from one thread; the rest from any.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <sys/types.h>

#include "events/base/status.h"

namespace updraft {

struct BrokerChildOptions {
  std::string config_path;
  std::string log_path;  // What the broker says goes here.
  std::string pid_path;  // Which process it is, and its port.
  std::string host;
  uint16_t port = 0;
};

// A broker that an earlier service left running.
struct LeftoverBroker {
  pid_t pid = 0;
  uint16_t port = 0;
};
std::optional<LeftoverBroker> FindLeftoverBroker(const std::string& pid_path,
                                                 const std::string& config_path);
// Ends a process that need not be our child.
void EndProcess(pid_t pid);

class BrokerChild {
 public:
  explicit BrokerChild(BrokerChildOptions options) : options_(std::move(options)) {}
  ~BrokerChild() { Stop(); }

  // Goes on with a broker that runs already. UNAVAILABLE when it does not listen where it should:
  // then it is ended, and Start() may be tried.
  Status Adopt(pid_t pid);
  // Returns once the broker takes connections. NOT_FOUND when mosquitto is not installed;
  // UNAVAILABLE when it ends at once, with the last lines of what it said.
  Status Start();
  // Ends it, gently first.
  void Stop();

  int restarts() const;

 private:
  Status Spawn();
  bool HasEnded();
  Status AwaitListening();
  void Supervise();
  std::string LastWords() const;

  const BrokerChildOptions options_;
  mutable std::mutex mutex_;
  pid_t pid_ = 0;
  int restarts_ = 0;
  bool stopping_ = false;
  std::thread supervisor_;
};

// A port of `host` that is free at this moment.
Result<uint16_t> FindFreePort(const std::string& host);

}  // namespace updraft
