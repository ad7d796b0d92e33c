#include "engine/turns.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "engine/refusals.h"
#include "engine/restore_answer.h"

namespace updraft {

void TakeForTurn(std::deque<Item>& inbox, std::deque<Item>& items) {
  if (items.empty() && inbox.size() <= kCommandsPerTurn) {
    items.swap(inbox);
    return;
  }
  auto end = inbox.begin() + static_cast<int64_t>(std::min(inbox.size(), kCommandsPerTurn));
  std::move(inbox.begin(), end, std::back_inserter(items));
  inbox.erase(inbox.begin(), end);
}

Result<CommitJob> Turns::Begin(const EventLog& log, int64_t clock_ahead_max_ms,
                               const RecoveryOptions& options) {
  log_ = &log;
  RETURN_IF_ERROR(core_.Recover(log, options));
  int64_t last_ms = core_.head().time_ms;
  int64_t wall_us = clock_.WallUs();
  time_.emplace(last_ms, wall_us, clock_.MonotonicUs());
  bool fresh = !core_.head().last;
  if (!fresh && wall_us / 1'000 - last_ms > clock_ahead_max_ms) core_.HoldClock();
  return core_.BeginReign(Now());
}

int64_t Turns::WaitUs() {
  int64_t next = core_.NextDue(!takers_.empty());
  Now();  // The log's time as it is now; what is due may be due already.
  return time_->UntilUs(next);
}

Job Turns::Turn(std::deque<Item>& items) {
  Job job;
  core_.BeginTurn(Now());
  core_.RunAgenda();  // What is due happens before what is asked.
  while (!items.empty() && core_.HasRoom()) {
    Item item = std::move(items.front());
    items.pop_front();
    if (item.look) {
      Engine::Finish finish = item.look(core_.world());
      if (finish) job.tellings.push_back(std::move(finish));
      continue;
    }
    if (auto* take = std::get_if<TakePushes>(&item.command)) {
      takers_.emplace_back(take->max, std::move(item.callback));
      continue;
    }
    Outcome outcome = core_.Execute(item.command, item.origin);
    if (!item.callback) continue;
    job.tellings.push_back([log = log_, callback = std::move(item.callback),
                            outcome = std::move(outcome)](const Status& status) mutable {
      if (status.ok() && outcome.repeat) outcome.status = RestoreAnswer(*log, outcome.answer);
      callback(status.ok() ? outcome : Outcome{status, {}});
    });
  }
  TakePushesForWaiting(job);
  job.commit = core_.EndTurn();
  return job;
}

void Turns::TakePushesForWaiting(Job& job) {
  while (!takers_.empty()) {
    std::vector<Push> pushes = core_.TakePushes(takers_.front().first);
    if (pushes.empty()) return;
    job.tellings.push_back([callback = std::move(takers_.front().second),
                            taken = TakenPushes{std::move(pushes)},
                            now_ms = core_.now_ms()](const Status& status) {
      if (!callback) return;
      callback(status.ok() ? Outcome{status, taken, now_ms} : Outcome{status, {}});
    });
    takers_.pop_front();
  }
}

Job Turns::End(bool healthy) {
  Job job;
  for (auto& [max, callback] : takers_) {
    job.tellings.push_back([callback = std::move(callback)](const Status& status) {
      if (callback) callback(Outcome{status, TakenPushes{}});
    });
  }
  takers_.clear();
  if (healthy) {
    core_.BeginTurn(Now());
    job.commit = core_.EndTurnWithDigest();
  }
  return job;
}

Status JobWriter::Append(const CommitJob& commit) {
  int64_t began_us = clock_.MonotonicUs();
  Status status = log_.Append(commit.commit, commit.side);
  if (status.ok() && on_commit_) {
    on_commit_(commit.commit.last(), commit.commit.event_count, commit.commit.bytes.size(),
               clock_.MonotonicUs() - began_us);
  }
  return status;
}

Status JobWriter::Write(const Job& job) {
  if (!failure_.ok()) return failure_;
  Status status = job.commit ? Append(*job.commit) : log_.Confirm();
  if (status.ok()) return status;
  failure_ = Status(status.code(), refusal::kLogFailed,
                    fmt::format("the log cannot be written, so nothing more is accepted; mend the "
                                "cause and start again: {}",
                                status.message()));
  return failure_;
}

}  // namespace updraft
