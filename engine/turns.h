// What the engine's threads do, without the threads: Turns decides and evolves, JobWriter makes
// durable. Engine runs each on a thread of its own; a simulation runs both on one, with a clock and
// a disk of its own.
//
//   take what waits ─▶ Turns::Turn ─▶ Job ─▶ JobWriter::Write ─▶ the job's tellings, with the
//   verdict
//
// At most kJobsAhead jobs wait behind the one that is being written before the next turn begins, so
// that what waits meanwhile becomes one commit.
//
// Thread-safety: none; each object belongs to one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/clock.h"
#include "engine/core.h"
#include "engine/updraft.h"

namespace updraft {

// Commands decided in one turn, at most; what they tell of becomes durable together.
inline constexpr size_t kCommandsPerTurn = 4'096;
inline constexpr size_t kJobsAhead = 1;

// What was asked in one piece, which stays in one piece until it is told of: what the turns' thread
// need not move or free it need not wait for.
struct Item {
  std::vector<Engine::Request> requests;
  std::function<Engine::Finish(const World&)> look = {};  // In place of requests.

  size_t size() const { return look ? 1 : requests.size(); }
};

// Something to be told once a position is durable: what became of requests, or of a look.
struct Telling {
  std::vector<Engine::Request> requests;
  std::vector<Outcome> outcomes;  // Of each request.
  const EventLog* log = nullptr;  // Answers of repeats are there.
  Engine::Finish finish = {};     // Of a look, in place of the others.

  // Tells it, with the log's verdict.
  void operator()(const Status& verdict) const;
};

// What one turn leaves to be written and then told.
struct Job {
  std::optional<CommitJob> commit;
  std::vector<Telling> tellings;

  bool empty() const { return !commit && tellings.empty(); }
};

// Moves what one turn takes from the front of `inbox` to the end of `items`. Returns how many
// requests and looks that are.
size_t TakeForTurn(std::deque<Item>& inbox, std::deque<Item>& items);

class Turns {
 public:
  // `clock` outlives it.
  Turns(Core::Options options, const Clock& clock) : core_(std::move(options)), clock_(clock) {}

  // Folds the log, which outlives it, and begins a reign with the commit that is returned, which
  // must be durable before the first turn. Where the clock is more than `clock_ahead_max_ms` ahead
  // of the log it holds timers and pushes. Errors as Core::Recover.
  Result<CommitJob> Begin(const EventLog& log, int64_t clock_ahead_max_ms,
                          const RecoveryOptions& options = {});

  // How long, by the monotonic clock, until a turn is needed although nobody asks: 0 when it is
  // needed now, the far future when never.
  int64_t WaitUs();

  // Decides what fits in one commit and leaves the rest in `items`. REQUIRED: Begin was OK.
  Job Turn(std::deque<Item>& items);

  // The reign's last: the digest if the log is `healthy`, and TakePushes that wait get none.
  Job End(bool healthy);

  bool clock_held() const { return core_.clock_held(); }
  const Core& core() const { return core_; }

 private:
  int64_t Now();
  // Has the records near that the first of these are about.
  void Expect(std::span<const Engine::Request> requests);
  // Decides of the item's requests as many as there is room for, and leaves the rest in it. Returns
  // how many.
  size_t DecideRequests(Item& item, size_t room, Job& job);
  void TakePushesForWaiting(Job& job);

  Core core_;
  const Clock& clock_;
  const EventLog* log_ = nullptr;  // Since Begin.
  std::optional<LogTime> time_;
  // While the clock is held: how far the wall clock is taken to be ahead of the monotonic one.
  std::optional<int64_t> held_ahead_us_;
  std::deque<std::pair<uint32_t, Engine::Callback>> takers_;  // Waiting TakePushes.
};

class JobWriter {
 public:
  // Both outlive it. `on_commit` may be null; see EngineOptions.
  JobWriter(EventLog& log, const Clock& clock,
            std::function<void(Seq, uint32_t, size_t, int64_t)> on_commit)
      : log_(log), clock_(clock), on_commit_(std::move(on_commit)) {}

  // Makes a job durable. What is returned is what its tellings are to be called with: after a
  // failed append the world is ahead of the disk, so that nothing it says can be told, neither of
  // this job nor of any later one; they get LOG_FAILED.
  Status Write(const Job& job);

 private:
  Status Append(const CommitJob& commit);

  EventLog& log_;
  const Clock& clock_;
  const std::function<void(Seq, uint32_t, size_t, int64_t)> on_commit_;
  Status failure_;
};

}  // namespace updraft
