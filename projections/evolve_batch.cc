// Packages and batches.
#include <algorithm>

#include "events/base/assert.h"
#include "projections/evolution.h"

namespace updraft {
namespace {

std::vector<VersionId> ToVersions(capnp::List<uint32_t>::Reader list) {
  std::vector<VersionId> versions;
  for (uint32_t version : list) versions.emplace_back(version);
  return versions;
}

Tags ToTags(capnp::List<events::Tag>::Reader list) {
  Tags tags;
  for (events::Tag::Reader tag : list) {
    tags.emplace_back(ToString(tag.getKey()), ToString(tag.getValue()));
  }
  return tags;
}

}  // namespace

void Evolution::On(events::PackageCreated::Reader event) {
  PackageId id = w_.packages_.Add();
  Assert(id.value() == event.getPackage(), "packages are numbered in the log's order");
  ModuleId module(event.getModule());
  Set<&Package::module>(id, module);
  Set<&Package::name>(id, ToString(event.getName()));
  Set<&Package::target>(id, VersionId(event.getTarget()));
  Set<&Package::source>(id, VersionId(event.getSource()));
  Set<&Package::kind>(id, event.getKind());
  Set<&Package::sign_method>(id, event.getSignMethod());
  Set<&Package::needs_verification>(id, event.getNeedsVerification());
  Set<&Package::status>(
      id, event.getNeedsVerification() ? PackageStatus::UNVERIFIED : PackageStatus::NEEDS_NONE);
  Set<&Package::size_bytes>(id, event.getSizeBytes());
  Set<&Package::md5>(id, ToString(event.getMd5()));
  Set<&Package::sha256>(id, ToString(event.getSha256()));
  Set<&Package::file>(id, ToString(event.getFile()));
  Set<&Package::suffix>(id, ToString(event.getSuffix()));
  Set<&Package::description>(id, ToString(event.getDescription()));
  Set<&Package::udi>(id, ToString(event.getUdi()));
  Set<&Package::created>(id, time_ms_);
  Set<&Package::modified>(id, time_ms_);
  w_.package_index_.emplace_back();
  CountPackage(id, 1);
}

void Evolution::CountPackage(PackageId id, int by) {
  const Package& package = w_.packages_[id];
  if (by > 0) {
    w_.package_by_name_[package.name] = id;
  } else {
    w_.package_by_name_.erase(package.name);
  }
  w_.MutableIndexOf(package.module).packages += by;
  w_.MutableIndexOf(w_.modules_[package.module].product).packages += by;
}

void Evolution::On(events::PackageStatusChanged::Reader event) {
  PackageId id(event.getPackage());
  Set<&Package::status>(id, event.getStatus());
  Set<&Package::modified>(id, time_ms_);
}

void Evolution::On(events::PackageDeleted::Reader event) {
  PackageId id(event.getPackage());
  Set<&Package::deleted>(id, true);
  Set<&Package::modified>(id, time_ms_);
  CountPackage(id, -1);
}

void Evolution::On(events::BatchCreated::Reader event) {
  BatchId id = w_.batches_.Add();
  Assert(id.value() == event.getBatch(), "batches are numbered in the log's order");
  PackageId package(event.getPackage());
  bool planned = event.getStartMs() != 0;
  Set<&Batch::package>(id, package);
  Set<&Batch::verifies>(id, event.getVerifies());
  Set<&Batch::dynamic>(id, event.getDynamic());
  Set<&Batch::only_new_reports>(id, event.getOnlyNewReports());
  Set<&Batch::scope>(id, event.getScope());
  Set<&Batch::gray_thousandths>(id, event.getGrayThousandths());
  Set<&Batch::sources>(id, ToVersions(event.getSources()));
  Set<&Batch::source_given>(id, event.getSourceGiven());
  Set<&Batch::frontier>(id, DeviceId(event.getFrontier()));
  Set<&Batch::push_per_minute>(id, event.getPushPerMinute());
  Set<&Batch::timeout_minutes>(id, event.getTimeoutMinutes());
  Set<&Batch::retry_count>(id, event.getRetryCount());
  Set<&Batch::retry_minutes>(id, event.getRetryMinutes());
  Set<&Batch::override_others>(id, event.getOverride());
  Set<&Batch::start_ms>(id, event.getStartMs());
  Set<&Batch::end_ms>(id, event.getEndMs());
  Set<&Batch::need_push>(id, event.getNeedPush());
  Set<&Batch::need_confirm>(id, event.getNeedConfirm());
  Set<&Batch::multi_module>(id, event.getMultiModule());
  Set<&Batch::tags>(id, ToTags(event.getTags()));
  Set<&Batch::status>(id, planned ? BatchStatus::PLANNED : BatchStatus::IN_PROGRESS);
  Set<&Batch::walking>(id, event.getWalk());
  Set<&Batch::pace_anchor_ms>(id, time_ms_);
  Set<&Batch::created>(id, time_ms_);
  Set<&Batch::modified>(id, time_ms_);
  if (!planned) Set<&Batch::started>(id, time_ms_);

  w_.batch_index_.emplace_back();
  w_.MutableIndexOf(package).batches.push_back(id);
  if (event.getDynamic()) ListAsDynamic(id, true);
  if (planned) w_.agenda_.timers.Arm({event.getStartMs(), TimerKind::kBatchStart, id.value()});
  if (event.getEndMs() != 0) {
    w_.agenda_.timers.Arm({event.getEndMs(), TimerKind::kBatchEnd, id.value()});
  }
  NoteWork(id);
}

void Evolution::NoteWork(BatchId id) {
  const Batch& batch = w_.batches_[id];
  if (batch.walking || batch.sweeping) {
    w_.agenda_.at_work.insert(id);
  } else {
    w_.agenda_.at_work.erase(id);
  }
}

void Evolution::ListAsDynamic(BatchId id, bool listed) {
  const Batch& batch = w_.batches_[id];
  auto& dynamic = w_.MutableIndexOf(w_.ModuleOf(id)).dynamic;
  for (VersionId source : batch.sources) {
    std::vector<BatchId>& batches = dynamic[source];
    std::erase(batches, id);
    if (listed) batches.insert(std::upper_bound(batches.begin(), batches.end(), id), id);
    if (batches.empty()) dynamic.erase(source);
  }
}

void Evolution::On(events::GrayCut::Reader event) {
  BatchId id(event.getBatch());
  Set<&Batch::gray_known>(id, true);
  Set<&Batch::gray_hash>(id, event.getHash());
  Set<&Batch::gray_device>(id, DeviceId(event.getDevice()));
  Set<&Batch::gray_population>(id, event.getPopulation());
}

void Evolution::On(events::TargetsChosen::Reader event) {
  BatchId id(event.getBatch());
  for (uint32_t task : event.getOverridden()) {
    EndTask(TaskId(task), TaskState::CANCELED, TaskReason::OVERRIDDEN);
  }
  Assert(w_.tasks_.next().value() == event.getFirstTask(), "tasks are numbered in the log's order");
  TaskState state = w_.batches_[id].need_confirm ? TaskState::CONFIRM : TaskState::QUEUED;
  for (uint32_t device : event.getQueued()) {
    AddTask(id, DeviceId(device), state, TaskReason::NONE);
  }
  for (uint32_t device : event.getConflicted()) {
    AddTask(id, DeviceId(device), TaskState::FAILED, TaskReason::CONFLICT);
  }
  if (event.getCursor() != 0) Set<&Batch::cursor>(id, DeviceId(event.getCursor()));
  if (event.getWalkEnded()) {
    Set<&Batch::walking>(id, false);
    NoteWork(id);
  }
}

void Evolution::On(events::BatchStarted::Reader event) {
  BatchId id(event.getBatch());
  Set<&Batch::status>(id, BatchStatus::IN_PROGRESS);
  Set<&Batch::started>(id, time_ms_);
  Set<&Batch::modified>(id, time_ms_);
  Set<&Batch::pace_anchor_ms>(id, time_ms_);
}

void Evolution::On(events::BatchEdited::Reader event) {
  BatchId id(event.getBatch());
  if (w_.batches_[id].dynamic) ListAsDynamic(id, false);
  if (event.getPushPerMinute() != w_.batches_[id].push_per_minute) {
    // The new pace begins one of its intervals after the last push under the old one.
    const Batch& batch = w_.batches_[id];
    int64_t anchor_ms = batch.pace_anchor_ms;
    if (int64_t rate = batch.push_per_minute; rate != 0 && batch.pace_index != 0) {
      anchor_ms += (int64_t{batch.pace_index - 1} * 60'000 + rate - 1) / rate;
    }
    Set<&Batch::pace_anchor_ms>(id, anchor_ms);
    Set<&Batch::pace_index>(id, std::min(batch.pace_index, 1u));
    Set<&Batch::push_per_minute>(id, event.getPushPerMinute());
  }
  Set<&Batch::timeout_minutes>(id, event.getTimeoutMinutes());
  Set<&Batch::sources>(id, ToVersions(event.getSources()));
  Set<&Batch::tags>(id, ToTags(event.getTags()));
  Set<&Batch::modified>(id, time_ms_);
  if (w_.batches_[id].dynamic && !w_.batches_[id].stopped) ListAsDynamic(id, true);
}

void Evolution::On(events::BatchPaused::Reader event) {
  BatchId id(event.getBatch());
  Set<&Batch::paused>(id, true);
  Set<&Batch::modified>(id, time_ms_);
}

void Evolution::On(events::BatchResumed::Reader event) {
  BatchId id(event.getBatch());
  Set<&Batch::paused>(id, false);
  Set<&Batch::modified>(id, time_ms_);
}

void Evolution::On(events::BatchStopped::Reader event) {
  BatchId id(event.getBatch());
  if (w_.batches_[id].dynamic) ListAsDynamic(id, false);
  Set<&Batch::stopped>(id, true);
  Set<&Batch::walking>(id, false);
  Set<&Batch::modified>(id, time_ms_);
  NoteWork(id);
}

void Evolution::On(events::SweepBegan::Reader event) {
  BatchId id(event.getBatch());
  auto bit = [](bool in, TaskState state) {
    return static_cast<uint8_t>(in ? 1u << static_cast<int>(state) : 0u);
  };
  auto states = static_cast<uint8_t>(bit(event.getConfirm(), TaskState::CONFIRM) |
                                     bit(event.getQueued(), TaskState::QUEUED) |
                                     bit(event.getNotified(), TaskState::NOTIFIED) |
                                     bit(event.getInProgress(), TaskState::IN_PROGRESS));
  // A second sweep joins the first: what either asks for is cancelled.
  if (w_.batches_[id].sweeping) states |= w_.batches_[id].sweep_states;
  bool by_schedule = event.getCause() == events::SweepCause::SCHEDULE_END ||
                     (w_.batches_[id].sweeping && w_.batches_[id].sweep_by_schedule);
  Set<&Batch::sweeping>(id, true);
  Set<&Batch::sweep_states>(id, states);
  Set<&Batch::sweep_by_schedule>(id, by_schedule);
  // Whoever cancels what has just joined wants no more to come.
  bool joined = w_.batches_[id].need_confirm ? event.getConfirm() : event.getQueued();
  if (joined) Set<&Batch::walking>(id, false);
  Set<&Batch::modified>(id, time_ms_);
  NoteWork(id);
}

void Evolution::On(events::SweepEnded::Reader event) {
  BatchId id(event.getBatch());
  Set<&Batch::sweeping>(id, false);
  Set<&Batch::sweep_states>(id, uint8_t{0});
  NoteWork(id);
}

void Evolution::On(events::BatchEnded::Reader event) {
  BatchId id(event.getBatch());
  Set<&Batch::status>(id, event.getStatus());
  Set<&Batch::ended>(id, time_ms_);
  Set<&Batch::modified>(id, time_ms_);
}

void Evolution::On(events::BatchReopened::Reader event) {
  BatchId id(event.getBatch());
  int64_t start_ms = w_.batches_[id].start_ms;
  bool planned = start_ms > time_ms_;
  Set<&Batch::status>(id, planned ? BatchStatus::PLANNED : BatchStatus::IN_PROGRESS);
  if (planned) w_.agenda_.timers.Arm({start_ms, TimerKind::kBatchStart, id.value()});
  if (int64_t end_ms = w_.batches_[id].end_ms; end_ms > time_ms_) {
    w_.agenda_.timers.Arm({end_ms, TimerKind::kBatchEnd, id.value()});
  }
  Set<&Batch::ended>(id, Ms48());
  Set<&Batch::modified>(id, time_ms_);
}

}  // namespace updraft
