// What a broker with the gate reads: the credentials' directory, the engine account's password, and
// for a private broker its configuration.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>

#include "events/base/status.h"

namespace updraft {

class BrokerFiles {
 public:
  explicit BrokerFiles(std::string dir) : dir_(std::move(dir)) {}

  const std::string& dir() const { return dir_; }
  std::string credentials_dir() const { return dir_ + "/credentials"; }
  std::string password_path() const { return dir_ + "/engine-password"; }
  std::string config_path() const { return dir_ + "/mosquitto.conf"; }
  std::string log_path() const { return dir_ + "/mosquitto.log"; }
  std::string pid_path() const { return dir_ + "/mosquitto.pid"; }

  // Makes the directories and the password where they are missing.
  Status Prepare() const;
  // REQUIRED: Prepare() was OK.
  Result<std::string> ReadPassword() const;
  // The configuration of a private broker. It names the plugin's build too, so that it changes with
  // whatever a running broker would have to be started again for.
  Result<std::string> MakeConfig(const std::string& host, uint16_t port) const;
  // What the broker was started with last; empty when there is none.
  std::string ReadConfig() const;
  Status WriteConfig(const std::string& config) const;

 private:
  std::string dir_;
};

// The gate's shared object: beside the program in a build tree, else where it is installed.
std::string FindPlugin();

}  // namespace updraft
