#include "tests/spec/spec.h"

#include <capnp/dynamic.h>
#include <fmt/format.h>

#include "projections/side_values.h"
#include "tests/spec/derived.h"

namespace updraft {
namespace {

std::string KindOf(events::Event::Reader event) {
  capnp::DynamicStruct::Reader dynamic = event;
  KJ_IF_MAYBE (field, dynamic.which()) {
    return std::string(field->getProto().getName().cStr());
  }
  return "unknown";
}

}  // namespace

Spec::Spec(Limits limits)
    : limits_(limits),
      core_(std::make_unique<Core>(Core::Options{.limits = limits, .build = "spec"})) {
  CommitJob reign = core_->BeginReign(now_ms_);
  REQUIRE(log_.Append(reign.commit, reign.side).ok());
}

void Spec::Restart() {
  core_ = std::make_unique<Core>(Core::Options{.limits = limits_, .build = "spec"});
  REQUIRE(core_->Recover(log_).ToString() == "OK");
  CommitJob reign = core_->BeginReign(now_ms_);
  REQUIRE(log_.Append(reign.commit, reign.side).ok());
}

void Spec::InOneTurn(const std::vector<Command>& commands) {
  core_->BeginTurn(now_ms_);
  for (Command command : commands) {
    FillIn(command);
    Outcome outcome = core_->Execute(command, KeyId());
    INFO(outcome.status.ToString());
    REQUIRE(outcome.ok());
  }
  core_->RunAgenda();
  EndTurn();
}

Seq Spec::RecordDigest() {
  core_->BeginTurn(now_ms_);
  std::optional<CommitJob> job = core_->EndTurnWithDigest();
  REQUIRE(job->ends_with_digest);
  REQUIRE(log_.Append(job->commit, job->side).ok());
  return job->commit.last();
}

void Spec::OneTurn() {
  core_->BeginTurn(now_ms_);
  core_->RunAgenda();
  EndTurn();
}

Outcome Spec::When(Command command, Origin origin) {
  FillIn(command);
  core_->BeginTurn(now_ms_);
  Outcome outcome = core_->Execute(command, origin);
  core_->RunAgenda();
  EndTurn();
  // A walk or a sweep that the command began runs to its end.
  while (core_->NextDue(false) <= now_ms_) {
    std::vector<std::string> before = last_events_;
    OneTurn();
    last_events_.insert(last_events_.begin(), before.begin(), before.end());
  }
  return outcome;
}

Outcome Spec::Ok(Command command) {
  Outcome outcome = When(std::move(command));
  INFO(outcome.status.ToString());
  REQUIRE(outcome.ok());
  return outcome;
}

void Spec::Refused(Command command, std::string_view reason) {
  size_t before = event_count();
  Outcome outcome = When(std::move(command));
  CHECK(outcome.status.reason() == reason);
  CHECK_FALSE(outcome.status.message().empty());
  CHECK(event_count() == before);
}

void Spec::Pass(std::chrono::milliseconds time) {
  int64_t until = now_ms_ + time.count();
  last_events_.clear();
  while (core_->NextDue(false) <= until) {
    now_ms_ = std::max(now_ms_, core_->NextDue(false));
    std::vector<std::string> before = last_events_;
    OneTurn();
    last_events_.insert(last_events_.begin(), before.begin(), before.end());
  }
  now_ms_ = until;
}

std::vector<Push> Spec::TakePushes(uint32_t max) {
  core_->BeginTurn(now_ms_);
  std::vector<updraft::Push> pushes = core_->TakePushes(max);
  EndTurn();
  return pushes;
}

void Spec::EndTurn() {
  last_events_.clear();
  if (std::optional<CommitJob> job = core_->EndTurn()) {
    Result<CommitReader> commit = CommitReader::Open(job->commit.bytes);
    REQUIRE(commit.ok());
    for (events::Event::Reader event : commit->events()) last_events_.push_back(KindOf(event));
    REQUIRE(log_.Append(job->commit, job->side).ok());
  }
  if (check_every_turn_) CheckInvariants();
}

void Spec::CheckInvariants() const {
  const World& w = world();
  INFO(fmt::format("{}", fmt::join(last_events_, " ")));
  REQUIRE(w.digest().ToString() == w.ComputeDigest().ToString());
  std::vector<uint32_t> open(w.installed().size() + 1);
  std::vector<std::array<uint32_t, kTaskStateCount>> counts(w.batches().size() + 1);
  for (uint32_t t = 1; t <= w.tasks().size(); ++t) {
    const Task& task = w.tasks()[TaskId(t)];
    ++counts[task.batch.value()][static_cast<int>(TaskState(task.state))];
    if (!IsOpen(task.state)) continue;
    InstalledId installed = w.FindInstalled(task.device, w.ModuleOf(task.batch));
    REQUIRE(w.installed()[installed].open_task == TaskId(t));
    REQUIRE(++open[installed.value()] == 1);  // One open task a device and module.
  }
  for (uint32_t b = 1; b <= w.batches().size(); ++b) {
    REQUIRE(w.IndexOf(BatchId(b)).tasks.counts() == counts[b]);
  }
}

void Spec::CheckReplay() const {
  Core replayed({.build = "spec"});
  REQUIRE(replayed.Recover(log_).ToString() == "OK");
  CHECK(replayed.world().digest() == world().digest());
  CHECK(replayed.head().hash == core_->head().hash);
  CHECK(DescribeDerived(replayed.world()) == DescribeDerived(world()));
  CheckSavedWorld(world());
}

Fleet::Fleet(int devices, Limits limits) : Spec(limits) {
  Ok(CreateProduct{.name = "product", .product_key = kProductKey});
  Ok(BrokerStarted{1});
  for (int i = 1; i <= devices; ++i) {
    std::string name = "dev-" + std::to_string(i);
    Register(name);
    REQUIRE(Report(name, "1.0.0").ok());
  }
  package_ = AddPackage("package", "2.0.0");
}

DeviceRef Fleet::Device(std::string_view name) const {
  return DeviceRef{{}, kProductKey, std::string(name)};
}

DeviceId Fleet::Id(std::string_view name) const { return FindDevice(world(), kProductKey, name); }

CreatePackage Fleet::PackageOrder(std::string name, std::string version) const {
  CreatePackage order;
  order.product_key = kProductKey;
  order.name = std::move(name);
  order.target_version = std::move(version);
  order.needs_verification = false;
  order.file = "f00d";
  order.suffix = "bin";
  order.size_bytes = 1'000;
  order.md5 = std::string(16, 'm');
  order.sha256 = std::string(32, 's');
  return order;
}

PackageId Fleet::AddPackage(std::string name, std::string version) {
  Outcome outcome = Ok(PackageOrder(std::move(name), std::move(version)));
  return std::get<CreatedPackage>(outcome.answer).package;
}

PackageId Fleet::AddDiff(std::string name, std::string from, std::string to) {
  CreatePackage order = PackageOrder(std::move(name), std::move(to));
  order.diff = true;
  order.source_version = std::move(from);
  return std::get<CreatedPackage>(Ok(order).answer).package;
}

CreateBatch Fleet::BatchOrder(CreateBatch order) const {
  order.product_key = kProductKey;
  if (!order.package) order.package = package_;
  if (!order.device_names.empty()) order.scope = Scope::kSpecific;
  return order;
}

BatchId Fleet::StartBatch(CreateBatch order) {
  return std::get<CreatedBatch>(Ok(BatchOrder(std::move(order))).answer).batch;
}

void Fleet::Register(std::string name) {
  RegisterDevices order{.product_key = kProductKey};
  order.devices.push_back({.name = std::move(name)});
  Ok(order);
}

void Fleet::RegisterMany(int first, int last, const std::string& version) {
  constexpr int kAtATime = 1'000;
  for (int from = first; from <= last; from += kAtATime) {
    int to = std::min(last, from + kAtATime - 1);
    RegisterDevices order{.product_key = kProductKey};
    std::vector<Command> reports;
    for (int i = from; i <= to; ++i) {
      order.devices.push_back({.name = "dev-" + std::to_string(i)});
      reports.push_back(ReportVersion{Device(order.devices.back().name), "", version});
    }
    InOneTurn({order});
    if (!version.empty()) InOneTurn(reports);
  }
}

std::vector<int64_t> Fleet::PushFor(std::chrono::milliseconds time) {
  std::vector<int64_t> times;
  int64_t until = now_ms() + time.count();
  while (true) {
    int64_t next = std::max(now_ms(), core().NextDue(true));
    if (next > until) break;
    Pass(std::chrono::milliseconds(next - now_ms()));
    times.insert(times.end(), TakePushes().size(), now_ms());
  }
  Pass(std::chrono::milliseconds(until - now_ms()));
  return times;
}

void Fleet::Online(std::string_view name) {
  Ok(ReportPresence{Device(name), true, 1, ++generation_});
}

void Fleet::Offline(std::string_view name) {
  Ok(ReportPresence{Device(name), false, 1, generation_});
}

void Fleet::Settled(std::string_view name) {
  Online(name);
  Pass(std::chrono::milliseconds(kSettleMs));
}

Outcome Fleet::Report(std::string_view name, std::string version, std::string module) {
  return When(ReportVersion{Device(name), std::move(module), std::move(version)});
}

Outcome Fleet::Progress(std::string_view name, int step, std::string text, std::string module) {
  return When(ReportProgress{Device(name), std::move(module), step, std::move(text)});
}

std::optional<Notice> Fleet::Pull(std::string_view name, std::string module) {
  Outcome outcome = Ok(RequestPackage{Device(name), std::move(module)});
  const auto& notice = std::get<PulledNotice>(outcome.answer).notice;
  return notice ? std::optional(*notice) : std::nullopt;
}

Notice Fleet::Push() {
  std::vector<updraft::Push> pushes = TakePushes();
  REQUIRE(pushes.size() == 1);
  return pushes[0].notice;
}

void Fleet::BringTo(BatchId batch, std::string_view name, std::string_view state) {
  if (StateOf(batch, name) == state) return;
  if (StateOf(batch, name) == "CONFIRM") Ok(ConfirmTasks{{TaskOf(batch, name).task}});
  if (StateOf(batch, name) == state) return;
  REQUIRE(Pull(name).has_value());
  if (state == "NOTIFIED") return;
  if (state == "FAILED") {
    REQUIRE(Progress(name, -1).ok());
  } else if (state == "CANCELED") {
    Ok(CancelBatch{.batch = batch, .notified = true});
  } else {
    REQUIRE(Progress(name, 10).ok());
    if (state == "SUCCEEDED") REQUIRE(Report(name, "2.0.0").ok());
  }
  REQUIRE(StateOf(batch, name) == state);
}

std::string Fleet::StateOf(BatchId batch, std::string_view name) const {
  std::optional<TaskView> task = ViewTask(world(), batch, Id(name));
  return task ? std::string(TaskStateWord(task->state)) : "none";
}

TaskView Fleet::TaskOf(BatchId batch, std::string_view name) const {
  std::optional<TaskView> task = ViewTask(world(), batch, Id(name));
  REQUIRE(task.has_value());
  return *task;
}

std::vector<TaskId> Fleet::TasksOf(BatchId batch) const {
  std::vector<TaskId> ids;
  world().IndexOf(batch).tasks.Page(
      ~0u, 0, 1'000'000,
      [&](TaskId id) { return static_cast<int>(TaskState(world().tasks()[id].state)); },
      [&](TaskId id) { ids.push_back(id); });
  return ids;
}

std::string Fleet::Counts(BatchId batch) const {
  std::string text;
  TaskCounts counts = *CountTasks(world(), batch);
  for (int state = 0; state < kTaskStateCount; ++state) {
    if (counts.by_state[state] == 0) continue;
    if (!text.empty()) text += ' ';
    text += fmt::format("{} {}", TaskStateWord(state), counts.by_state[state]);
  }
  return text;
}

}  // namespace updraft
