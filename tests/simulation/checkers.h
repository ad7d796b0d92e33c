// What must hold, looked at from outside and believing nothing: everything here is worked out from
// the commits that the log has, from what the engine was asked, and from what others saw.
//
//   log          commits follow each other without a gap; what is in the log stays in it
//   told         nobody is told of what the log does not have
//   puback       the broker is told of a device's message once what it asked for is in the log
//   notice       a device is told of an upgrade after the push is in the log
//   resend       after a restart only pushes in doubt are sent again, each once
//   digest       the running digest is that of the records; live world, fold and recovery agree
//   derived      so do what is derived: ready sets, indexes, names
//   explained    each task's state follows from its events; what has ended stays ended
//   reference    tasks, batches, packages and devices are as the reference model has them
//   and the checkers of the reference model: answers, push, pace, one open task, gray, walk
//
// Thread-safety: none.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/core.h"
#include "tests/simulation/reference.h"
#include "tests/simulation/server.h"

namespace updraft::simulation {

struct Failure {
  std::string checker;
  std::string what;
};

struct CheckStats {
  uint64_t commits = 0;
  uint64_t events = 0;
  uint64_t inputs = 0;
  uint64_t recoveries = 0;
  uint64_t lost_turns = 0;  // Decided, not durable at a crash, told to nobody.
  uint64_t pushes = 0;
};

class Checkers final : public Witness {
 public:
  using TraceLine = std::function<void(const std::string&)>;

  Checkers(Reference::Settings settings, TraceLine trace);
  ~Checkers() override;

  const std::optional<Failure>& failure() const { return failure_; }
  void Fail(const std::string& checker, const std::string& what);

  const Reference& reference() const { return reference_; }
  const World& world() const { return *shadow_; }
  const CheckStats& stats() const { return stats_; }
  int64_t log_time_ms() const { return time_ms_; }

  void OnDurable(const TurnRecord& record, const EventLog& log) override;
  void OnSettled(const Core& core) override;
  void OnTold(Seq position, const Hash256& hash) override;
  void OnCrash(std::vector<TurnRecord> doubtful) override;
  void OnRecovered(const EventLog& log, const Core& core) override;
  void OnPuback(const Uplink& message) override;
  void OnPublished(const std::string& topic, const std::string& payload) override;
  void OnUnopened(const Status& status) override;
  void Trace(const std::string& line) override { trace_(line); }

 private:
  void Take(const TurnRecord& record);
  void TakeCommit(const SealedCommit& commit, const std::vector<SideWrite>& side);
  void Explain(events::Event::Reader event);
  void CheckAgain(const TurnRecord& record);
  void Compare();
  void CompareTask(int id);
  void CompareBatch(int id);
  void CompareDevice(int id);
  void CompareDerived(const World& live);
  void NoteInput(const RefInput& input);

  const TraceLine trace_;
  std::optional<Failure> failure_;
  Reference reference_;
  std::unique_ptr<World> shadow_;  // Folded commit by commit, and never anew.
  CheckStats stats_;
  Seq position_;
  Hash256 hash_ = {};
  int64_t time_ms_ = 0;
  std::vector<std::pair<Seq, Hash256>> commits_;
  Seq told_;
  std::vector<TurnRecord> doubtful_;
  std::vector<State> explained_;              // By task; from events alone.
  std::set<uint32_t> confirms_;               // Batches whose tasks wait for somebody to agree.
  std::map<std::string, int> durable_words_;  // Of devices, by what they say.
  std::map<std::string, int> acknowledged_words_;
  std::set<std::string> pushed_;  // Device, module and version of each recorded notice.
  std::set<uint64_t> resent_;     // In this reign.
};

}  // namespace updraft::simulation
