#include "tests/simulation/server.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "adapters/wire/gate_topics.h"
#include "engine/intake.h"
#include "engine/refusals.h"

namespace updraft::simulation {
namespace {

Item ItemOf(Command command, Engine::Callback callback) {
  Item item;
  item.requests.push_back({std::move(command), std::move(callback)});
  return item;
}

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr int64_t kKeepAliveMs = 60'000;
// As BrokerLink has them.
constexpr int kMessagesAtOnce = 512;
constexpr size_t kBatchesAhead = 2;

Core::Options CoreOptions(const ServerOptions& options) {
  return {.limits = options.limits, .engine_number = 1, .build = "simulated"};
}

MqttSession::Options SessionOptions(const ServerOptions& options, uint64_t start) {
  return {.outlet = {.path = MqttPath::kGate,
                     .public_url = "http://ota.example",
                     .link_key = std::string(32, 'k')},
          .push_window = options.push_window,
          .name = fmt::format("start{}", start)};
}

}  // namespace

// All that dies with the process.
struct Server::Process {
  Process(Server& server, std::unique_ptr<EventLog> opened)
      : log(std::move(opened)),
        turns(CoreOptions(server.options_), server.schedule_.clock()),
        writer(*log, server.schedule_.clock(), nullptr),
        session(SessionOptions(server.options_, server.starts_), server, server) {}

  std::unique_ptr<EventLog> log;
  Turns turns;
  JobWriter writer;
  std::deque<Item> inbox;
  std::deque<Item> items;    // Taken, and not decided yet.
  std::deque<OpenJob> jobs;  // The first of them is being written.
  bool writing = false;
  bool turn_planned = false;
  bool by_timer = false;     // The planned turn.
  int64_t wake_us = kNever;  // When a turn will be looked for although nobody asks.
  Status failure;
  struct Told {
    Telling telling;
    Status verdict;
    Seq position;
    Hash256 hash;
  };
  std::deque<Told> told;
  bool telling = false;

  MqttSession session;
  std::deque<std::function<void()>> mailbox;
  bool mailbox_planned = false;
  LinkState link = LinkState::kDown;
  uint64_t connection = 0;
  int64_t next_dial_us = 0;
  int64_t tick_us = kNever;
  HoldBack held;
  std::deque<Item> requests;     // Of the session, for the engine.
  Status refused;                // By the engine, the last time.
  std::deque<uint64_t> batches;  // Of messages that the engine has not answered.
  uint64_t handed_over = 0;
  std::deque<Uplink> arrived;

  bool EngineIsFull() const { return !requests.empty() && !refused.ok(); }
  int64_t last_arrival_us = 0;
  int64_t last_sent_us = 0;
  int next_message = 1;
  std::map<int, OutMessage> in_flight;    // QoS 1, until the broker acknowledges.
  std::map<int, OutMessage> unconfirmed;  // QoS 0, until they are sent.
  std::map<uint64_t, Uplink> handled;     // Messages whose PUBACK is on its way.
};

Server::Server(ServerOptions options, Schedule& schedule, Broker& broker, Disk& disk,
               Witness& witness, uint64_t seed)
    : options_(options),
      schedule_(schedule),
      broker_(broker),
      disk_(disk),
      witness_(witness),
      random_(seed) {}

Server::~Server() = default;

bool Server::clock_held() const { return process_ && process_->turns.clock_held(); }

int64_t Server::log_time_ms() const {
  if (!process_) return 0;
  int64_t since_us = schedule_.now_us() - last_turn_us_;
  return process_->turns.core().now_ms() + (since_us - since_us / LogTime::kSlew) / kMsUs;
}

void Server::Later(int64_t us, void (Server::*what)()) {
  schedule_.After(us, [this, life = life_, what] {
    if (life == life_ && process_) (this->*what)();
  });
}

// --- Life and death ---

void Server::Start() {
  dead_.clear();
  if (process_) return;
  ++starts_;
  auto again = [this] {
    schedule_.After(Jitter(40 * kSecondUs), [this, life = life_] {
      if (life == life_) Start();
    });
  };
  Result<std::unique_ptr<EventLog>> log = disk_.Open();
  if (!log.ok()) {
    witness_.OnUnopened(log.status());
    return again();
  }
  process_ = std::make_unique<Process>(*this, *std::move(log));
  Process& p = *process_;
  Result<CommitJob> reign = p.turns.Begin(*p.log, options_.clock_ahead_max_ms,
                                          {.checkpoint_dir = options_.checkpoint_dir});
  if (!reign.ok()) {
    witness_.OnUnopened(reign.status());
    process_.reset();
    return again();
  }
  for (const std::string& notice : p.turns.core().notices()) {
    (void)notice;  // Names a path, which is another each time.
    witness_.Trace("a checkpoint is passed over");
  }
  if (p.turns.core().checkpoint()) {
    ++from_checkpoint_;
    witness_.Trace(fmt::format("starting from event {}", p.turns.core().checkpoint().value()));
  }
  digest_at_ = p.turns.core().digest_at();
  witness_.OnRecovered(*p.log, p.turns.core());
  TurnRecord record;
  record.turn.time_ms = p.turns.core().head().time_ms;
  record.turn.timers_held = true;  // A reign's first commit fires none.
  record.position = p.turns.core().head().last;
  record.hash = p.turns.core().head().hash;
  record.commit = reign->commit;
  bool full = schedule_.now_us() < disk_full_until_us_;
  if (full) disk_.FailNextAppend(AppendFault::kDiskFull);
  if (!p.log->Append(reign->commit, reign->side).ok()) {
    witness_.Trace("the server cannot write its first commit");
    std::vector<TurnRecord> doubtful;
    doubtful.push_back(std::move(record));
    process_.reset();
    disk_.Restart(false);
    witness_.OnCrash(std::move(doubtful));
    return again();
  }
  witness_.OnDurable(record, *p.log);
  last_turn_us_ = schedule_.now_us();
  witness_.Trace(fmt::format("the server is up{}", clock_held() ? ", its clock in doubt" : ""));
  WakeTurns();
  RunLink();
}

void Server::Crash(bool lose_power, bool keep_unsynced) {
  if (!process_) return;
  ++crashes_;
  ++life_;
  Process& p = *process_;
  // What was being written may have reached the disk.
  if (keep_unsynced && p.writing && p.failure.ok() && p.jobs.front().job.commit) {
    const CommitJob& commit = *p.jobs.front().job.commit;
    (void)p.log->Append(commit.commit, commit.side);
  }
  std::vector<TurnRecord> doubtful;
  for (OpenJob& open : p.jobs) doubtful.push_back(std::move(open.record));
  broker_.DisconnectEngine();
  p.log.reset();
  disk_.Restart(lose_power);
  // Its own functions may be on the stack.
  dead_.push_back(std::move(process_));
  witness_.Trace("the server is gone");
  witness_.OnCrash(std::move(doubtful));
  schedule_.After(Jitter(2 * kSecondUs), [this, life = life_] {
    if (life == life_) Start();
  });
}

bool Server::DiesAt(CrashPoint point) {
  if (!armed_ || armed_->first != point || --armed_->second > 0) return false;
  armed_.reset();
  bool lose_power = random_.OneIn(2);
  bool keep = random_.OneIn(2);
  Crash(lose_power, keep);
  return true;
}

void Server::ArmCrash(CrashPoint point, int countdown) { armed_ = std::pair(point, countdown); }

// What Engine::Stop does: all that was asked is answered, then the digest is written.
void Server::StopAndStart() {
  if (!process_) return;
  Process& p = *process_;
  if (p.failure.ok()) {
    while (!p.inbox.empty() || !p.items.empty() || !p.jobs.empty()) {
      if (p.jobs.empty()) RunTurn();
      if (!process_) return;
      while (process_ && p.failure.ok() && !p.jobs.empty()) FinishWrite();
      if (!process_) return;
      if (!p.failure.ok()) break;
    }
  }
  if (p.failure.ok()) {
    OpenJob last;
    last.record.turn.timers_held = p.turns.clock_held();
    last.job = p.turns.End(true);
    Record(last.job, last.record);
    p.jobs.push_back(std::move(last));
    p.writing = true;
    FinishWrite();
    if (!process_) return;
  }
  Tell();
  if (!process_) return;
  witness_.Trace("the server is told to stop");
  Crash(/*lose_power=*/false, /*keep_unsynced=*/false);
}

// As the checkpointer's thread does, from the log alone.
Status Server::MakeCheckpoint() {
  if (!process_ || options_.checkpoint_dir.empty() || !digest_at_) return OkStatus();
  RecoveryOptions options{.checkpoint_dir = options_.checkpoint_dir, .to = digest_at_};
  Status made = updraft::MakeCheckpoint(*process_->log, options).status();
  if (made.ok()) ++checkpoints_;
  return made;
}

void Server::Heal() {
  armed_.reset();
  append_fault_.reset();
  disk_full_until_us_ = 0;
  hang_us_ = 0;
  link_cut_until_us_ = 0;
}

// --- Turns ---

Status Server::Ask(Command command, Engine::Callback told) {
  if (!process_) return Status(StatusCode::kUnavailable, "there is no server");
  return Enqueue(ItemOf(std::move(command), std::move(told)));
}

Status Server::MayEnter() const {
  const Process& p = *process_;
  if (!p.failure.ok()) return p.failure;
  if (p.inbox.size() < options_.inbox_max) return OkStatus();
  return Status(StatusCode::kUnavailable, refusal::kInboxFull, "the inbox is full");
}

// As Engine::Submit. Every command is recorded with what became of it.
Status Server::Enqueue(Item item) {
  RETURN_IF_ERROR(MayEnter());
  if (item.look) {
    item.look = [this, look = std::move(item.look)](const World& world) -> Engine::Finish {
      return [this, finish = look(world)](const Status& status) {
        if (!peeking_) finish(status);
      };
    };
  }
  for (Engine::Request& request : item.requests) {
    FillIn(request.command);
    request.callback = [this, command = request.command,
                        told = std::move(request.callback)](const Outcome& outcome) {
      if (!peeking_) {
        if (told) told(outcome);
      } else if (const auto* taken = std::get_if<TakenPushes>(&outcome.answer)) {
        for (const Push& push : taken->pushes) {
          if (push.again) recording_->again.push_back(push);
        }
      } else {
        recording_->turn.inputs.push_back({command, outcome});
      }
    };
  }
  process_->inbox.push_back(std::move(item));
  WakeTurns();
  return OkStatus();
}

// As Engine's turn thread waits: for something to do, and for the disk to be near enough.
void Server::WakeTurns() {
  Process& p = *process_;
  if (p.turn_planned || !p.failure.ok() || p.jobs.size() > kJobsAhead) return;
  if (!p.inbox.empty() || !p.items.empty()) {
    p.turn_planned = true;
    return Later(random_.Between(10, 200), &Server::RunTurn);
  }
  int64_t wait_us = p.turns.WaitUs();
  if (wait_us == 0) {
    p.turn_planned = p.by_timer = true;
    return Later(random_.Between(10, 200), &Server::RunTurn);
  }
  if (wait_us == kNever) return;
  // Slewed time may run faster or slower than the clock that waits: look again half way.
  int64_t look_us = schedule_.now_us() + (wait_us > 2 * kSecondUs ? wait_us / 2 : wait_us);
  if (p.wake_us > schedule_.now_us() && p.wake_us <= look_us) return;
  p.wake_us = look_us;
  schedule_.At(look_us, [this, life = life_, look_us] {
    if (life != life_ || !process_ || process_->wake_us != look_us) return;
    process_->wake_us = kNever;
    WakeTurns();
  });
}

void Server::RunTurn() {
  Process& p = *process_;
  p.turn_planned = false;
  if (!p.failure.ok()) return;
  if (std::exchange(p.by_timer, false) && DiesAt(CrashPoint::kAtTimer)) return;
  ++turns_;
  last_turn_us_ = schedule_.now_us();
  if (p.items.empty()) TakeForTurn(p.inbox, p.items);
  OpenJob open;
  open.record.turn.timers_held = p.turns.clock_held();
  open.job = p.turns.Turn(p.items);
  Record(open.job, open.record);
  if (!open.job.empty()) p.jobs.push_back(std::move(open));
  StartWrite();
  if (process_) WakeTurns();
}

// What the turn decided, by asking its tellings what they would say.
void Server::Record(const Job& job, TurnRecord& record) {
  const Core& core = process_->turns.core();
  record.turn.time_ms = core.now_ms();
  record.position = core.head().last;
  record.hash = core.head().hash;
  peeking_ = true;
  recording_ = &record;
  for (const Telling& telling : job.tellings) telling(OkStatus());
  peeking_ = false;
  if (!job.commit) return;
  record.commit = job.commit->commit;
  record.side = job.commit->side;
  Result<CommitReader> commit = CommitReader::Open(record.commit->bytes);
  Assert(commit.ok(), "a commit can be read");
  for (events::Event::Reader event : commit->events()) {
    using events::Event;
    if (event.which() == Event::GRAY_CUT) {
      auto cut = event.getGrayCut();
      record.turn.grays.push_back({static_cast<int>(cut.getBatch()), cut.getPopulation()});
    } else if (event.which() == Event::TARGETS_CHOSEN) {
      auto chosen = event.getTargetsChosen();
      if (chosen.getCursor() == 0 && !chosen.getWalkEnded()) continue;
      record.turn.walks.push_back({static_cast<int>(chosen.getBatch()),
                                   static_cast<int>(chosen.getCursor()), chosen.getWalkEnded()});
    } else if (event.which() == Event::TASK_PUSHED) {
      auto pushed = event.getTaskPushed();
      record.turn.pushes.push_back(
          {static_cast<int>(pushed.getTask()), false, static_cast<RefPushKind>(pushed.getKind())});
    } else if (event.which() == Event::TASK_FAILED) {
      auto failed = event.getTaskFailed();
      if (failed.getReason() != events::TaskReason::SOURCE_MISMATCH) continue;
      record.turn.pushes.push_back({static_cast<int>(failed.getTask()), true});
    }
  }
}

// --- The disk ---

void Server::StartWrite() {
  Process& p = *process_;
  if (p.writing || p.jobs.empty()) return;
  if (p.jobs.front().job.commit && DiesAt(CrashPoint::kBeforeWrite)) return;
  p.writing = true;
  int64_t takes_us = p.jobs.front().job.commit ? Jitter(options_.write_us) : 5;
  Later(takes_us + std::exchange(hang_us_, 0), &Server::FinishWrite);
}

void Server::FinishWrite() {
  Process& p = *process_;
  OpenJob& open = p.jobs.front();
  if (open.job.commit && p.failure.ok()) {
    bool full = schedule_.now_us() < disk_full_until_us_;
    if (full) disk_.FailNextAppend(AppendFault::kDiskFull);
    if (append_fault_) disk_.FailNextAppend(*std::exchange(append_fault_, std::nullopt));
  }
  Status verdict = p.writer.Write(open.job);
  p.writing = false;
  auto tell = [&](OpenJob& job) {
    for (Telling& telling : job.job.tellings) {
      p.told.push_back({std::move(telling), verdict, job.record.position, job.record.hash});
    }
    job.job.tellings.clear();
  };
  if (verdict.ok()) {
    OpenJob done = std::move(open);
    p.jobs.pop_front();
    if (done.job.commit && done.job.commit->ends_with_digest) {
      digest_at_ = done.job.commit->commit.last();
    }
    witness_.OnDurable(done.record, *p.log);
    tell(done);
  } else {
    // What could not be written stays in doubt until the log is opened again.
    for (OpenJob& job : p.jobs) tell(job);
    if (p.failure.ok()) {
      witness_.Trace("the log cannot be written");
      // Its host sees that it takes nothing more, and starts it again.
      schedule_.After(Jitter(3 * kSecondUs), [this, life = life_] {
        if (life == life_) Crash(/*lose_power=*/false, /*keep_unsynced=*/false);
      });
    }
    p.failure = verdict;
  }
  if (DiesAt(CrashPoint::kAfterWrite)) return;
  if (p.jobs.empty()) witness_.OnSettled(p.turns.core());
  if (!p.telling && !p.told.empty()) {
    p.telling = true;
    Later(random_.Between(5, 100), &Server::Tell);
  }
  if (p.failure.ok()) {
    StartWrite();
    if (process_) WakeTurns();
  }
}

// As Engine's completion thread.
void Server::Tell() {
  Process& p = *process_;
  p.telling = false;
  while (!p.told.empty()) {
    Process::Told told = std::move(p.told.front());
    p.told.pop_front();
    if (DiesAt(CrashPoint::kBetweenTellings)) return;
    if (told.verdict.ok()) witness_.OnTold(told.position, told.hash);
    told.telling(told.verdict);
    if (process_.get() != &p) return;
  }
}

// --- The session and its link ---

// As BrokerLink's port to the engine: what is submitted waits for FlushRequests.
Status Server::Submit(const Command& command, Callback callback) {
  if (!process_->refused.ok()) return process_->refused;
  Engine::Callback brought;
  if (callback) {
    brought = [this, callback = std::move(callback)](const Outcome& outcome) {
      Post([callback, outcome] { callback(outcome); });
    };
  }
  process_->requests.push_back(ItemOf(command, std::move(brought)));
  return OkStatus();
}

void Server::FlushRequests() {
  Process& p = *process_;
  if (p.requests.empty()) return;
  p.refused = OkStatus();
  while (!p.requests.empty()) {
    p.refused = MayEnter();
    if (!p.refused.ok()) break;
    (void)Enqueue(std::move(p.requests.front()));
    p.requests.pop_front();
  }
  if (p.refused.ok() || p.refused.reason() == refusal::kInboxFull) return;
  for (Item& item : p.requests) {
    const Engine::Callback& callback = item.requests.front().callback;
    if (callback) callback(Outcome{p.refused, {}});
  }
  p.requests.clear();
}

Status Server::Read(std::function<RosterPage(const World&)> look,
                    std::function<void(RosterPage)> then) {
  FlushRequests();  // A look sees what was submitted before it.
  RETURN_IF_ERROR(process_->refused);
  Item item;
  item.look = [this, look = std::move(look),
               then = std::move(then)](const World& world) -> Engine::Finish {
    return [this, then, page = look(world)](const Status& status) {
      Post([then, page = status.ok() ? page : RosterPage()] { then(page); });
    };
  };
  return Enqueue(std::move(item));
}

void Server::Post(std::function<void()> what) {
  Process& p = *process_;
  p.mailbox.push_back(std::move(what));
  if (std::exchange(p.mailbox_planned, true)) return;
  Later(random_.Between(5, 100), &Server::RunMailbox);
}

void Server::RunMailbox() {
  Process& p = *process_;
  p.mailbox_planned = false;
  std::deque<std::function<void()>> mailbox = std::move(p.mailbox);
  p.mailbox.clear();
  for (auto& what : mailbox) what();
  RunLink();
}

// As BrokerLink::Turn.
void Server::RunLink() {
  Process& p = *process_;
  while (!p.batches.empty() && p.batches.front() <= p.session.answered()) p.batches.pop_front();
  p.session.Tick(NowMs());
  if (!p.session.failure().ok() && p.link != LinkState::kDown) {
    DropLink(std::string(p.session.failure().reason()));
  }
  if (p.link == LinkState::kUp) {
    ReadArrived();
    PumpOut();
    if (process_.get() != &p) return;
    if (p.held.HeldMs(NowMs()) > kKeepAliveMs / 2) {
      ++stalls_;
      DropLink("the engine takes too long");
    }
  }
  if (p.link == LinkState::kDown && p.session.failure().ok() && p.session.Idle()) {
    p.link = LinkState::kDialing;
    int64_t at_us = std::max(p.next_dial_us, link_cut_until_us_);
    schedule_.At(std::max(at_us, schedule_.now_us()) + Jitter(options_.network_us),
                 [this, life = life_] {
                   if (life == life_ && process_) Dial();
                 });
  }
  FlushRequests();
  if (p.session.taken() > p.handed_over) p.batches.push_back(p.session.taken());
  p.handed_over = p.session.taken();
  PlanLink();
}

void Server::PlanLink() {
  Process& p = *process_;
  int64_t next_us = schedule_.now_us() + 30 * kMinuteUs;
  if (std::optional<int64_t> tick = p.session.NextTickMs()) next_us = *tick * kMsUs;
  if (p.EngineIsFull()) {
    next_us = std::min(next_us, schedule_.now_us() + MqttSession::kAskAgainMs * kMsUs);
  }
  if (p.held.bytes() != 0) next_us = std::min(next_us, schedule_.now_us() + 5 * kSecondUs);
  next_us = std::max(next_us, schedule_.now_us() + kMsUs);
  if (p.tick_us > schedule_.now_us() && p.tick_us <= next_us) return;
  p.tick_us = next_us;
  schedule_.At(next_us, [this, life = life_, next_us] {
    if (life != life_ || !process_ || process_->tick_us != next_us) return;
    process_->tick_us = kNever;
    RunLink();
  });
}

void Server::Dial() {
  Process& p = *process_;
  p.link = LinkState::kDown;
  if (!broker_.running() || schedule_.now_us() < link_cut_until_us_) {
    p.next_dial_us = schedule_.now_us() + Jitter(500 * kMsUs);
    return RunLink();
  }
  p.link = LinkState::kUp;
  uint64_t connection = ++p.connection;
  p.last_arrival_us = p.last_sent_us = schedule_.now_us();
  broker_.ConnectEngine([this, life = life_, connection](const Uplink& message) {
    Process& to = *process_;
    int64_t at_us = schedule_.now_us() + Jitter(options_.network_us);
    to.last_arrival_us = std::max(to.last_arrival_us, at_us);
    schedule_.At(to.last_arrival_us, [this, life, connection, message] {
      if (life != life_ || !process_ || process_->connection != connection) return;
      if (process_->link != LinkState::kUp) return;
      process_->arrived.push_back(message);
      RunLink();
    });
  });
  witness_.Trace("the server is connected to the broker");
  p.session.OnConnected(NowMs());
  for (const auto& [number, message] : p.in_flight) {
    p.held.Add(fmt::format("P{}\n", number), p.session.taken(), NowMs());
  }
  RunLink();
}

void Server::DropLink(const std::string& why) {
  Process& p = *process_;
  if (p.link == LinkState::kUp) {
    p.session.OnDisconnected();
    broker_.DisconnectEngine();
  }
  p.link = LinkState::kDown;
  ++p.connection;
  p.held.Clear();
  p.arrived.clear();
  p.handled.clear();
  p.unconfirmed.clear();
  p.next_dial_us = schedule_.now_us() + Jitter(500 * kMsUs);
  witness_.Trace(fmt::format("the server has lost the broker: {}", why));
}

void Server::CutLink(int64_t for_us) {
  link_cut_until_us_ = schedule_.now_us() + for_us;
  if (!process_) return;
  DropLink("cut");
  RunLink();
}

// With one batch of messages on its way to the disk and one being decided, more would only wait.
// What the client writes for any of a batch waits for all of it.
void Server::ReadArrived() {
  Process& p = *process_;
  if (p.batches.size() >= kBatchesAhead || p.EngineIsFull()) return;
  std::vector<uint64_t> read;
  for (int i = 0; i < kMessagesAtOnce && !p.arrived.empty() && !p.session.Full(); ++i) {
    Uplink message = std::move(p.arrived.front());
    p.arrived.pop_front();
    p.session.OnMessage(message.topic, message.payload, NowMs());
    read.push_back(message.id);
    p.handled[message.id] = std::move(message);
  }
  for (uint64_t id : read) p.held.Add(fmt::format("A{}\n", id), p.session.taken(), NowMs());
}

int Server::Publish(const OutMessage& message, int qos) {
  Process& p = *process_;
  int number = p.next_message++;
  (qos == 0 ? p.unconfirmed : p.in_flight)[number] = message;
  p.held.Add(fmt::format("{}{}\n", qos == 0 ? 'Q' : 'P', number), p.session.taken(), NowMs());
  return number;
}

void Server::PumpOut() {
  Process& p = *process_;
  p.held.Release(p.session.answered());
  while (true) {
    std::string_view ready = p.held.Ready();
    size_t end = ready.find('\n');
    if (end == std::string_view::npos) return;
    std::string packet(ready.substr(0, end));
    p.held.Consume(end + 1);
    SendToBroker(packet);
    if (DiesAt(CrashPoint::kAtPublish)) return;
  }
}

void Server::SendToBroker(const std::string& packet) {
  Process& p = *process_;
  uint64_t number = 0;
  std::from_chars(packet.data() + 1, packet.data() + packet.size(), number);
  std::function<void()> arrive;
  if (packet[0] == 'A') {
    auto found = p.handled.find(number);
    if (found == p.handled.end()) return;
    arrive = [this, message = std::move(found->second)] {
      broker_.PubackFromEngine(message.id);
      witness_.OnPuback(message);
    };
    p.handled.erase(found);
  } else {
    auto& out = packet[0] == 'Q' ? p.unconfirmed : p.in_flight;
    auto found = out.find(static_cast<int>(number));
    if (found == out.end()) return;
    bool acknowledged = packet[0] == 'P';
    arrive = [this, message = found->second, number, acknowledged, life = life_,
              connection = p.connection] {
      broker_.PublishFromEngine(message.topic, message.payload);
      witness_.OnPublished(message.topic, message.payload);
      if (!acknowledged) return;
      schedule_.After(Jitter(options_.network_us), [this, life, connection, number] {
        if (life != life_ || !process_ || process_->connection != connection) return;
        process_->in_flight.erase(static_cast<int>(number));
        process_->session.OnPuback(static_cast<int>(number), NowMs());
        RunLink();
      });
    };
    if (packet[0] == 'Q') out.erase(found);
  }
  // What is under way arrives although the process dies, unless the connection is cut.
  p.last_sent_us = std::max(p.last_sent_us, schedule_.now_us() + Jitter(options_.network_us));
  schedule_.At(p.last_sent_us, [this, arrive = std::move(arrive), epoch = broker_.epoch(),
                                life = life_, connection = p.connection] {
    if (!broker_.running() || broker_.epoch() != epoch) return;
    bool same = life == life_ && process_ && process_->connection == connection;
    bool died = life != life_;
    if (same || died) arrive();
  });
}

}  // namespace updraft::simulation
