// Explanations are made one at a time, few wait, and a stop ends them.
#include "adapters/cli/explain_worker.h"

#include <future>

#include <catch2/catch.hpp>

#include "engine/refusals.h"
#include "events/log/memory_log.h"
#include "tests/log/forwarding_log.h"

namespace updraft {
namespace {

// A log whose readers wait until they are let through.
class SlowLog final : public ForwardingLog {
 public:
  SlowLog() : ForwardingLog(log_) {
    CommitWriter writer;
    writer.Add().initEngineStarted();
    CHECK(log_.Append(writer.Seal({.first = Seq(1), .epoch = Epoch(1)}), {}).ok());
  }

  std::promise<void> reached;
  std::promise<void> go_on;

  Status Read(Seq first, const VisitCommit& visit) const override {
    auto* self = const_cast<SlowLog*>(this);
    if (!std::exchange(self->waited_, true)) {
      self->reached.set_value();
      self->go_on.get_future().wait();
    }
    return to_.Read(first, visit);
  }

 private:
  MemoryLog log_;
  bool waited_ = false;
};

class Reply {
 public:
  Explained Taker() {
    return [this](const Result<std::vector<ExplainedEvent>>& events) {
      reason_.set_value(std::string(events.status().reason()));
    };
  }
  std::string Reason() { return reason_.get_future().get(); }

 private:
  std::promise<std::string> reason_;
};

}  // namespace

TEST_CASE("few explanations wait for the one at hand, more are refused", "[explain]") {
  SlowLog log;
  ExplainWorker worker(log);
  std::vector<Reply> answers(ExplainWorker::kWaitingMax + 2);
  worker.Ask(TaskId(1), answers.front().Taker());
  log.reached.get_future().wait();
  for (size_t i = 1; i < answers.size(); ++i) worker.Ask(TaskId(1), answers[i].Taker());
  CHECK(answers.back().Reason() == refusal::kInboxFull);
  log.go_on.set_value();
  for (size_t i = 0; i + 1 < answers.size(); ++i) {
    CHECK(answers[i].Reason() == refusal::kUnknownTask);
  }
}

TEST_CASE("a stop ends the reading at hand and answers who waits", "[explain]") {
  SlowLog log;
  ExplainWorker worker(log);
  Reply at_hand;
  std::vector<Reply> waiting(ExplainWorker::kWaitingMax);
  worker.Ask(TaskId(1), at_hand.Taker());
  log.reached.get_future().wait();
  for (Reply& reply : waiting) worker.Ask(TaskId(1), reply.Taker());
  std::thread stops([&] { worker.Stop(); });
  // Nobody more can wait, so that who asks is told at once; in the end, that it stops.
  std::string reason;
  while (reason != refusal::kEngineStopped) {
    Reply late;
    worker.Ask(TaskId(1), late.Taker());
    reason = late.Reason();
    CHECK((reason == refusal::kEngineStopped || reason == refusal::kInboxFull));
  }
  log.go_on.set_value();
  stops.join();
  CHECK(at_hand.Reason() == refusal::kEngineStopped);
  for (Reply& reply : waiting) CHECK(reply.Reason() == refusal::kEngineStopped);
}

}  // namespace updraft
