#include "adapters/cli/explain_worker.h"

#include "engine/explain.h"
#include "engine/refusals.h"

namespace updraft {
namespace {

Status Stopped() {
  return Status(StatusCode::kUnavailable, refusal::kEngineStopped, "the service ends");
}

// A log whose reading ends when somebody says so.
class StoppableLog final : public EventLog {
 public:
  StoppableLog(const EventLog& log, const std::atomic<bool>& stopping)
      : log_(log), stopping_(stopping) {}

  Status Append(const SealedCommit&, std::span<const SideWrite>) override { return Confirm(); }
  Status Confirm() override {
    return Status(StatusCode::kFailedPrecondition, "it is there to be read");
  }
  LogHead head() const override { return log_.head(); }
  Status Read(Seq first, const VisitCommit& visit) const override {
    return log_.Read(
        first, [&](const CommitReader& commit) { return stopping_ ? Stopped() : visit(commit); });
  }
  Result<std::string> ReadSide(std::string_view key) const override { return log_.ReadSide(key); }
  Status ScanSide(std::string_view prefix, const VisitSide& visit) const override {
    return log_.ScanSide(prefix, visit);
  }

 private:
  const EventLog& log_;
  const std::atomic<bool>& stopping_;
};

Result<std::vector<ExplainedEvent>> InWords(const EventLog& log, TaskId task,
                                            const std::string& checkpoint_dir) {
  ASSIGN_OR_RETURN(std::vector<Explanation> chain, ExplainTask(log, task, checkpoint_dir));
  std::vector<ExplainedEvent> events;
  for (const Explanation& link : chain) {
    events.push_back({link.seq, link.time_ms, link.cause + ": " + link.sentence});
  }
  return events;
}

}  // namespace

ExplainWorker::ExplainWorker(const EventLog& log, std::string checkpoint_dir)
    : log_(log), checkpoint_dir_(std::move(checkpoint_dir)), thread_([this] { Run(); }) {}

ExplainWorker::~ExplainWorker() { Stop(); }

void ExplainWorker::Ask(TaskId task, Explained done) {
  {
    std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() < kWaitingMax) {
      waiting_.emplace_back(task, std::move(done));
      changed_.notify_one();
      return;
    }
  }
  if (stopping_) return done(Stopped());
  done(Status(StatusCode::kUnavailable, refusal::kInboxFull,
              "other tasks are being explained, and each takes a replay of the log: ask again in a "
              "moment"));
}

void ExplainWorker::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void ExplainWorker::Run() {
  const StoppableLog log(log_, stopping_);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    auto [task, done] = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    done(stopping_ ? Result<std::vector<ExplainedEvent>>(Stopped())
                   : InWords(log, task, checkpoint_dir_));
    lock.lock();
  }
}

}  // namespace updraft
