// The server, simulated: the engine's turns and its log (engine/turns.h), and the MQTT session
// (adapters/mqtt/session.h), as the threads of Engine and BrokerLink drive them, but on one thread
// and in simulated time. It can die at any point, and starts again by itself.
//
// Whatever it does that others can see is told to a Witness.
//
// Thread-safety: none.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/mqtt/hold_back.h"
#include "adapters/mqtt/session.h"
#include "engine/turns.h"
#include "tests/simulation/broker.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/reference.h"
#include "tests/simulation/schedule.h"

namespace updraft::simulation {

// What one turn did, before anybody was told.
struct TurnRecord {
  RefTurn turn;
  std::vector<Push> again;  // Notices of a former reign that are sent once more.
  std::optional<SealedCommit> commit;
  std::vector<SideWrite> side;
  Seq position;       // Of the world after it,
  Hash256 hash = {};  // and the log's hash there.
};

class Witness {
 public:
  virtual ~Witness() = default;
  // The log has taken it.
  virtual void OnDurable(const TurnRecord& record, const EventLog& log) = 0;
  // Nothing is on its way to the disk: the world is what the log says.
  virtual void OnSettled(const Core& core) = 0;
  // Somebody is told of the world at that position.
  virtual void OnTold(Seq position, const Hash256& hash) = 0;
  // The process is gone; what the disk has of these is not known.
  virtual void OnCrash(std::vector<TurnRecord> doubtful) = 0;
  virtual void OnRecovered(const EventLog& log, const Core& core) = 0;
  // The broker has the engine's PUBACK of a message, or a message of the engine.
  virtual void OnPuback(const Uplink& message) = 0;
  virtual void OnPublished(const std::string& topic, const std::string& payload) = 0;
  virtual void OnUnopened(const Status& status) = 0;
  virtual void Trace(const std::string& line) = 0;
};

// Where a crash can be made to happen.
enum class CrashPoint { kBeforeWrite, kAfterWrite, kBetweenTellings, kAtPublish, kAtTimer };
inline constexpr int kCrashPoints = 5;

struct ServerOptions {
  Limits limits;
  size_t inbox_max = 65'536;
  uint32_t push_window = 256;
  int64_t clock_ahead_max_ms = int64_t{30} * 86'400'000;
  int64_t write_us = 500;      // About what a commit takes to be durable.
  std::string checkpoint_dir;  // None are made or used where empty.
  int64_t network_us = 300;    // About one way to the broker.
};

class Server : private EngineSide, private BrokerSide {
 public:
  Server(ServerOptions options, Schedule& schedule, Broker& broker, Disk& disk, Witness& witness,
         uint64_t seed);
  ~Server() override;

  void Start();
  bool running() const { return process_ != nullptr; }
  bool clock_held() const;
  // What the log's time is by now, at least.
  int64_t log_time_ms() const;

  // As an API adapter would ask; `told` is not called when the process dies before.
  Status Ask(Command command, Engine::Callback told);

  // Of the last digest in the log, if there is one. A failure is nobody's wish.
  Status MakeCheckpoint();

  // --- Faults ---
  void Crash(bool lose_power, bool keep_unsynced);
  void StopAndStart();  // With all that an orderly end does.
  void ArmCrash(CrashPoint point, int countdown);
  void ArmAppendFault(AppendFault fault) { append_fault_ = fault; }
  void FillDisk(int64_t for_us) { disk_full_until_us_ = schedule_.now_us() + for_us; }
  void HangDisk(int64_t for_us) { hang_us_ = for_us; }
  void CutLink(int64_t for_us);
  void Heal();

  uint64_t crashes() const { return crashes_; }
  uint64_t turns() const { return turns_; }
  uint64_t stalls() const { return stalls_; }
  uint64_t checkpoints() const { return checkpoints_; }
  uint64_t from_checkpoint() const { return from_checkpoint_; }

 private:
  struct OpenJob {
    Job job;
    TurnRecord record;
  };
  enum class LinkState { kDown, kDialing, kUp };
  struct Process;

  Status Submit(const Command& command, Callback callback) override;
  Status Read(std::function<RosterPage(const World&)> look,
              std::function<void(RosterPage)> then) override;
  int Publish(const OutMessage& message, int qos) override;

  Status MayEnter() const;
  Status Enqueue(Item item);
  void FlushRequests();
  // Whether the process dies here.
  bool DiesAt(CrashPoint point);
  void Later(int64_t us, void (Server::*what)());
  void WakeTurns();
  void RunTurn();
  void Record(const Job& job, TurnRecord& record);
  void StartWrite();
  void FinishWrite();
  void Tell();
  void Post(std::function<void()> what);
  void RunMailbox();
  void RunLink();
  void PlanLink();
  void Dial();
  void DropLink(const std::string& why);
  void ReadArrived();
  void PumpOut();
  void SendToBroker(const std::string& packet);
  int64_t NowMs() const { return schedule_.now_us() / 1'000; }
  int64_t Jitter(int64_t us) { return random_.Between(us / 2, us * 2); }

  const ServerOptions options_;
  Schedule& schedule_;
  Broker& broker_;
  Disk& disk_;
  Witness& witness_;
  Random random_;

  std::unique_ptr<Process> process_;
  std::vector<std::unique_ptr<Process>> dead_;
  bool peeking_ = false;
  TurnRecord* recording_ = nullptr;
  uint64_t life_ = 0;  // What was planned for a former life does not happen.
  uint64_t starts_ = 0;

  std::optional<std::pair<CrashPoint, int>> armed_;
  std::optional<AppendFault> append_fault_;
  int64_t disk_full_until_us_ = 0;
  int64_t hang_us_ = 0;
  int64_t last_turn_us_ = 0;
  int64_t link_cut_until_us_ = 0;
  uint64_t crashes_ = 0;
  uint64_t turns_ = 0;
  uint64_t stalls_ = 0;
  uint64_t checkpoints_ = 0;
  uint64_t from_checkpoint_ = 0;
  Seq digest_at_;  // The last event in the log that a checkpoint can be made of.
};

}  // namespace updraft::simulation
