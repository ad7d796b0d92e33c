// What an installation keeps in its data directory beside the log, and where everything lies.
//
//   DIR/log/             the events, and the sidecar
//   DIR/checkpoints/     states folded from the log; may be deleted, starting then takes longer
//   DIR/sidecar.key      the sidecar's key; keep a copy of it elsewhere
//   DIR/installation.key from which the keys of download links and object ids are made
//   DIR/access-key.json  the first access key of the console's API, mode 0600
//   DIR/files/           packages and device lists
//   DIR/broker/          the private broker's configuration, credentials and log
//   DIR/run.json         where the running service listens
//
// Thread-safety: none.
#pragma once

#include <string>

#include "events/base/status.h"

namespace updraft {

struct AccessKey {
  std::string id;
  std::string secret;
};

// Where a running service can be reached.
struct RunFile {
  std::string http;  // ADDR:PORT.
  std::string mqtt;  // HOST:PORT.
  int pid = 0;
};

class Installation {
 public:
  explicit Installation(std::string dir) : dir_(std::move(dir)) {}

  const std::string& dir() const { return dir_; }
  std::string log_dir() const { return dir_ + "/log"; }
  std::string sidecar_key_path() const { return dir_ + "/sidecar.key"; }
  std::string checkpoint_dir() const { return dir_ + "/checkpoints"; }
  std::string files_dir() const { return dir_ + "/files"; }
  std::string broker_dir() const { return dir_ + "/broker"; }
  std::string installation_key_path() const { return dir_ + "/installation.key"; }
  std::string access_key_path() const { return dir_ + "/access-key.json"; }

  // Makes the directory, for the owner only, and the installation's key, where they are missing.
  // FAILED_PRECONDITION when the key is missing beside a log.
  Status Prepare();
  // Reads the key and makes nothing. NOT_FOUND where no service ever ran.
  Status Load();
  // A key for one purpose, made from the installation's. REQUIRED: Prepare() or Load() was OK.
  std::string KeyFor(std::string_view purpose) const;

  Result<AccessKey> ReadAccessKey() const;
  Status WriteAccessKey(const AccessKey& key) const;

  // NOT_FOUND when no service runs on the directory, as far as the file tells.
  Result<RunFile> ReadRunFile() const;
  Status WriteRunFile(const RunFile& run) const;
  void RemoveRunFile() const;

 private:
  std::string dir_;
  std::string key_;
};

// The whole of a small file. NOT_FOUND, or what the system says.
Result<std::string> ReadSmallFile(const std::string& path);
// Replaces the file in one step, with this mode.
Status ReplaceFile(const std::string& path, std::string_view text, int mode);

}  // namespace updraft
