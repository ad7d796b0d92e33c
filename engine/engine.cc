// The engine's threads. One decides and evolves (turns), one makes commits durable, one tells what
// became of commands. They pass their work on through queues and share nothing else:
//
//   Submit ─▶ inbox ─▶ turn thread ─▶ (commit, what waits for it) ─▶ log thread ─▶ completion
//   thread
//
// While a commit is being written the next turn decides; not more than one turn is ahead of the
// disk, so that what waits meanwhile becomes one commit.
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "engine/checkpointer.h"
#include "engine/clock.h"
#include "engine/intake.h"
#include "engine/purger.h"
#include "engine/refusals.h"
#include "engine/turns.h"
#include "engine/updraft.h"
#include "events/base/log_line.h"
#include "events/log/rocks_log.h"

namespace updraft {
namespace {

std::string CheckpointDir(const EngineOptions& options) {
  return options.data_dir.empty() ? std::string() : options.data_dir + "/checkpoints";
}

Status Stopped() {
  return Status(StatusCode::kUnavailable, refusal::kEngineStopped, "the engine is stopping");
}

bool Erases(const CommitJob& job) {
  return std::any_of(job.side.begin(), job.side.end(),
                     [](const SideWrite& write) { return !write.value.has_value(); });
}

}  // namespace

class Engine::Impl {
 public:
  Impl(EngineOptions options, std::unique_ptr<EventLog> log, const Clock& clock)
      : options_(std::move(options)),
        log_(std::move(log)),
        clock_(clock),
        turns_(CoreOptions(), clock),
        writer_(*log_, clock, options_.on_commit) {}
  ~Impl() { Stop(); }

  // Before Start: `log` is the engine's, and forgets for good what is erased.
  void PurgeErasedOf(RocksLog& log) { purger_.emplace(log, clock_); }
  Status Start();
  Status Submit(Item item);
  Status Submit(std::vector<Request>& requests);
  void Stop();

  Status health() const {
    std::lock_guard lock(mutex_);
    return failure_;
  }
  bool clock_held() const {
    std::lock_guard lock(mutex_);
    return clock_held_;
  }
  size_t inbox_size() const {
    std::lock_guard lock(mutex_);
    return waiting_;
  }
  const EventLog& log() const { return *log_; }

 private:
  Core::Options CoreOptions() const {
    Core::Options core;
    core.limits.verification_timeout_minutes = options_.verification_timeout_minutes;
    core.limits.packages_max = options_.packages_max;
    core.limits.devices_per_batch_max = options_.devices_per_batch_max;
    core.limits.repeats_per_second = options_.repeats_per_second;
    core.engine_number = options_.engine_number;
    core.build = UPDRAFT_VERSION;
    return core;
  }

  RecoveryOptions Recovery() const;
  void StartCheckpointer();
  void OnCheckpoint(Seq at, const Status& made, int64_t us);

  void RunTurns();
  void RunLog();
  void RunCompletions();

  // Why the inbox takes nothing now; OK while it does. With the mutex held.
  Status MayEnter() const;
  std::deque<Item> TakeItems();
  void Turn(std::deque<Item>& items);
  void HandOver(Job job);

  const EngineOptions options_;
  const std::unique_ptr<EventLog> log_;
  const Clock& clock_;

  Turns turns_;       // The turn thread's.
  JobWriter writer_;  // The log thread's.

  mutable std::mutex mutex_;         // Over all below.
  std::condition_variable work_;     // For the turn thread.
  std::condition_variable jobs_cv_;  // For the log thread.
  std::condition_variable told_cv_;  // For the completion thread.
  std::deque<Item> inbox_;
  size_t waiting_ = 0;  // Requests and looks in it.
  std::deque<Job> jobs_;
  size_t jobs_open_ = 0;  // Handed over and not durable yet.
  std::deque<std::pair<std::vector<Telling>, Status>> told_;
  Status failure_;
  bool clock_held_ = false;
  bool stopping_ = false;
  bool turns_ended_ = false;
  bool log_ended_ = false;

  std::optional<Checkpointer> checkpointer_;
  std::optional<Purger> purger_;
  std::thread turn_thread_;
  std::thread log_thread_;
  std::thread completion_thread_;
  std::once_flag stopped_;
};

RecoveryOptions Engine::Impl::Recovery() const {
  RecoveryOptions recovery{.checkpoint_dir = CheckpointDir(options_), .read_ahead = true};
  if (options_.on_recovery) {
    recovery.progress = [this](Seq last) {
      options_.on_recovery(last);
      return OkStatus();
    };
  }
  return recovery;
}

void Engine::Impl::StartCheckpointer() {
  if (options_.checkpoint_events == 0 || options_.data_dir.empty()) return;
  checkpointer_.emplace(
      *log_, Checkpointer::Options{
                 .dir = CheckpointDir(options_),
                 .every_events = options_.checkpoint_events,
                 .on_checkpoint = [this](Seq at, const Status& made,
                                         int64_t us) { OnCheckpoint(at, made, us); }});
  checkpointer_->Start(turns_.core().checkpoint(), turns_.core().world());
  checkpointer_->Reached(turns_.core().digest_at());
}

void Engine::Impl::OnCheckpoint(Seq at, const Status& made, int64_t us) {
  if (made.ok()) {
    LogInfo("a checkpoint was made", {{"event", at}, {"ms", us / 1'000}});
  } else {
    LogWarn("no checkpoint could be made: nothing is lost, and a start takes longer",
            {{"event", at}, {"why", made.ToString()}});
  }
  if (options_.on_checkpoint) options_.on_checkpoint(at, made, us);
}

Status Engine::Impl::Start() {
  int64_t last_ms = log_->head().time_ms;
  ASSIGN_OR_RETURN(CommitJob reign, turns_.Begin(*log_, options_.clock_ahead_max_ms, Recovery()));
  for (const std::string& notice : turns_.core().notices()) LogWarn(notice);
  clock_held_ = turns_.clock_held();
  if (clock_held_) {
    LogWarn("the clock is far ahead of the log: timers and pushes wait until it is confirmed",
            {{"last_commit_ms", last_ms}, {"clock_ms", clock_.WallUs() / 1'000}});
  }
  RETURN_IF_ERROR(log_->Append(reign.commit, reign.side));
  StartCheckpointer();
  turn_thread_ = std::thread([this] { RunTurns(); });
  log_thread_ = std::thread([this] { RunLog(); });
  completion_thread_ = std::thread([this] { RunCompletions(); });
  return OkStatus();
}

Status Engine::Impl::Submit(Item item) {
  for (Request& request : item.requests) FillIn(request.command);
  {
    std::lock_guard lock(mutex_);
    RETURN_IF_ERROR(MayEnter());
    waiting_ += item.size();
    inbox_.push_back(std::move(item));
  }
  work_.notify_one();
  return OkStatus();
}

Status Engine::Impl::Submit(std::vector<Request>& requests) {
  if (requests.empty()) return OkStatus();
  for (Request& request : requests) FillIn(request.command);
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(MayEnter());
  const size_t room = std::min(options_.inbox_max - waiting_, requests.size());
  std::vector<Request> taken = std::exchange(requests, {});
  if (room < taken.size()) {
    auto rest = taken.begin() + static_cast<int64_t>(room);
    requests.assign(std::move_iterator(rest), std::move_iterator(taken.end()));
    taken.erase(rest, taken.end());
  }
  waiting_ += room;
  inbox_.push_back({std::move(taken)});
  work_.notify_one();
  return requests.empty() ? OkStatus() : MayEnter();
}

Status Engine::Impl::MayEnter() const {
  if (!failure_.ok()) return failure_;
  if (stopping_) return Stopped();
  if (waiting_ < options_.inbox_max) return OkStatus();
  return Status(StatusCode::kUnavailable, refusal::kInboxFull,
                fmt::format("{} commands wait already; try again", waiting_));
}

void Engine::Impl::Stop() {
  std::call_once(stopped_, [this] {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    work_.notify_all();
    if (checkpointer_) checkpointer_->Stop();
    if (turn_thread_.joinable()) turn_thread_.join();
    jobs_cv_.notify_all();
    if (log_thread_.joinable()) log_thread_.join();
    told_cv_.notify_all();
    if (completion_thread_.joinable()) completion_thread_.join();
    purger_.reset();
  });
}

// Waits until there is something to do and the disk is near enough, and takes what came in.
std::deque<Item> Engine::Impl::TakeItems() {
  std::unique_lock lock(mutex_);
  while (true) {
    bool room = jobs_open_ <= kJobsAhead;
    if (room && (stopping_ || !inbox_.empty())) break;
    if (!failure_.ok()) break;
    int64_t wait_us = turns_.WaitUs();
    if (room && wait_us == 0) break;
    if (!room || wait_us == std::numeric_limits<int64_t>::max()) {
      work_.wait(lock);
    } else {
      // Slewed time may run slower than the clock that waits: look again, and wait the rest.
      constexpr int64_t kLongestUs = 1'000'000;
      work_.wait_for(lock, std::chrono::microseconds(std::min(wait_us, kLongestUs)));
    }
  }
  std::deque<Item> items;
  waiting_ -= TakeForTurn(inbox_, items);
  return items;
}

void Engine::Impl::RunTurns() {
  std::deque<Item> items;
  while (true) {
    if (items.empty()) items = TakeItems();
    {
      std::unique_lock lock(mutex_);
      // What did not fit a commit waits for the disk like everything else.
      work_.wait(lock, [&] { return jobs_open_ <= kJobsAhead; });
      bool ending = stopping_ || !failure_.ok();
      if (ending && items.empty() && inbox_.empty()) break;
    }
    Turn(items);
  }
  HandOver(turns_.End(health().ok()));
  std::lock_guard lock(mutex_);
  turns_ended_ = true;
  jobs_cv_.notify_all();
}

void Engine::Impl::Turn(std::deque<Item>& items) {
  Job job = turns_.Turn(items);
  if (bool held = turns_.clock_held(); clock_held_ != held) {
    std::lock_guard lock(mutex_);
    clock_held_ = held;
  }
  HandOver(std::move(job));
}

// Leaves a turn's work to the log thread.
void Engine::Impl::HandOver(Job job) {
  if (job.empty()) return;
  std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  ++jobs_open_;
  jobs_cv_.notify_one();
}

void Engine::Impl::RunLog() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      jobs_cv_.wait(lock, [&] { return !jobs_.empty() || turns_ended_; });
      if (jobs_.empty()) break;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    Status status = writer_.Write(job);
    if (status.ok() && job.commit && job.commit->ends_with_digest && checkpointer_) {
      checkpointer_->Reached(job.commit->commit.last());
    }
    if (status.ok() && job.commit && purger_ && Erases(*job.commit)) purger_->NoteErased();
    std::lock_guard lock(mutex_);
    if (failure_.ok() && !status.ok()) {
      failure_ = status;
      LogError("the log failed: the engine accepts nothing more", {{"why", status.ToString()}});
    }
    --jobs_open_;
    if (!job.tellings.empty()) {
      told_.emplace_back(std::move(job.tellings), status);
      told_cv_.notify_one();
    }
    work_.notify_one();
  }
  std::lock_guard lock(mutex_);
  log_ended_ = true;
  told_cv_.notify_all();
}

void Engine::Impl::RunCompletions() {
  while (true) {
    std::pair<std::vector<Telling>, Status> next;
    {
      std::unique_lock lock(mutex_);
      told_cv_.wait(lock, [&] { return !told_.empty() || log_ended_; });
      if (told_.empty()) return;
      next = std::move(told_.front());
      told_.pop_front();
    }
    for (Telling& telling : next.first) telling(next.second);
  }
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options) {
  std::error_code error;
  std::filesystem::create_directories(options.data_dir, error);
  if (error) {
    return Status(StatusCode::kFailedPrecondition,
                  fmt::format("the data directory '{}' cannot be made: {}", options.data_dir,
                              error.message()));
  }
  ASSIGN_OR_RETURN(auto log, RocksLog::Open({.dir = options.data_dir + "/log",
                                             .create = true,
                                             .sidecar_key_path = options.data_dir + "/sidecar.key",
                                             .on_sync = options.on_sync}));
  for (const std::string& notice : log->notices()) LogWarn(notice);
  RocksLog& rocks = *log;
  auto impl = std::make_unique<Impl>(std::move(options), std::move(log), SystemClock());
  impl->PurgeErasedOf(rocks);
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Result<std::unique_ptr<Engine>> Engine::OpenWith(EngineOptions options,
                                                 std::unique_ptr<EventLog> log,
                                                 const Clock& clock) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(log), clock);
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Status Engine::Submit(Command command, Callback callback, Origin origin) {
  Item item;
  item.requests.push_back({std::move(command), std::move(callback), origin});
  return impl_->Submit(std::move(item));
}

Status Engine::Submit(std::vector<Request>& requests) { return impl_->Submit(requests); }

Status Engine::Read(std::function<Finish(const World&)> look) {
  return impl_->Submit(Item{.look = std::move(look)});
}

void Engine::Stop() { impl_->Stop(); }
Status Engine::health() const { return impl_->health(); }
bool Engine::clock_held() const { return impl_->clock_held(); }
size_t Engine::inbox_size() const { return impl_->inbox_size(); }
const EventLog& Engine::log() const { return impl_->log(); }

}  // namespace updraft
