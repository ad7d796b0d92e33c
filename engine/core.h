// The engine without its threads: the world, and what a turn does to it. Engine drives it with real
// clocks and a real disk, simulations with their own; both run this code.
//
//   core.Recover(log);
//   core.BeginTurn(now_ms);
//   core.RunAgenda();
//   Outcome outcome = core.Execute(command, key);     // Any number of times.
//   std::optional<CommitJob> job = core.EndTurn();    // To the log, then the outcomes may leave.
//
// Thread-safety: none; it belongs to one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/commands.h"
#include "engine/decide.h"
#include "engine/recovery.h"
#include "engine/turn.h"
#include "events/log/event_log.h"
#include "projections/prefetch.h"
#include "projections/world.h"

namespace updraft {

// The world's digest is written in the log after so many commits, or so many events.
inline constexpr uint64_t kDigestEveryCommits = 1'024;
inline constexpr uint64_t kDigestEveryEvents = 262'144;

struct CommitJob {
  SealedCommit commit;
  std::vector<SideWrite> side;
  bool ends_with_digest = false;
};

class Core {
 public:
  struct Options {
    Limits limits;
    uint16_t engine_number = 1;
    std::string build;
  };

  explicit Core(Options options) : options_(std::move(options)) {}

  // Takes on the world that the log adds up to; see recovery.h.
  Status Recover(const EventLog& log, const RecoveryOptions& options = {});
  // The checkpoint that Recover began with, 0 for none; what the operator should know of others.
  Seq checkpoint() const { return checkpoint_; }
  const std::vector<std::string>& notices() const { return notices_; }
  // The last event that Recover found a checkpoint could be made of; 0: none.
  Seq digest_at() const { return digest_at_; }

  // Opens this engine's reign with the first commit of a new epoch.
  CommitJob BeginReign(int64_t now_ms);

  // Fires what is due by then, a bounded number.
  // REQUIRED: now_ms is not before any earlier turn's.
  void BeginTurn(int64_t now_ms);
  // Brings near the devices that these commands are about, before they are executed; no more than
  // kExpectedMax.
  void Expect(std::span<const Command* const> commands) const;
  static constexpr size_t kExpectedMax = Prefetcher::kEvents;
  // Not for TakePushes.
  Outcome Execute(const Command& command, const Origin& origin);
  // Whether the turn's commit has room for more commands.
  bool HasRoom() const { return turn_->HasRoom(); }
  // At most `max` pushes that are due now. Pushes that a former reign recorded and the broker may
  // not have come first, once.
  std::vector<Push> TakePushes(uint32_t max);
  // Takes a step of what goes on over many turns.
  void RunAgenda();
  // Nothing when the turn had no events.
  std::optional<CommitJob> EndTurn();
  // With the digest in it; for the last turn of a reign.
  std::optional<CommitJob> EndTurnWithDigest();

  // When the next turn is needed although nobody asks; the far future when none is.
  int64_t NextDue(bool pushes_wanted);

  // Timers and pushes stand still until an operator confirms the clock.
  void HoldClock() { clock_held_ = true; }
  bool clock_held() const { return clock_held_; }

  const World& world() const { return *world_; }
  const LogHead& head() const { return head_; }
  int64_t now_ms() const { return turn_->now_ms(); }

 private:
  void StartTurn(int64_t now_ms);
  // A push of a former reign, if the device may still be waiting for it.
  std::optional<Push> Resend(PushNumber number);
  void RecordDigest();
  CommitJob SealTurn();

  Options options_;
  std::unique_ptr<World> world_ = std::make_unique<World>();
  Seq checkpoint_;
  Seq digest_at_;
  std::vector<std::string> notices_;
  CommitWriter writer_;
  LogHead head_;  // With every commit that EndTurn gave out, durable or not.
  uint64_t commits_since_digest_ = 0;
  uint64_t events_since_digest_ = 0;
  bool clock_held_ = false;
  bool more_due_ = false;  // Not all that is due fitted the turn.
  std::optional<Turn> turn_;
  Work work_;
  Pusher pusher_;
  std::deque<PushNumber> resend_;
};

}  // namespace updraft
