#include "engine/core.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "engine/decide_internal.h"
#include "engine/refusals.h"
#include "events/base/assert.h"

namespace updraft {
namespace {

// Timers fired in one turn; more wait for the next, so that commands are not kept waiting.
constexpr size_t kTimersPerTurn = 1'000;

}  // namespace

Status Core::Recover(const EventLog& log, const RecoveryOptions& options) {
  ASSIGN_OR_RETURN(Recovered recovered, updraft::Recover(log, options));
  world_ = std::move(recovered.world);
  head_ = recovered.head;
  checkpoint_ = recovered.checkpoint;
  digest_at_ = recovered.digest_at;
  notices_ = std::move(recovered.notices);
  for (const PushInDoubt& push : world_->pushes_in_doubt()) {
    resend_.push_back(PushNumber(push.number));
  }
  return OkStatus();
}

CommitJob Core::BeginReign(int64_t now_ms) {
  head_.epoch = Epoch(head_.epoch.value() + 1);
  StartTurn(now_ms);
  if (world_->globals().schema_version < kSchemaVersion) {
    turn_->Emit([&](auto event) {
      auto raised = event.initSchemaRaised();
      raised.setVersion(kSchemaVersion);
      raised.setBuild(options_.build);
    });
  }
  turn_->Emit([&](auto event) { event.initEngineStarted().setBuild(options_.build); });
  return *EndTurn();
}

void Core::BeginTurn(int64_t now_ms) {
  StartTurn(now_ms);
  if (!clock_held_) more_due_ = !FireTimers(*turn_, kTimersPerTurn);
}

void Core::StartTurn(int64_t now_ms) {
  Assert(now_ms >= head_.time_ms, "the log's time does not go back: {} after {}", now_ms,
         head_.time_ms);
  turn_.emplace(*world_, writer_, Seq(head_.last.value() + 1), now_ms);
  if (clock_held_) turn_->HoldTimers();
}

void Core::Expect(std::span<const Command* const> commands) const {
  std::array<Prefetcher::Named, kExpectedMax> devices;
  size_t count = 0;
  const std::string* key = nullptr;  // Mostly they are all of one product.
  ProductId product;
  auto expect = [&](const DeviceRef& ref) {
    if (!ref.id && (key == nullptr || *key != ref.product_key)) {
      key = &ref.product_key;
      product = world_->FindProduct(*key);
    }
    devices[count++] = {ref.id, product, ref.name};
  };
  for (const Command* command : commands) {
    std::visit(
        [&]<class C>(const C& c) {
          if constexpr (requires { c.device.product_key; }) expect(c.device);
        },
        *command);
  }
  Prefetcher(*world_).Ask(std::span(devices).first(count));
}

Outcome Core::Execute(const Command& command, const Origin& origin) {
  FireDueFor(*turn_, command);
  uint32_t before = writer_.count();
  turn_->SetBy(origin.by);
  Outcome outcome = Decide(*turn_, options_.limits, command, origin.token);
  if (!outcome.repeat) outcome.time_ms = turn_->now_ms();
  turn_->SetBy(KeyId());
  Assert(outcome.ok() || outcome.status.reason() == refusal::kNoOpenTask ||
             outcome.status.reason() == refusal::kNotPushed || writer_.count() == before,
         "a refused command records nothing: {}", outcome.status.ToString());
  if (outcome.ok() && std::holds_alternative<ConfirmClock>(command)) clock_held_ = false;
  return outcome;
}

std::vector<Push> Core::TakePushes(uint32_t max) {
  std::vector<Push> pushes;
  // Nor in the turn that confirms the clock: what came due meanwhile has not happened yet.
  if (clock_held_ || turn_->timers_held()) return pushes;
  while (!resend_.empty() && pushes.size() < max) {
    std::optional<Push> push = Resend(resend_.front());
    if (push && !pusher_.TakeRepeat(*turn_, options_.limits)) break;
    resend_.pop_front();
    if (push) pushes.push_back(*std::move(push));
  }
  if (pushes.size() == max) return pushes;
  std::vector<Push> due =
      pusher_.Take(*turn_, options_.limits, max - static_cast<uint32_t>(pushes.size()));
  std::move(due.begin(), due.end(), std::back_inserter(pushes));
  return pushes;
}

std::optional<Push> Core::Resend(PushNumber number) {
  const auto& in_doubt = world_->pushes_in_doubt();
  auto it = std::find_if(in_doubt.begin(), in_doubt.end(),
                         [&](const PushInDoubt& p) { return p.number == number.value(); });
  if (it == in_doubt.end()) return std::nullopt;
  const Task& task = world_->tasks()[it->task];
  // Who is offline is told when it comes back, whose attempt failed at the next one. Who is
  // upgrading may do so for an earlier notice, and wait for this one after a failure.
  bool told = task.state == TaskState::NOTIFIED || task.state == TaskState::IN_PROGRESS;
  bool waits = task.retry_waiting || task.retry_ready || !world_->IsOnline(task.device) ||
               world_->devices()[task.device].disabled;
  if (!told || waits) return std::nullopt;
  if (DiffDoesNotFit(*world_, it->task)) {
    FailTask(*turn_, it->task, TaskReason::SOURCE_MISMATCH);
    return std::nullopt;
  }
  return Push{number, true, MakeNotice(*world_, it->task, turn_->now_ms())};
}

void Core::RunAgenda() {
  if (clock_held_) return;
  if (turn_->HasRoom() && work_.Step(*turn_)) more_due_ = true;
}

void Core::RecordDigest() {
  Digest digest = world_->digest();
  turn_->Emit([&](auto event) {
    auto recorded = event.initDigestRecorded();
    recorded.setVersion(kDigestVersion);
    recorded.setHigh(digest.high());
    recorded.setLow(digest.low());
  });
  commits_since_digest_ = 0;
  events_since_digest_ = 0;
}

std::optional<CommitJob> Core::EndTurn() {
  if (writer_.count() == 0) return std::nullopt;
  ++commits_since_digest_;
  events_since_digest_ += writer_.count();
  const bool due =
      commits_since_digest_ >= kDigestEveryCommits || events_since_digest_ >= kDigestEveryEvents;
  if (due) RecordDigest();
  return SealTurn();
}

CommitJob Core::SealTurn() {
  CommitHeader header;
  header.first = Seq(head_.last.value() + 1);
  header.time_ms = turn_->now_ms();
  header.epoch = head_.epoch;
  header.engine_number = options_.engine_number;
  header.previous_hash = head_.hash;
  CommitJob job{.commit = writer_.Seal(header), .side = turn_->TakeSide()};
  head_.last = job.commit.last();
  head_.hash = job.commit.hash;
  head_.time_ms = header.time_ms;
  job.ends_with_digest = commits_since_digest_ == 0;
  return job;
}

std::optional<CommitJob> Core::EndTurnWithDigest() {
  RecordDigest();
  return SealTurn();
}

int64_t Core::NextDue(bool pushes_wanted) {
  if (clock_held_) return std::numeric_limits<int64_t>::max();
  if (more_due_ || !world_->agenda().at_work.empty()) return 0;
  int64_t next = world_->NextTimerDue();
  if (!pushes_wanted) return next;
  if (!resend_.empty()) next = std::min(next, pusher_.next_repeat_ms());
  return std::min(next, pusher_.NextDue(*world_));
}

}  // namespace updraft
