// Given these events, when this is asked, then these events follow: the rules, one spec each.
//
//   Fleet f;                                     // A product, four devices, a package.
//   f.Online("dev-1");
//   BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
//   f.Pass(seconds(3));
//   CHECK(f.Push().device_name == "dev-1");
//   f.Report("dev-1", "2.0.0");
//   CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
//
// A Spec drives the engine's core with a clock that is turned by hand: thirty days take no time.
// Every step ends a turn, checks what must hold always (the digest, the counts), and keeps the
// commits, so that the whole can be folded again and compared.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/core.h"
#include "engine/intake.h"
#include "engine/refusals.h"
#include "engine/view.h"
#include "events/log/memory_log.h"

namespace updraft {

class Spec {
 public:
  // 2026-01-01T00:00:00Z, a time like any other.
  static constexpr int64_t kStartMs = 1'767'225'600'000;

  explicit Spec(Limits limits = {});

  // Asks and ends the turn.
  Outcome When(Command command, Origin origin = {});
  // The same, and it must succeed.
  Outcome Ok(Command command);
  // The same, and it must be refused for `reason` and record nothing.
  void Refused(Command command, std::string_view reason);

  // Lets time pass. What becomes due meanwhile happens in its order and at its time.
  void Pass(std::chrono::milliseconds time);
  // Lets time pass while the engine looks at nothing: what came due waits for the next turn.
  void PassAsleep(std::chrono::milliseconds time) { now_ms_ += time.count(); }
  int64_t now_ms() const { return now_ms_; }

  // The pushes that are due now, at most `max`.
  std::vector<Push> TakePushes(uint32_t max = 1'000);

  // The events of the last step, as their kinds' names in the schema: "taskPushed".
  const std::vector<std::string>& Then() const { return last_events_; }
  // All events so far.
  size_t event_count() const { return core_->head().last.value(); }

  // The log folded anew gives the same world, and so does the world saved and loaded again.
  void CheckReplay() const;

  // The engine ends without a word and another begins on the same log.
  void Restart();
  // Asks several things in one turn; each must succeed.
  void InOneTurn(const std::vector<Command>& commands);
  // A turn that records the digest, in its last event, whose number is returned.
  Seq RecordDigest();
  // One step of what goes on over many turns, and no more.
  void OneTurn();
  // For worlds too large to be gone through after every step.
  void CheckSeldom() { check_every_turn_ = false; }
  void CheckInvariants() const;

  const World& world() const { return core_->world(); }
  Core& core() { return *core_; }
  const EventLog& log() const { return log_; }

 private:
  void EndTurn();

  const Limits limits_;
  std::unique_ptr<Core> core_;
  MemoryLog log_;
  int64_t now_ms_ = kStartMs;
  bool check_every_turn_ = true;
  std::vector<std::string> last_events_;
};

// A Spec with a small fleet: product "pk", devices dev-1 to dev-4 that run 1.0.0, a full package to
// 2.0.0 that needs no verification.
class Fleet : public Spec {
 public:
  static constexpr const char* kProductKey = "a1pk";

  explicit Fleet(int devices = 4, Limits limits = {});

  DeviceRef Device(std::string_view name) const;
  DeviceId Id(std::string_view name) const;

  // The order for a package; every field but name and version is filled in.
  CreatePackage PackageOrder(std::string name, std::string version) const;
  PackageId AddPackage(std::string name, std::string version);
  PackageId AddDiff(std::string name, std::string from, std::string to);
  PackageId package() const { return package_; }

  // A batch of `package()` unless the order names another; device names make it SPECIFIC.
  CreateBatch BatchOrder(CreateBatch order = {}) const;
  BatchId StartBatch(CreateBatch order = {});

  void Register(std::string name);
  void Online(std::string_view name);
  void Offline(std::string_view name);
  // Online, and long enough.
  void Settled(std::string_view name);
  Outcome Report(std::string_view name, std::string version, std::string module = "");
  Outcome Progress(std::string_view name, int step, std::string text = "", std::string module = "");
  std::optional<Notice> Pull(std::string_view name, std::string module = "");

  // Devices dev-`first` to dev-`last`, in bulk.
  void RegisterMany(int first, int last, const std::string& version = "");

  // Lets time pass and takes every push when it is due; their times.
  std::vector<int64_t> PushFor(std::chrono::milliseconds time);

  // The one push that is due; fails the test when it is none or several.
  Notice Push();
  // Pushed to the device, which has said it is at `step`.
  void BringTo(BatchId batch, std::string_view name, std::string_view state);

  std::string StateOf(BatchId batch, std::string_view name) const;
  TaskView TaskOf(BatchId batch, std::string_view name) const;
  std::vector<TaskId> TasksOf(BatchId batch) const;
  BatchStatus StatusOf(BatchId batch) const { return world().batches()[batch].status; }
  // Of the states in their order: "QUEUED 2 FAILED 1".
  std::string Counts(BatchId batch) const;

 private:
  PackageId package_;
  uint32_t generation_ = 0;
};

}  // namespace updraft
