// One turn's work on the world: what Decide writes to. An event is recorded for the commit and
// evolves the world in one step, so that the next decision of the turn sees it.
//
// Decide keeps one rule: it refuses before it emits. A command that has emitted cannot fail.
//
// Thread-safety: none; the engine's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "events/log/commit.h"
#include "events/log/event_log.h"
#include "projections/evolve.h"
#include "projections/world.h"

namespace updraft {

class Turn {
 public:
  // `world` and `writer` outlive it.
  Turn(World& world, CommitWriter& writer, Seq next, int64_t now_ms)
      : world_(world), writer_(writer), next_(next), now_ms_(now_ms) {}

  const World& world() const { return world_; }
  int64_t now_ms() const { return now_ms_; }

  // Whose command the following events come from; 0 for devices, timers and the engine itself.
  void SetBy(KeyId by) { by_ = by; }
  KeyId by() const { return by_; }

  // Nothing comes due in this turn: the clock is in doubt.
  void HoldTimers() { timers_held_ = true; }
  bool timers_held() const { return timers_held_; }

  // Records the event that `fill` makes of an events::Event::Builder, and returns its number.
  template <class Fill>
  Seq Emit(Fill fill) {
    events::Event::Builder event = writer_.Add();
    event.setBy(by_.value());
    fill(event);
    Seq seq = next_;
    next_ = Seq(next_.value() + 1);
    Evolve(world_, seq, now_ms_, event.asReader());
    return seq;
  }
  // The number that the next event will have.
  Seq next() const { return next_; }

  // Whether any record may wait for something that is due, or for a walk or sweep to come by.
  bool MayBeDue() { return world_.NextTimerDue() <= now_ms_ || !world_.agenda().at_work.empty(); }
  std::optional<Timer> TakeDueTimer() { return world_.TakeDueTimer(now_ms_); }

  // Goes to the sidecar with the commit; see SideWrite.
  void Side(std::string key, std::optional<std::string> value) {
    ApplySide(world_, key, value);
    side_.push_back({std::move(key), std::move(value)});
  }
  std::vector<SideWrite> TakeSide() { return std::exchange(side_, {}); }

  // Whether the commit has room for a chunk or many small events more.
  bool HasRoom() const { return writer_.bytes_estimate() < kCommitBytesMax / 2; }

 private:
  World& world_;
  CommitWriter& writer_;
  Seq next_;
  int64_t now_ms_;
  KeyId by_;
  bool timers_held_ = false;
  std::vector<SideWrite> side_;
};

}  // namespace updraft
