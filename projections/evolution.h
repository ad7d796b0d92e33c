// The work behind Evolve: one method a kind of event, and the two ways in which they write: Set,
// which keeps the digest true, and TaskEdit, which keeps true what is derived from a task.
#pragma once

#include <cstring>
#include <type_traits>
#include <utility>

#include "projections/evolve.h"

namespace updraft {

class Evolution {
 public:
  Evolution(World& world, Seq seq, int64_t time_ms) : w_(world), seq_(seq), time_ms_(time_ms) {}

  void Apply(events::Event::Reader event);

  // Works out from the records all that is derived from them. REQUIRED: nothing is yet.
  void DeriveAll();

 private:
  void On(events::EngineStarted::Reader) {}
  void On(events::SchemaRaised::Reader);
  void On(events::DigestRecorded::Reader) {}
  void On(events::ClockConfirmed::Reader);

  void On(events::ProductCreated::Reader);
  void On(events::ProductUpdated::Reader);
  void On(events::ProductDeleted::Reader);
  void On(events::ModuleNamed::Reader);
  void On(events::ModuleCreated::Reader);
  void On(events::ModuleUpdated::Reader);
  void On(events::ModuleDeleted::Reader);
  void On(events::VersionNamed::Reader);
  void On(events::DevicesRegistered::Reader);
  void On(events::DeviceUpdated::Reader);
  void On(events::DeviceDeleted::Reader);
  void On(events::DeviceDisabled::Reader);
  void On(events::DeviceEnabled::Reader);
  void On(events::BrokerEpochBegan::Reader);
  void On(events::DeviceOnline::Reader);
  void On(events::DeviceOffline::Reader);
  void On(events::DeviceSettled::Reader);
  void On(events::VersionReported::Reader);
  void On(events::KeyCreated::Reader);
  void On(events::KeyChanged::Reader);
  void On(events::KeyDeleted::Reader);
  void On(events::ClientTokenUsed::Reader);
  void On(events::VersionsImported::Reader);

  void On(events::PackageCreated::Reader);
  void On(events::PackageStatusChanged::Reader);
  void On(events::PackageDeleted::Reader);

  void On(events::BatchCreated::Reader);
  void On(events::GrayCut::Reader);
  void On(events::TargetsChosen::Reader);
  void On(events::BatchStarted::Reader);
  void On(events::BatchEdited::Reader);
  void On(events::BatchPaused::Reader);
  void On(events::BatchResumed::Reader);
  void On(events::BatchStopped::Reader);
  void On(events::SweepBegan::Reader);
  void On(events::SweepEnded::Reader);
  void On(events::BatchEnded::Reader);
  void On(events::BatchReopened::Reader);

  void On(events::TaskPushed::Reader);
  void On(events::TaskPulled::Reader);
  void On(events::PushesAcknowledged::Reader);
  void On(events::UpgradeBegan::Reader);
  void On(events::ProgressReported::Reader);
  void On(events::RetryPlanned::Reader);
  void On(events::RetryCameDue::Reader);
  void On(events::FailureNoted::Reader);
  void On(events::SourceLearned::Reader);
  void On(events::TaskSucceeded::Reader);
  void On(events::TaskFailed::Reader);
  void On(events::TasksCanceled::Reader);
  void On(events::TaskConfirmed::Reader);
  void On(events::TaskReopened::Reader);

  // Sets one field of one record, and the digest with it.
  template <auto Member, class IdType, class V>
  void Set(IdType id, V&& value);
  template <auto Member, class V>
  void SetGlobal(V&& value);
  template <class Record, class Slot, class V>
  void Write(uint64_t id, int field, Slot& slot, V&& value);

  // While it lives a task may change; at its end the counts, the ready sets and the device's open
  // task are made to fit.
  class TaskEdit {
   public:
    TaskEdit(Evolution& evolution, TaskId id);
    ~TaskEdit();

   private:
    Evolution& e_;
    TaskId id_;
    TaskState state_before_;
    uint32_t marks_before_;
  };

  // What a task's place in the ready sets should be, from its records alone; the batch's own state
  // (paused, planned, sweeping) is looked at when it is its turn.
  enum class Readiness { kNone, kReady, kRepeat };
  // As much of it as the task's own record decides.
  static uint32_t ReadinessMarks(const Task& task) {
    return static_cast<uint32_t>(TaskState(task.state)) << 3 | task.retry_waiting << 2 |
           task.retry_ready << 1 | task.repeat_owed;
  }
  Readiness ReadinessOf(TaskId id) const;
  void PlaceInReadySets(TaskId id);
  void PlaceOpenTasks(DeviceId device);
  void ExpectSettled(DeviceId device);
  void NoteWork(BatchId batch);

  void SetVersion(DeviceId device, ModuleId module, VersionId version);
  void DropOldestToken();
  InstalledId FindOrAddInstalled(DeviceId device, ModuleId module);
  void AddTask(BatchId batch, DeviceId device, TaskState state, TaskReason reason);
  void EndTask(TaskId id, TaskState state, TaskReason reason);
  void MarkActive(DeviceId device);
  void CountNaming(DeviceId device);
  void ListAsDynamic(BatchId batch, bool listed);
  void AdvancePace(BatchId batch);

  void ListModule(ModuleId module);
  void CountPackage(PackageId package, int by);
  void CountInUse(DeviceId device, ModuleId module, VersionId version, int by);

  void DeriveProducts();
  void DeriveCalls();
  void DeriveDevices();
  void DeriveBatches();
  void DeriveTasks();
  void ArmIfLive(const Timer& timer);

  World& w_;
  Seq seq_;
  int64_t time_ms_;
};

template <class Record, class Slot, class V>
void Evolution::Write(uint64_t id, int field, Slot& slot, V&& value) {
  constexpr int kind = RecordTraits<Record>::kKind;
  Slot next = std::forward<V>(value);
  // Most marks are what they were.
  if constexpr (std::has_unique_object_representations_v<Slot>) {
    if (std::memcmp(&slot, &next, sizeof(Slot)) == 0) return;
  }
  w_.digest_.Subtract(TermOf(kind, id, field, slot));
  slot = std::move(next);
  w_.digest_.Add(TermOf(kind, id, field, slot));
}

namespace evolution_internal {
template <class Record, class Slot>
Record RecordOfMember(Slot Record::*);
}  // namespace evolution_internal

template <auto Member, class IdType, class V>
void Evolution::Set(IdType id, V&& value) {
  using Record = decltype(evolution_internal::RecordOfMember(Member));
  constexpr int field = NumberOf<Record, Member>();
  static_assert(field != 0, "the field has no number in RecordTraits");
  Record& record = w_.Of(static_cast<Record*>(nullptr)).Mutable(id);
  Write<Record>(id.value(), field, record.*Member, std::forward<V>(value));
}

template <auto Member, class V>
void Evolution::SetGlobal(V&& value) {
  constexpr int field = NumberOf<Globals, Member>();
  static_assert(field != 0, "the field has no number in RecordTraits");
  Write<Globals>(1, field, w_.globals_.*Member, std::forward<V>(value));
}

inline std::string ToString(capnp::Text::Reader text) {
  return std::string(text.cStr(), text.size());
}
inline std::string ToString(capnp::Data::Reader data) {
  return std::string(reinterpret_cast<const char*>(data.begin()), data.size());
}

}  // namespace updraft
