// From a log to the world that it adds up to: the newest good checkpoint and the log's tail, or the
// whole log. Making a checkpoint is that same way, gone in the background, and its end written
// down: there is no other code that could come to another world.
//
// Checkpoints are a convenience. Without any, or with none that is good, only starting takes
// longer.
//
// Thread-safety: functions of their arguments. A log may be written meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "events/log/event_log.h"
#include "projections/world.h"

namespace updraft {

// The highest schema that this build writes and understands.
inline constexpr uint32_t kSchemaVersion = 2;

// Folds one commit into a world. DATA_LOSS when a recorded digest is not the world's;
// FAILED_PRECONDITION when a newer build wrote it.
Status Fold(World& world, const CommitReader& commit);

struct RecoveryOptions {
  // Where checkpoints lie. None are looked for when empty.
  std::string checkpoint_dir = {};
  // The last event of a commit: the world as of then. 0: as the log ends.
  Seq to = {};
  // With the names of devices, from the sidecar.
  bool names = true;
  // With a second thread that loads and checks the log while this one folds.
  bool read_ahead = false;
  // Told the last sequence number now and then. What it returns other than OK ends the recovery and
  // is its result.
  std::function<Status(Seq)> progress = nullptr;
};

struct Recovered {
  std::unique_ptr<World> world;
  LogHead head;                      // After the last commit that was folded.
  Seq checkpoint;                    // The last event of the one that was used; 0: none was.
  Seq digest_at;                     // The last event that a checkpoint could be made of; 0: none.
  std::vector<std::string> notices;  // Checkpoints that were passed over and why, for the operator.
};

// DATA_LOSS when the log contradicts itself or a recorded digest; FAILED_PRECONDITION when a newer
// build wrote it. A checkpoint never is a reason to fail.
Result<Recovered> Recover(const EventLog& log, const RecoveryOptions& options);

// Writes down the world as of `options.to`, a commit's last event that records the digest, as the
// newest checkpoint, and returns its CheckpointWorth. FAILED_PRECONDITION when no digest is
// recorded there. Names are left out. `rest` is as CheckpointWriter::Begin has it.
Result<uint64_t> MakeCheckpoint(const EventLog& log, RecoveryOptions options,
                                std::function<void()> rest = nullptr);

// How many events behind its checkpoint a world is worth another one: folding them then takes about
// as long as loading it.
uint64_t CheckpointWorth(const World& world);

}  // namespace updraft
