#include "adapters/mqtt/session.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "adapters/wire/gate_topics.h"
#include "engine/refusals.h"
#include "projections/world.h"

namespace updraft {
namespace {

// The engine is at its end, rather than refusing one command.
bool IsEnd(const Status& status) {
  return status.reason() == refusal::kLogFailed || status.reason() == refusal::kEngineStopped;
}

}  // namespace

MqttSession::MqttSession(Options options, EngineSide& engine, BrokerSide& broker)
    : options_(std::move(options)),
      engine_(engine),
      broker_(broker),
      window_(options_.push_window) {}

void MqttSession::OnConnected(int64_t now_ms) {
  connected_ = true;
  now_ms_ = now_ms;
  Flush();
  if (options_.outlet.path == MqttPath::kGate) {
    std::string request = fmt::format("{}-{}", options_.name, ++roster_requests_);
    sweep_.reset();
    roster_.Begin(request);
    // A request that is lost is made again with the next connection.
    broker_.Publish({std::string(kGateRosterGetTopic), request}, 0);
  }
}

void MqttSession::OnDisconnected() {
  connected_ = false;
  roster_.Cancel();
}

void MqttSession::OnMessage(std::string_view topic, std::string_view payload, int64_t now_ms) {
  now_ms_ = now_ms;
  ++stats_.messages;
  Taken taken = TakeIn(options_.outlet.path, topic, payload);
  if (auto* command = std::get_if<DeviceCommand>(&taken)) {
    Take(std::move(*command));
  } else if (auto* answer = std::get_if<RosterAnswer>(&taken)) {
    BeginSweep(*answer);
  } else if (auto* credentials = std::get_if<GateCredentials>(&taken)) {
    stats_.gate_credentials = *credentials;
  } else if (auto* figures = std::get_if<GateFigures>(&taken)) {
    stats_.gate_figures = std::move(figures->json);
  } else {
    Count(std::get<NotTaken>(taken).reason);
  }
}

void MqttSession::Take(DeviceCommand command) {
  if (!command.remark.empty()) Count(command.remark);
  if (const auto* presence = std::get_if<ReportPresence>(&command.command)) {
    roster_.Named(presence->device.product_key, presence->device.name);
    if (sweep_) sweep_->since.Add(presence->device.product_key, presence->device.name);
  }
  waiting_.push_back(std::move(command));
  ++taken_;
  SubmitWaiting(now_ms_);
}

void MqttSession::SubmitWaiting(int64_t now_ms) {
  while (!waiting_.empty() && failure_.ok()) {
    DeviceCommand& first = waiting_.front();
    Status status = engine_.Submit(
        first.command,
        [this, pull = first.pull](const Outcome& outcome) { OnOutcome(pull, outcome); });
    if (!status.ok()) return NoteRefused(status, now_ms);
    waiting_.pop_front();
  }
}

void MqttSession::OnOutcome(const std::optional<PullReturn>& pull, const Outcome& outcome) {
  if (IsEnd(outcome.status)) {
    failure_ = outcome.status;
    return;
  }
  ++stats_.answered;
  if (!outcome.ok()) return Count(LowerCase(outcome.status.reason()));
  const auto* pulled = std::get_if<PulledNotice>(&outcome.answer);
  if (!pull || pulled == nullptr) return;
  Result<std::optional<OutMessage>> answer = RenderPullAnswer(options_.outlet, *pull, *pulled);
  if (!answer.ok()) return Count(answer.status().reason());
  if (*answer) Send({std::move(**answer), PushNumber()});
}

void MqttSession::AskForPushes(int64_t now_ms) {
  // Not for each bit of room: a few pushes at a time share a commit.
  uint32_t enough = std::max(1u, options_.push_window / 4);
  if (!connected_ || asking_for_pushes_ || window_.room() < enough) return;
  Status status = engine_.Submit(TakePushes{window_.room()},
                                 [this](const Outcome& outcome) { OnPushes(outcome); });
  if (!status.ok()) return NoteRefused(status, now_ms);
  asking_for_pushes_ = true;
}

void MqttSession::OnPushes(const Outcome& outcome) {
  asking_for_pushes_ = false;
  if (IsEnd(outcome.status)) {
    failure_ = outcome.status;
    return;
  }
  const auto* taken = std::get_if<TakenPushes>(&outcome.answer);
  if (taken == nullptr) return;
  for (const Push& push : taken->pushes) {
    window_.Sent(push.number);
    Result<OutMessage> message = RenderPush(options_.outlet, push.notice);
    if (message.ok()) {
      Send({*std::move(message), push.number});
    } else {
      Count(message.status().reason());
      window_.Done(push.number, now_ms_);
    }
  }
}

void MqttSession::Send(Outgoing outgoing) {
  outbox_.push_back(std::move(outgoing));
  Flush();
}

void MqttSession::Flush() {
  while (connected_ && !outbox_.empty()) {
    Outgoing outgoing = std::move(outbox_.front());
    outbox_.pop_front();
    int message = broker_.Publish(outgoing.message, 1);
    if (message == 0) {
      Count("unsendable");
      window_.Done(outgoing.push, now_ms_);
    } else if (!outgoing.push) {
      ++stats_.pulls;
    } else {
      ++stats_.pushes;
      push_of_message_[message] = outgoing.push;
    }
  }
}

void MqttSession::OnPuback(int message, int64_t now_ms) {
  now_ms_ = now_ms;
  auto found = push_of_message_.find(message);
  if (found == push_of_message_.end()) return;
  window_.Done(found->second, now_ms);
  push_of_message_.erase(found);
}

void MqttSession::TellWatermark(int64_t now_ms) {
  std::optional<PushNumber> through = window_.TakeWatermark(now_ms);
  if (!through) return;
  Status status = engine_.Submit(AcknowledgePushes{*through}, nullptr);
  if (status.ok()) return;
  window_.NotTold(now_ms);
  NoteRefused(status, now_ms);
}

void MqttSession::BeginSweep(const RosterAnswer& answer) {
  std::shared_ptr<const NamedDevices> named = roster_.End(answer);
  if (named == nullptr) return Count("stale_roster");
  Sweep sweep;
  sweep.named = std::move(named);
  sweep.epoch = answer.epoch;
  sweep_ = std::move(sweep);
}

// A look sees what was submitted before it, so it waits until all that came before the answer is.
void MqttSession::StepSweep(int64_t now_ms) {
  if (!sweep_ || sweep_->reading || !waiting_.empty()) return;
  while (!sweep_->gone.empty()) {
    Status status = engine_.Submit(sweep_->gone.front(), nullptr);
    if (!status.ok()) return NoteRefused(status, now_ms);
    ++stats_.gone_by_roster;
    sweep_->gone.pop_front();
  }
  if (!sweep_->next) {
    sweep_.reset();
    return;
  }
  Status status = engine_.Read(
      [named = sweep_->named, epoch = sweep_->epoch, from = sweep_->next](const World& world) {
        return FindGone(world, *named, epoch, from, kRosterPageDevices);
      },
      [this, named = sweep_->named](RosterPage page) {
        if (!sweep_ || sweep_->named != named) return;  // A later connection asked again.
        sweep_->reading = false;
        sweep_->next = page.next;
        for (ReportPresence& gone : page.gone) {
          if (sweep_->since.Has(gone.device.product_key, gone.device.name)) continue;
          sweep_->gone.push_back(std::move(gone));
        }
      });
  if (!status.ok()) return NoteRefused(status, now_ms);
  sweep_->reading = true;
}

void MqttSession::Tick(int64_t now_ms) {
  now_ms_ = now_ms;
  ask_again_ms_.reset();
  if (!failure_.ok()) return;
  SubmitWaiting(now_ms);
  TellWatermark(now_ms);
  AskForPushes(now_ms);
  StepSweep(now_ms);
}

std::optional<int64_t> MqttSession::NextTickMs() const {
  std::optional<int64_t> tell = window_.NextTellMs();
  if (!tell || !ask_again_ms_) return tell ? tell : ask_again_ms_;
  return std::min(*tell, *ask_again_ms_);
}

void MqttSession::NoteRefused(const Status& status, int64_t now_ms) {
  if (IsEnd(status)) {
    failure_ = status;
  } else {
    ask_again_ms_ = now_ms + kAskAgainMs;
  }
}

void MqttSession::Count(std::string_view reason) {
  auto found = stats_.reasons.find(reason);
  if (found == stats_.reasons.end()) found = stats_.reasons.emplace(reason, 0).first;
  ++found->second;
}

SessionStats MqttSession::Stats() const {
  SessionStats stats = stats_;
  stats.commands = taken_;
  stats.pushes_open = window_.open();
  return stats;
}

}  // namespace updraft
