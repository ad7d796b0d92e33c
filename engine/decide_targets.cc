// Which devices join a batch: named ones, those of a walk over the fleet, a gray batch's part of
// them, and those whose report a dynamic batch waits for.
#include <algorithm>

#include "engine/decide_internal.h"
#include "projections/evolution.h"

namespace updraft {
namespace {

// One TargetsChosen in the making.
struct Chunk {
  std::vector<DeviceId> queued;
  std::vector<DeviceId> conflicted;
  std::vector<TaskId> overridden;

  // A task, its device and the module's record; what is overridden, its batch's counts as well.
  size_t records() const { return queued.size() + conflicted.size() + overridden.size(); }
};

void SetIds(capnp::List<uint32_t>::Builder list, const auto& ids) {
  for (unsigned i = 0; i < ids.size(); ++i) list.set(i, ids[i].value());
}

void EmitChunk(Turn& turn, BatchId batch, const Chunk& chunk, DeviceId cursor, bool walk_ended) {
  const World& world = turn.world();
  turn.Emit([&](auto event) {
    auto chosen = event.initTargetsChosen();
    chosen.setBatch(batch.value());
    chosen.setFirstTask(world.tasks().next().value());
    SetIds(chosen.initQueued(static_cast<unsigned>(chunk.queued.size())), chunk.queued);
    SetIds(chosen.initConflicted(static_cast<unsigned>(chunk.conflicted.size())), chunk.conflicted);
    SetIds(chosen.initOverridden(static_cast<unsigned>(chunk.overridden.size())), chunk.overridden);
    chosen.setCursor(cursor.value());
    chosen.setWalkEnded(walk_ended);
  });
  // What was overridden may have been the last of its batch.
  std::vector<BatchId> touched;
  for (TaskId task : chunk.overridden) touched.push_back(world.tasks()[task].batch);
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (BatchId other : touched) AfterTasksEnded(turn, other);
}

bool IsIn(const std::vector<VersionId>& versions, VersionId version) {
  return std::find(versions.begin(), versions.end(), version) != versions.end();
}

// Whether the batch's rule takes the device, names aside.
bool Matches(const World& world, BatchId id, DeviceId device) {
  const Batch& batch = world.batches()[id];
  const Device& record = world.devices()[device];
  if (record.deleted || record.product != world.ProductOf(id)) return false;
  VersionId version = world.VersionOf(device, world.ModuleOf(id));
  if (version && version == world.packages()[batch.package].target) return false;
  return !batch.source_given || (version && IsIn(batch.sources, version));
}

// A device's place in the order of gray batches of a package: the same for every percentage, so
// that a larger one contains a smaller.
uint64_t GrayOrder(const World& world, PackageId package, DeviceId device) {
  std::string key = std::to_string(package.value()) + '/';
  key += world.names().Of(device);
  return XXH3_64bits(key.data(), key.size());
}

bool InCut(const World& world, const Batch& batch, DeviceId device) {
  if (batch.scope != BatchScope::GRAY) return true;
  uint64_t order = GrayOrder(world, batch.package, device);
  return std::pair(order, device) <= std::pair(batch.gray_hash, batch.gray_device);
}

// How often the device has joined the batch, and whether it is in it now.
int TimesJoined(const World& world, BatchId batch, DeviceId device) {
  int times = 0;
  for (TaskId task = world.devices()[device].newest_task; task; task = world.tasks()[task].older) {
    times += world.tasks()[task].batch == batch ? 1 : 0;
  }
  return times;
}

}  // namespace

void ChooseTargets(Turn& turn, BatchId id, const std::vector<DeviceId>& devices, DeviceId cursor,
                   bool walk_ended) {
  const World& world = turn.world();
  ModuleId module = world.ModuleOf(id);
  Chunk chunk;
  for (DeviceId device : devices) {
    TaskId open = world.OpenTask(device, module);
    if (open) FireDueOf(turn, open);
    open = world.OpenTask(device, module);
    if (open && world.tasks()[open].batch == id) continue;
    if (!open) {
      chunk.queued.push_back(device);
    } else if (world.batches()[id].override_others &&
               world.tasks()[open].state != TaskState::IN_PROGRESS) {
      chunk.queued.push_back(device);
      chunk.overridden.push_back(open);
    } else {
      chunk.conflicted.push_back(device);
    }
    if (chunk.records() + 2 > kChunkRecordsMax) {
      EmitChunk(turn, id, std::exchange(chunk, {}), DeviceId(), false);
    }
  }
  if (chunk.records() != 0 || cursor || walk_ended) EmitChunk(turn, id, chunk, cursor, walk_ended);
}

uint64_t GrayShare(uint64_t population, uint32_t thousandths) {
  return std::max<uint64_t>(1, population * thousandths / 100'000);
}

void MatchDynamic(Turn& turn, DeviceId device, ModuleId module, VersionId version) {
  const World& world = turn.world();
  const auto& dynamic = world.IndexOf(module).dynamic;
  auto it = dynamic.find(version);
  if (it == dynamic.end()) return;
  BatchId newest = it->second.back();
  if (TimesJoined(world, newest, device) >= kDynamicMatchesMax) return;
  ChooseTargets(turn, newest, {device}, DeviceId(), false);
}

bool Work::Step(Turn& turn) {
  const World& world = turn.world();
  const auto& at_work = world.agenda().at_work;
  if (at_work.empty()) {
    surveys_.clear();
    return false;
  }
  // In turn, so that a large batch does not hold up a small one.
  auto next = at_work.upper_bound(last_);
  BatchId id = next == at_work.end() ? *at_work.begin() : *next;
  last_ = id;
  const Batch& batch = world.batches()[id];
  if (batch.sweeping) {
    StepSweep(turn, id);
    return true;
  }
  if (batch.scope == BatchScope::GRAY && !batch.gray_known) {
    StepSurvey(turn, id);
    return true;
  }
  std::vector<DeviceId> chosen;
  uint32_t last = std::min(batch.cursor.value() + kDevicesPerStep, batch.frontier.value());
  uint32_t at = batch.cursor.value();
  while (at < last && chosen.size() < kTasksPerStep) {
    DeviceId device(++at);
    if (!Matches(world, id, device) || !InCut(world, batch, device)) continue;
    // A report may have brought the device in before the walk came by.
    if (batch.dynamic && TimesJoined(world, id, device) != 0) continue;
    chosen.push_back(device);
  }
  bool ended = at == batch.frontier.value();
  ChooseTargets(turn, id, chosen, DeviceId(at), ended);
  if (ended) AfterTasksEnded(turn, id);
  return true;
}

// Orders a gray batch's population, a bounded part a step, and records where its share ends.
void Work::StepSurvey(Turn& turn, BatchId id) {
  const World& world = turn.world();
  const Batch& batch = world.batches()[id];
  Survey& survey = surveys_[id];
  uint32_t last = std::min(survey.cursor.value() + kDevicesPerStep, batch.frontier.value());
  for (uint32_t at = survey.cursor.value() + 1; at <= last; ++at) {
    DeviceId device(at);
    if (Matches(world, id, device)) {
      survey.order.emplace_back(GrayOrder(world, batch.package, device), device);
    }
  }
  survey.cursor = DeviceId(last);
  if (last < batch.frontier.value()) return;

  uint64_t population = survey.order.size();
  uint64_t share = GrayShare(population, batch.gray_thousandths);
  std::pair<uint64_t, DeviceId> cut;  // The whole fleet changed its mind meanwhile: nobody.
  if (population != 0) {
    auto nth = survey.order.begin() + static_cast<int64_t>(share - 1);
    std::nth_element(survey.order.begin(), nth, survey.order.end());
    cut = *nth;
  }
  turn.Emit([&](auto event) {
    auto found = event.initGrayCut();
    found.setBatch(id.value());
    found.setHash(cut.first);
    found.setDevice(cut.second.value());
    found.setPopulation(static_cast<uint32_t>(population));
  });
  surveys_.erase(id);
}

}  // namespace updraft
