#include "projections/prefetch.h"

namespace updraft {
namespace {

// What the events that come by the million are about. `device`: also the task's device is needed.
struct Subject {
  TaskId task;
  DeviceId device;
  bool device_of_task = false;
};

Subject SubjectOf(events::Event::Reader event) {
  using events::Event;
  const Event::Which kind = event.which();
  if (kind == Event::PROGRESS_REPORTED) return {TaskId(event.getProgressReported().getTask()), {}};
  if (kind == Event::TASK_PUSHED) return {TaskId(event.getTaskPushed().getTask()), {}, true};
  if (kind == Event::UPGRADE_BEGAN) return {TaskId(event.getUpgradeBegan().getTask()), {}, true};
  if (kind == Event::TASK_SUCCEEDED) return {TaskId(event.getTaskSucceeded().getTask()), {}, true};
  if (kind == Event::TASK_FAILED) return {TaskId(event.getTaskFailed().getTask()), {}, true};
  if (kind == Event::VERSION_REPORTED)
    return {{}, DeviceId(event.getVersionReported().getDevice())};
  if (kind == Event::DEVICE_ONLINE) return {{}, DeviceId(event.getDeviceOnline().getDevice())};
  if (kind == Event::DEVICE_OFFLINE) return {{}, DeviceId(event.getDeviceOffline().getDevice())};
  if (kind == Event::DEVICE_SETTLED) return {{}, DeviceId(event.getDeviceSettled().getDevice())};
  return {};
}

}  // namespace

void Prefetcher::Ask(capnp::List<events::Event>::Reader events, uint32_t begin, uint32_t end) {
  // Each pass finds in the cache what the one before asked for.
  uint32_t count = 0;
  for (uint32_t i = begin; i < end; ++i, ++count) {
    Subject subject = SubjectOf(events[i]);
    world_.tasks().Prefetch(subject.task);
    world_.devices().Prefetch(subject.device);
    tasks_[count] = subject.device_of_task ? subject.task : TaskId();
    devices_[count] = subject.device;
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (!world_.tasks().Has(tasks_[i])) continue;
    devices_[i] = world_.tasks()[tasks_[i]].device;
    world_.devices().Prefetch(devices_[i]);
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (!world_.devices().Has(devices_[i])) continue;
    world_.installed().Prefetch(world_.devices()[devices_[i]].newest_installed);
  }
}

void Prefetcher::Ask(std::span<const Named> devices) {
  const DeviceNames& names = world_.names();
  for (size_t i = 0; i < devices.size(); ++i) {
    devices_[i] = devices[i].id;
    if (!devices[i].id) hashes_[i] = names.PrefetchSlot(devices[i].product, devices[i].name);
  }
  for (size_t i = 0; i < devices.size(); ++i) {
    if (!devices[i].id) devices_[i] = names.PrefetchPlace(hashes_[i]);
    world_.devices().Prefetch(devices_[i]);
  }
  for (size_t i = 0; i < devices.size(); ++i) {
    if (!world_.devices().Has(devices_[i])) continue;
    if (!devices[i].id) names.PrefetchName(devices_[i]);
    world_.installed().Prefetch(world_.devices()[devices_[i]].newest_installed);
  }
  for (size_t i = 0; i < devices.size(); ++i) {
    if (!world_.devices().Has(devices_[i])) continue;
    const InstalledId installed = world_.devices()[devices_[i]].newest_installed;
    if (installed) world_.tasks().Prefetch(world_.installed()[installed].open_task);
  }
}

}  // namespace updraft
