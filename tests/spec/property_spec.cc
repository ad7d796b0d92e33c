// Random operators and random devices: what holds after every step, whatever they do.
//
// A failing seed is printed; SEED=n runs it again.
#include <cstdlib>
#include <map>
#include <random>

#include "tests/spec/spec.h"

namespace updraft {
namespace {

using std::chrono::milliseconds;

class Chaos : public Fleet {
 public:
  explicit Chaos(uint64_t seed) : Fleet(0), random_(seed) {
    CheckSeldom();
    for (int i = 1; i <= kDevices; ++i) Register(Name(i));
    AddDiff("diff", "v1", "v2");
    CreatePackage order = PackageOrder("unverified", "v3");
    order.needs_verification = true;
    Ok(order);
    packages_ = 3;
  }

  void Step() {
    Remember();
    switch (Draw(24)) {
      case 0:
      case 1:
        return Try(RandomBatch());
      case 2:
        return Try(CancelBatch{.batch = Batch(),
                               .scheduled = Chance(5),
                               .queued = Chance(3),
                               .notified = Chance(3),
                               .in_progress = Chance(3)});
      case 3:
        return Try(CancelDevices{Package(), kProductKey, {Name(), Name()}, BatchId()});
      case 4:
        return Try(ReupgradeTasks{Batch(), {AnyTask()}});
      case 5:
        return Try(ConfirmTasks{{AnyTask()}});
      case 6:
        return Chance(2) ? Try(PauseBatch{Batch()}) : Try(ResumeBatch{Batch()});
      case 7:
        return Try(EditBatch{.batch = Batch(), .push_per_minute = Rate()});
      case 8:
        return Chance(4) ? Try(StopBatch{Batch()}) : PassSome();
      case 9:
        return Chance(8) ? Try(DeleteDevice{Device(Name())}) : PassSome();
      case 10:
        return Chance(2) ? Try(DisableDevice{Device(Name())}) : Try(EnableDevice{Device(Name())});
      case 11:
        return Chance(6) ? Restart() : PassSome();
      case 12:
        return Chance(10) ? Try(BrokerStarted{++broker_})
                          : Try(AcknowledgePushes{PushNumber(world().globals().pushes)});
      case 13:
      case 14:
        return Try(
            ReportPresence{Device(Name()), Chance(3) ? false : true, broker_, ++generation_});
      case 15:
      case 16:
        return Try(ReportVersion{Device(Name()), Chance(6) ? "mcu" : "", Version()});
      case 17:
      case 18:
      case 19:
        return Try(ReportProgress{Device(Name()), "", static_cast<int>(Draw(105)) - 4, ""});
      case 20:
        return Try(RequestPackage{Device(Name())});
      case 21:
        return TakeSome();
      default:
        return PassSome();
    }
  }

  void CheckAll() {
    CheckInvariants();
    CheckReplay();
    for (const auto& [batch, times] : counted_) {
      INFO("batch " << batch.value());
      for (size_t from = 0, to = 0; from < times.size(); ++from) {
        while (to < times.size() && times[to] < times[from] + 60'000) ++to;
        REQUIRE(to - from <= highest_rate_[batch]);
      }
    }
  }

 private:
  static constexpr int kDevices = 12;

  uint32_t Draw(uint32_t below) { return static_cast<uint32_t>(random_() % below); }
  bool Chance(uint32_t one_in) { return Draw(one_in) == 0; }
  static std::string Name(int i) { return "dev-" + std::to_string(i); }
  std::string Name() { return Name(static_cast<int>(Draw(kDevices)) + 1); }
  std::string Version() {
    static constexpr const char* kVersions[] = {"v0", "v1", "v2", "v3", "2.0.0", "odd"};
    return kVersions[Draw(6)];
  }
  BatchId Batch() { return BatchId(Draw(static_cast<uint32_t>(world().batches().size()) + 1) + 1); }
  PackageId Package() { return PackageId(Draw(packages_) + 1); }
  TaskId AnyTask() { return TaskId(Draw(static_cast<uint32_t>(world().tasks().size()) + 1) + 1); }
  uint32_t Rate() { return 10 + Draw(20); }

  CreateBatch RandomBatch() {
    CreateBatch order = BatchOrder({.package = Package(), .push_per_minute = Rate()});
    switch (Draw(5)) {
      case 0:
        order.scope = Scope::kSpecific;
        order.device_names = {Name(), Name()};
        break;
      case 1:
        order.scope = Scope::kGray;
        order.gray_thousandths = Draw(100'000) + 1;
        break;
      case 2:
        order.dynamic = true;
        order.only_new_reports = Chance(2);
        order.source_versions = {Version()};
        break;
      case 3:
        order.verification = true;
        order.device_names = {Name(), Name()};
        break;
      default:
        if (Chance(2)) order.source_versions = {Version()};
    }
    order.override_others = Chance(2);
    order.need_confirm = Chance(4);
    order.need_push = !Chance(6);
    if (Chance(2)) order.timeout_minutes = Draw(90) + 1;
    if (Chance(2)) {
      order.retry_minutes = Chance(2) ? 0 : 10;
      order.retry_count = 2;
    }
    if (Chance(4)) {
      order.start_ms = now_ms() + 300'000 + Draw(3'600'000);
      if (Chance(2)) order.end_ms = order.start_ms + 3'600'000 + Draw(3'600'000);
    }
    return order;
  }

  // Every refusal has a name and a sentence.
  void Try(Command command) {
    std::vector<TaskId> reopened;
    if (auto* again = std::get_if<ReupgradeTasks>(&command)) reopened = again->tasks;
    if (auto* edit = std::get_if<EditBatch>(&command)) Raise(edit->batch, *edit->push_per_minute);
    Outcome outcome = When(std::move(command));
    if (!outcome.ok()) {
      REQUIRE_FALSE(outcome.status.reason().empty());
      REQUIRE_FALSE(outcome.status.message().empty());
    } else if (auto* created = std::get_if<CreatedBatch>(&outcome.answer)) {
      Raise(created->batch, world().batches()[created->batch].push_per_minute);
    }
    CheckEnds(reopened);
  }

  void Raise(BatchId batch, uint32_t rate) {
    highest_rate_[batch] = std::max(highest_rate_[batch], rate);
  }

  void TakeSome() {
    for (const updraft::Push& push : TakePushes(Draw(5) + 1)) {
      const Task& task = world().tasks()[push.notice.task];
      REQUIRE((task.state == TaskState::NOTIFIED || task.state == TaskState::IN_PROGRESS));
      REQUIRE(world().IsOnline(task.device));
      // What was recorded before a restart was pushed before the pause.
      REQUIRE((push.again || !world().batches()[task.batch].paused));
    }
    NoteCounted();
  }

  // The pace of a batch shows in its records: an index that went on is a counted push.
  void NoteCounted() {
    for (uint32_t b = 1; b <= world().batches().size(); ++b) {
      const updraft::Batch& batch = world().batches()[BatchId(b)];
      if (batch.push_per_minute == 0) continue;
      auto now = std::pair(batch.pace_anchor_ms, batch.pace_index);
      if (now != pace_before_[BatchId(b)] && batch.pace_index != 0) {
        counted_[BatchId(b)].push_back(now_ms());
      }
    }
  }

  void PassSome() {
    Pass(milliseconds(Chance(4) ? Draw(7'200'000) : Draw(20'000)));
    CheckEnds({});
    TakeSome();
  }

  void Remember() {
    for (uint32_t b = 1; b <= world().batches().size(); ++b) {
      const updraft::Batch& batch = world().batches()[BatchId(b)];
      pace_before_[BatchId(b)] = {batch.pace_anchor_ms, batch.pace_index};
    }
    states_.clear();
    for (uint32_t t = 1; t <= world().tasks().size(); ++t) {
      states_.push_back(world().tasks()[TaskId(t)].state);
    }
  }

  // What has ended stays as it ended, save by an upgrade begun again.
  void CheckEnds(const std::vector<TaskId>& reopened) {
    for (uint32_t t = 1; t <= states_.size(); ++t) {
      if (IsOpen(states_[t - 1])) continue;
      if (std::count(reopened.begin(), reopened.end(), TaskId(t)) != 0) continue;
      REQUIRE(world().tasks()[TaskId(t)].state == states_[t - 1]);
    }
  }

  std::mt19937_64 random_;
  uint32_t packages_ = 1;
  uint64_t broker_ = 1;
  uint32_t generation_ = 0;
  std::vector<TaskState> states_;
  std::map<BatchId, std::pair<int64_t, uint32_t>> pace_before_;
  std::map<BatchId, std::vector<int64_t>> counted_;
  std::map<BatchId, uint32_t> highest_rate_;
};

void Run(uint64_t seed) {
  INFO("SEED=" << seed);
  Chaos chaos(seed);
  for (int step = 0; step < 2'000; ++step) {
    INFO("step " << step);
    chaos.Step();
    if (step % 20 == 0) chaos.CheckInvariants();
  }
  chaos.CheckAll();
}

}  // namespace

TEST_CASE("whatever operators and devices do, the rules hold", "[property]") {
  if (const char* seed = std::getenv("SEED")) return Run(std::strtoull(seed, nullptr, 10));
  for (uint64_t seed = 1; seed <= 4; ++seed) Run(seed);
}

}  // namespace updraft
