#include "engine/turns.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "engine/refusals.h"
#include "engine/restore_answer.h"

namespace updraft {

namespace {

Telling TellOf(Engine::Callback callback, Outcome outcome) {
  Telling telling;
  telling.requests.push_back({{}, std::move(callback)});
  telling.outcomes.push_back(std::move(outcome));
  return telling;
}

}  // namespace

size_t TakeForTurn(std::deque<Item>& inbox, std::deque<Item>& items) {
  size_t taken = 0;
  for (; !inbox.empty() && taken < kCommandsPerTurn; inbox.pop_front()) {
    taken += inbox.front().size();
    items.push_back(std::move(inbox.front()));
  }
  return taken;
}

Result<CommitJob> Turns::Begin(const EventLog& log, int64_t clock_ahead_max_ms,
                               const RecoveryOptions& options) {
  log_ = &log;
  RETURN_IF_ERROR(core_.Recover(log, options));
  int64_t last_ms = core_.head().time_ms;
  int64_t wall_us = clock_.WallUs();
  int64_t monotonic_us = clock_.MonotonicUs();
  bool fresh = !core_.head().last;
  if (!fresh && wall_us / 1'000 - last_ms > clock_ahead_max_ms) {
    // The log goes on at its own time: were it to take over the clock's, the next start would find
    // the two alike and doubt nothing.
    core_.HoldClock();
    wall_us = last_ms * 1'000;
    held_ahead_us_ = wall_us - monotonic_us;
  }
  time_.emplace(last_ms, wall_us, monotonic_us);
  return core_.BeginReign(Now());
}

int64_t Turns::Now() {
  int64_t monotonic_us = clock_.MonotonicUs();
  if (held_ahead_us_ && core_.clock_held()) {
    return time_->Advance(*held_ahead_us_ + monotonic_us, monotonic_us);
  }
  if (held_ahead_us_) {
    // Somebody has confirmed the clock: it holds from now on.
    held_ahead_us_.reset();
    time_.emplace(core_.now_ms(), clock_.WallUs(), monotonic_us);
  }
  return time_->Advance(clock_.WallUs(), monotonic_us);
}

int64_t Turns::WaitUs() {
  int64_t next = core_.NextDue(!takers_.empty());
  Now();  // The log's time as it is now; what is due may be due already.
  return time_->UntilUs(next);
}

void Telling::operator()(const Status& verdict) const {
  if (finish) return finish(verdict);
  for (size_t i = 0; i < requests.size(); ++i) {
    const Engine::Callback& callback = requests[i].callback;
    if (!callback) continue;
    if (!verdict.ok()) {
      callback(Outcome{verdict, {}});
    } else if (!outcomes[i].repeat) {
      callback(outcomes[i]);
    } else {
      Outcome restored = outcomes[i];
      restored.status = RestoreAnswer(*log, restored.answer);
      callback(restored);
    }
  }
}

Job Turns::Turn(std::deque<Item>& items) {
  Job job;
  core_.BeginTurn(Now());
  core_.RunAgenda();  // What is due happens before what is asked.
  size_t room = kCommandsPerTurn;
  while (!items.empty() && room > 0 && core_.HasRoom()) {
    Item& item = items.front();
    if (item.look) {
      Engine::Finish finish = item.look(core_.world());
      if (finish) job.tellings.push_back({.finish = std::move(finish)});
      --room;
    } else {
      room -= DecideRequests(item, room, job);
      if (!item.requests.empty()) break;
    }
    items.pop_front();
  }
  TakePushesForWaiting(job);
  job.commit = core_.EndTurn();
  return job;
}

void Turns::Expect(std::span<const Engine::Request> requests) {
  if (requests.size() == 1) return;  // Nothing to do meanwhile.
  std::array<const Command*, Core::kExpectedMax> commands;
  const size_t count = std::min(requests.size(), commands.size());
  for (size_t i = 0; i < count; ++i) commands[i] = &requests[i].command;
  core_.Expect(std::span(commands).first(count));
}

size_t Turns::DecideRequests(Item& item, size_t room, Job& job) {
  std::vector<Engine::Request> requests = std::exchange(item.requests, {});
  Telling telling{.log = log_};
  telling.outcomes.reserve(requests.size());
  bool tells = false;
  size_t done = 0;
  for (; done < requests.size() && done < room && core_.HasRoom(); ++done) {
    Engine::Request& request = requests[done];
    if (done % Core::kExpectedMax == 0) Expect(std::span(requests).subspan(done));
    if (auto* take = std::get_if<TakePushes>(&request.command); take != nullptr && take->max == 0) {
      telling.outcomes.push_back({OkStatus(), TakenPushes{}});
      tells |= request.callback != nullptr;
    } else if (take != nullptr) {
      takers_.emplace_back(take->max, std::exchange(request.callback, nullptr));
      telling.outcomes.emplace_back();
    } else {
      telling.outcomes.push_back(core_.Execute(request.command, request.origin));
      tells |= request.callback != nullptr;
    }
  }
  if (done < requests.size()) {
    auto rest = requests.begin() + static_cast<int64_t>(done);
    item.requests.assign(std::move_iterator(rest), std::move_iterator(requests.end()));
    requests.erase(rest, requests.end());
  }
  telling.requests = std::move(requests);
  if (tells) job.tellings.push_back(std::move(telling));
  return done;
}

void Turns::TakePushesForWaiting(Job& job) {
  while (!takers_.empty()) {
    std::vector<Push> pushes = core_.TakePushes(takers_.front().first);
    if (pushes.empty()) return;
    job.tellings.push_back(TellOf(std::move(takers_.front().second),
                                  {OkStatus(), TakenPushes{std::move(pushes)}, core_.now_ms()}));
    takers_.pop_front();
  }
}

Job Turns::End(bool healthy) {
  Job job;
  for (auto& [max, callback] : takers_) {
    job.tellings.push_back(TellOf(std::move(callback), {OkStatus(), TakenPushes{}}));
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
