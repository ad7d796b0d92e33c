#include "tests/simulation/checkers.h"

#include <algorithm>

#include <fmt/format.h>

#include "adapters/mqtt/intake.h"
#include "adapters/wire/gate_topics.h"
#include "tests/fleet/notice.h"

namespace updraft::simulation {
namespace {

std::string ReasonOf(const Task& task) {
  static constexpr const char* kNames[] = {"",
                                           "conflict",
                                           "upgrade failed",
                                           "download failed",
                                           "verify failed",
                                           "burn failed",
                                           "wrong version",
                                           "timeout",
                                           "source mismatch",
                                           "by user",
                                           "overridden",
                                           "schedule end",
                                           "device deleted",
                                           "target reported",
                                           "already on target"};
  return kNames[static_cast<int>(TaskReason(task.reason))];
}

// What a device says, as the engine should have heard it; empty for what is no command.
std::string WordsOf(const Command& command) {
  auto of = [](const DeviceRef& ref) { return ref.product_key + "/" + ref.name; };
  if (auto* c = std::get_if<ReportVersion>(&command)) {
    return fmt::format("version {} {} {}", of(c->device), c->module, c->version);
  }
  if (auto* c = std::get_if<ReportProgress>(&command)) {
    return fmt::format("progress {} {} {}", of(c->device), c->module, c->step);
  }
  if (auto* c = std::get_if<RequestPackage>(&command)) {
    return fmt::format("pull {} {}", of(c->device), c->module);
  }
  if (auto* c = std::get_if<ReportPresence>(&command)) {
    if (c->device.id) return "";  // The roster's finding, no word of the broker.
    return fmt::format("presence {} {} {} {}", of(c->device), c->online, c->broker_epoch,
                       c->generation);
  }
  if (auto* c = std::get_if<BrokerStarted>(&command)) return fmt::format("broker {}", c->epoch);
  return "";
}

std::string NoticeKey(std::string_view device, std::string_view module, std::string_view version) {
  return fmt::format("{} {} {}", device, module.empty() ? "default" : module, version);
}

}  // namespace

Checkers::Checkers(Reference::Settings settings, TraceLine trace)
    : trace_(std::move(trace)),
      reference_(settings, [this](const std::string& c, const std::string& w) { Fail(c, w); }),
      shadow_(std::make_unique<World>()),
      explained_(1) {}

Checkers::~Checkers() = default;

// The first is what counts.
void Checkers::Fail(const std::string& checker, const std::string& what) {
  if (failure_) return;
  failure_ = Failure{checker, what};
  trace_(fmt::format("FAILED {}: {}", checker, what));
}

// --- What the log has ---

void Checkers::OnDurable(const TurnRecord& record, const EventLog& log) {
  if (record.commit) {
    bool found = false;
    Status stop(StatusCode::kAborted, "seen");
    Status read = log.Read(record.commit->header.first, [&](const CommitReader& commit) {
      found = commit.bytes() == record.commit->bytes;
      return stop;
    });
    if (!found) {
      return Fail("log", fmt::format("the log is said to have event {}, and has not: {}",
                                     record.commit->header.first.value(), read.ToString()));
    }
  }
  Take(record);
}

void Checkers::Take(const TurnRecord& record) {
  if (record.commit) TakeCommit(*record.commit, record.side);
  CheckAgain(record);
  for (const RefInput& input : record.turn.inputs) NoteInput(input);
  reference_.Apply(record.turn);
  if (!failure_) Compare();
}

void Checkers::TakeCommit(const SealedCommit& commit, const std::vector<SideWrite>& side) {
  ++stats_.commits;
  stats_.events += commit.event_count;
  bool follows = commit.header.first.value() == position_.value() + 1 &&
                 commit.header.previous_hash == hash_ && commit.header.time_ms >= time_ms_;
  if (!follows) {
    Fail("log", fmt::format("events from {} do not follow those up to {}",
                            commit.header.first.value(), position_.value()));
  }
  Result<CommitReader> reader = CommitReader::Open(commit.bytes);
  if (!reader.ok()) return Fail("log", reader.status().ToString());
  for (events::Event::Reader event : reader->events()) Explain(event);
  if (Status status = Fold(*shadow_, *reader); !status.ok()) Fail("digest", status.ToString());
  for (const SideWrite& write : side) ApplySide(*shadow_, write.key, write.value);
  for (events::Event::Reader event : reader->events()) {
    if (!event.isTaskPushed()) continue;
    ++stats_.pushes;
    const Task& task = shadow_->tasks()[TaskId(event.getTaskPushed().getTask())];
    const Package& package = shadow_->packages()[shadow_->batches()[task.batch].package];
    pushed_.insert(NoticeKey(shadow_->names().Of(task.device),
                             LowerCase(shadow_->modules()[package.module].name),
                             shadow_->versions()[package.target].text));
  }
  position_ = commit.last();
  hash_ = commit.hash;
  time_ms_ = commit.header.time_ms;
  commits_.emplace_back(position_, hash_);
  if (commits_.size() % 16 == 0 && shadow_->ComputeDigest() != shadow_->digest()) {
    Fail("digest", "the running digest is not that of the records");
  }
}

// The states that follow from events alone.
void Checkers::Explain(events::Event::Reader event) {
  using events::Event;
  auto open_only = [&](uint32_t task, State state) {
    if (task >= explained_.size())
      return Fail("explained", fmt::format("there is no task {}", task));
    if (!IsOpenState(explained_[task])) {
      Fail("explained", fmt::format("task {} is {} and yet becomes {}", task,
                                    NameOf(explained_[task]), NameOf(state)));
    }
    explained_[task] = state;
  };
  auto told = [&](uint32_t task) {
    bool queued = task < explained_.size() && explained_[task] == State::kQueued;
    open_only(task, queued ? State::kNotified : explained_[task]);
  };
  switch (event.which()) {
    case Event::TARGETS_CHOSEN: {
      auto chosen = event.getTargetsChosen();
      for (uint32_t task : chosen.getOverridden()) open_only(task, State::kCanceled);
      bool confirm = confirms_.count(chosen.getBatch()) != 0;
      explained_.insert(explained_.end(), chosen.getQueued().size(),
                        confirm ? State::kConfirm : State::kQueued);
      explained_.insert(explained_.end(), chosen.getConflicted().size(), State::kFailed);
      return;
    }
    case Event::BATCH_CREATED:
      if (event.getBatchCreated().getNeedConfirm()) {
        confirms_.insert(event.getBatchCreated().getBatch());
      }
      return;
    case Event::TASK_PUSHED:
      return told(event.getTaskPushed().getTask());
    case Event::TASK_PULLED:
      return told(event.getTaskPulled().getTask());
    case Event::UPGRADE_BEGAN:
      return open_only(event.getUpgradeBegan().getTask(), State::kInProgress);
    case Event::TASK_SUCCEEDED:
      return open_only(event.getTaskSucceeded().getTask(), State::kSucceeded);
    case Event::TASK_FAILED:
      return open_only(event.getTaskFailed().getTask(), State::kFailed);
    case Event::TASKS_CANCELED:
      for (uint32_t task : event.getTasksCanceled().getTasks()) open_only(task, State::kCanceled);
      return;
    case Event::TASK_CONFIRMED:
      return open_only(event.getTaskConfirmed().getTask(), State::kQueued);
    case Event::TASK_REOPENED: {
      uint32_t task = event.getTaskReopened().getTask();
      bool ended = task < explained_.size() &&
                   (explained_[task] == State::kFailed || explained_[task] == State::kCanceled);
      if (!ended)
        return Fail("explained", fmt::format("task {} is reopened and had not ended", task));
      BatchId batch = shadow_->tasks()[TaskId(task)].batch;
      explained_[task] = confirms_.count(batch.value()) != 0 ? State::kConfirm : State::kQueued;
      return;
    }
    default:
      return;
  }
}

void Checkers::CheckAgain(const TurnRecord& record) {
  for (const Push& push : record.again) {
    uint64_t number = push.number.value();
    const Globals& globals = shadow_->globals();
    bool in_doubt = number <= globals.pushes && number > globals.pushes_acknowledged;
    if (!in_doubt || !resent_.insert(number).second) {
      Fail("resend", fmt::format("push {} is sent again; {} were recorded, {} acknowledged", number,
                                 globals.pushes, globals.pushes_acknowledged));
    }
  }
}

void Checkers::NoteInput(const RefInput& input) {
  ++stats_.inputs;
  if (std::string words = WordsOf(input.command); !words.empty()) ++durable_words_[words];
}

// --- What others see ---

void Checkers::OnTold(Seq position, const Hash256& hash) {
  bool known = position <= position_;
  for (auto it = commits_.rbegin(); known && it != commits_.rend(); ++it) {
    if (it->first > position) continue;
    known = it->first == position && it->second == hash;
    break;
  }
  if (!known) {
    Fail("told", fmt::format("somebody is told of event {}, and the log has {}", position.value(),
                             position_.value()));
  }
  told_ = std::max(told_, position);
}

void Checkers::OnPuback(const Uplink& message) {
  Taken taken = TakeIn(MqttPath::kGate, message.topic, message.payload);
  const auto* command = std::get_if<DeviceCommand>(&taken);
  if (command == nullptr) return;
  std::string words = WordsOf(command->command);
  if (++acknowledged_words_[words] <= durable_words_[words]) return;
  Fail("puback",
       fmt::format("the broker is told that '{}' is done, and the log does not know it", words));
}

void Checkers::OnPublished(const std::string& topic, const std::string& payload) {
  std::optional<GateDownTopic> down = ParseGateDownTopic(topic);
  if (!down || !down->device_topic.starts_with("/ota/device/upgrade/")) return;
  std::optional<ReceivedNotice> notice = ReadNotice(payload);
  if (!notice) return Fail("notice", "a notice that no device can read: " + payload);
  std::string key = NoticeKey(down->device_name, LowerCase(notice->module), notice->version);
  if (pushed_.count(key) == 0)
    Fail("notice", fmt::format("'{}' was told of, and not recorded", key));
}

void Checkers::OnUnopened(const Status& status) {
  Fail("recovery", fmt::format("the log cannot be opened: {}", status.ToString()));
}

// --- Recovery ---

void Checkers::OnCrash(std::vector<TurnRecord> doubtful) {
  std::move(doubtful.begin(), doubtful.end(), std::back_inserter(doubtful_));
}

void Checkers::OnRecovered(const EventLog& log, const Core& core) {
  ++stats_.recoveries;
  for (const TurnRecord& record : std::exchange(doubtful_, {})) {
    bool there = record.commit && record.commit->last() <= log.head().last;
    if (there) {
      OnDurable(record, log);
    } else if (record.commit) {
      ++stats_.lost_turns;
    }
  }
  resent_.clear();  // Each reign may send each once.
  if (log.head().last != position_ || (position_ && log.head().hash != hash_)) {
    return Fail("log", fmt::format("after a restart the log ends at {}, and not at {}",
                                   log.head().last.value(), position_.value()));
  }
  size_t next = 0;
  Status read = log.Read(Seq(1), [&](const CommitReader& commit) {
    bool same = next < commits_.size() && commits_[next].first == commit.last() &&
                commits_[next].second == commit.hash();
    ++next;
    return same ? OkStatus() : Status(StatusCode::kDataLoss, "another commit than was written");
  });
  if (!read.ok() || next != commits_.size()) Fail("log", "the log was changed: " + read.ToString());
  if (!position_) return;
  OnSettled(core);
  CompareDerived(core.world());
}

void Checkers::OnSettled(const Core& core) {
  if (core.world().digest() != shadow_->digest() && position_) {
    Fail("digest", "the engine's world is not what its log folds to");
  }
}

void Checkers::CompareDerived(const World& live) {
  const World& fold = *shadow_;
  auto differ = [&](const std::string& what) { Fail("derived", what + " differ after a restart"); };
  if (live.agenda().with_ready != fold.agenda().with_ready) differ("batches with ready tasks");
  if (live.agenda().at_work != fold.agenda().at_work) differ("batches at work");
  for (uint32_t b = 1; b <= fold.batches().size(); ++b) {
    const BatchIndex& one = live.IndexOf(BatchId(b));
    const BatchIndex& other = fold.IndexOf(BatchId(b));
    if (one.ready != other.ready) differ("ready tasks");
    if (one.repeats != other.repeats) differ("repeats");
    if (one.tasks.counts() != other.tasks.counts()) differ("counts");
  }
  for (uint32_t m = 1; m <= fold.modules().size(); ++m) {
    const ModuleIndex& one = live.IndexOf(ModuleId(m));
    const ModuleIndex& other = fold.IndexOf(ModuleId(m));
    if (one.in_use != other.in_use || one.devices != other.devices) differ("versions in use");
    if (one.dynamic != other.dynamic) differ("dynamic batches");
    if (one.packages != other.packages) differ("counts of packages");
  }
  for (uint32_t d = 1; d <= fold.devices().size(); ++d) {
    const Device& device = fold.devices()[DeviceId(d)];
    if (live.names().Of(DeviceId(d)) != fold.names().Of(DeviceId(d))) differ("names");
    if (device.deleted) continue;
    if (live.names().Find(device.product, fold.names().Of(DeviceId(d))) != DeviceId(d)) {
      differ("look-ups of names");
    }
  }
  if (live.ComputeDigest() != live.digest()) {
    Fail("digest", "after a restart the running digest is not that of the records");
  }
}

// --- The reference model ---

void Checkers::Compare() {
  const World& w = *shadow_;
  auto count = [&](const char* what, size_t has, size_t expected) {
    if (has != expected) {
      Fail("reference", fmt::format("there are {} {}, expected {}", has, what, expected));
    }
  };
  count("tasks", w.tasks().size(), reference_.tasks().size() - 1);
  count("batches", w.batches().size(), reference_.batches().size() - 1);
  count("packages", w.packages().size(), reference_.packages().size() - 1);
  count("devices", w.devices().size(), reference_.devices().size() - 1);
  count("explained tasks", w.tasks().size(), explained_.size() - 1);
  if (failure_) return;
  for (size_t t = 1; t < reference_.tasks().size(); ++t) CompareTask(static_cast<int>(t));
  for (size_t b = 1; b < reference_.batches().size(); ++b) CompareBatch(static_cast<int>(b));
  for (size_t d = 1; d < reference_.devices().size(); ++d) CompareDevice(static_cast<int>(d));
  for (size_t p = 1; p < reference_.packages().size(); ++p) {
    const RefPackage& expected = reference_.packages()[p];
    const Package& package = w.packages()[PackageId(static_cast<uint32_t>(p))];
    bool same =
        static_cast<int>(PackageStatus(package.status)) == static_cast<int>(expected.verdict) &&
        package.deleted == expected.deleted;
    if (!same) {
      Fail("reference", fmt::format("package {} has status {}, expected {}", p,
                                    static_cast<int>(PackageStatus(package.status)),
                                    static_cast<int>(expected.verdict)));
    }
  }
}

void Checkers::CompareTask(int id) {
  const RefTask& expected = reference_.tasks()[id];
  const Task& task = shadow_->tasks()[TaskId(static_cast<uint32_t>(id))];
  auto state = static_cast<State>(TaskState(task.state));
  std::string source = task.source ? shadow_->versions()[task.source].text : "";
  auto differ = [&](const char* what, const auto& has, const auto& should) {
    if (has == should) return;
    Fail("reference", fmt::format("task {} (device {}, batch {}): {} is '{}', expected '{}'", id,
                                  expected.device, expected.batch, what, has, should));
  };
  differ("device", static_cast<int>(task.device.value()), expected.device);
  differ("batch", static_cast<int>(task.batch.value()), expected.batch);
  differ("state", NameOf(state), NameOf(expected.state));
  differ("reason", ReasonOf(task), expected.reason);
  differ("source", source, expected.source);
  differ("step", static_cast<int>(task.step), expected.step);
  differ("retries", static_cast<uint32_t>(task.retries), expected.retries);
  differ("retry", task.retry_waiting ? int64_t{task.retry_due} : 0, expected.retry_due.value_or(0));
  differ("retry ready", task.retry_ready, expected.retry_ready);
  differ("timeout", int64_t{task.timeout_due}, expected.timeout_due.value_or(0));
  if (explained_[id] != state) {
    Fail("explained", fmt::format("task {} is {}; its events make it {}", id, NameOf(state),
                                  NameOf(explained_[id])));
  }
}

void Checkers::CompareBatch(int id) {
  const RefBatch& expected = reference_.batches()[id];
  const Batch& batch = shadow_->batches()[BatchId(static_cast<uint32_t>(id))];
  bool same = static_cast<int>(BatchStatus(batch.status)) == static_cast<int>(expected.state) &&
              batch.paused == expected.paused && batch.stopped == expected.stopped &&
              batch.walking == expected.walking;
  if (!same) {
    Fail("reference",
         fmt::format("batch {}: status {} paused {} stopped {} walking {}, expected {} {} {} {}",
                     id, static_cast<int>(BatchStatus(batch.status)), batch.paused, batch.stopped,
                     batch.walking, static_cast<int>(expected.state), expected.paused,
                     expected.stopped, expected.walking));
  }
  std::array<uint32_t, kTaskStateCount> counts = {};
  for (int t : expected.tasks) ++counts[static_cast<int>(reference_.tasks()[t].state)];
  if (shadow_->IndexOf(BatchId(static_cast<uint32_t>(id))).tasks.counts() != counts) {
    Fail("reference", fmt::format("batch {}'s counts do not add up", id));
  }
}

void Checkers::CompareDevice(int id) {
  const RefDevice& expected = reference_.devices()[id];
  DeviceId device(static_cast<uint32_t>(id));
  const Device& record = shadow_->devices()[device];
  bool same = record.deleted == expected.deleted && record.disabled == expected.disabled &&
              shadow_->IsOnline(device) == expected.online;
  size_t versions = 0;
  for (InstalledId i = record.newest_installed; i; i = shadow_->installed()[i].older) {
    const Installed& installed = shadow_->installed()[i];
    if (!installed.version) continue;
    ++versions;
    std::string module = LowerCase(shadow_->modules()[installed.module].name);
    same &= reference_.VersionOf(id, module) == shadow_->versions()[installed.version].text;
  }
  if (same && versions == expected.versions.size()) return;
  Fail("reference", fmt::format("device {} ({}): online {}, expected {}; or its versions", id,
                                expected.name, shadow_->IsOnline(device), expected.online));
}

}  // namespace updraft::simulation
