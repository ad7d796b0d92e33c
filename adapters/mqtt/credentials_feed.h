// Keeps the gate's credential files (adapters/wire/credential_table.h) in step with the engine: a
// base of all products and devices when there is none to continue, then each change as it becomes
// durable, and a new base when the changes have grown long.
//
// A change is written as what is true now, not as what the event said: reading an event again, or
// late, does no harm. While a new base is being made, changes go on into the old one.
//
// The feed has a thread of its own, which waits for the disk and the engine; a disk that refuses is
// tried again, and meanwhile the gate decides by what it has.
//
// Thread-safety: any thread may call.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/mqtt/credential_source.h"
#include "adapters/mqtt/device_keys.h"
#include "adapters/wire/credential_writer.h"
#include "engine/updraft.h"
#include "events/base/ids.h"
#include "events/base/status.h"
#include "events/log/commit.h"

namespace updraft {

struct CredentialsStats {
  uint64_t generation = 0;  // Of the files; 0 before the first.
  uint64_t position = 0;    // Of the last change written.
  uint64_t followed = 0;    // The last event looked at: all up to here is in the files.
  uint64_t delta_records = 0;
  std::string last_error;  // Empty when the last try succeeded.
};

class CredentialsFeed {
 public:
  struct Options {
    std::string dir;  // Made when missing.
    // A delta of more records than this, and than a quarter of the devices, becomes a new base.
    uint64_t delta_records_max = 100'000;
  };

  // Starts the thread. `engine` outlives the feed. FAILED_PRECONDITION where the directory cannot
  // be made.
  static Result<std::unique_ptr<CredentialsFeed>> Start(Options options, Engine& engine);
  ~CredentialsFeed();

  // The log has grown. Quick; for EngineOptions::on_commit.
  void OnCommit();
  // Waits for the engine, so call it before the engine is gone. Idempotent.
  void Stop();

  CredentialsStats Stats() const;

 private:
  CredentialsFeed(Options options, Engine& engine);

  void Run();
  // Waits for the log to grow past `followed_`, or until the next try; false at the end.
  bool AwaitWork(bool failed);
  Status Step();
  Status Continue();
  Status WriteBase();
  Status WriteBaseDevices(CredentialBase& base, DeviceId newest, uint64_t position);
  Status Follow();
  Status FollowCommit(const CommitReader& commit);
  Status WriteChanges();
  Status FollowEvent(events::Event::Reader event, uint64_t position);
  Status FollowDevices(DeviceId first, uint32_t count, uint64_t position);
  Status FollowDeleted(DeviceId device, uint64_t position);
  void Publish(const Status& status);

  const Options options_;
  Engine& engine_;
  CredentialSource source_;

  // The thread's.
  std::optional<DeviceKeys> keys_;
  std::optional<CredentialWriter> writer_;
  uint64_t followed_ = 0;
  uint64_t base_devices_ = 0;
  std::vector<CredentialRecord> changes_;  // Of events up to `followed_`, to be written.

  mutable std::mutex mutex_;  // Over all below.
  std::condition_variable wake_;
  bool stopping_ = false;
  bool grown_ = true;
  CredentialsStats stats_;

  std::once_flag stopped_;
  std::thread thread_;
};

}  // namespace updraft
