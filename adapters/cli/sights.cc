#include "adapters/cli/sights.h"

#include <cstdio>

#include <fmt/format.h>

#include "adapters/cli/local_log.h"
#include "engine/explain.h"
#include "engine/view.h"

namespace updraft {
namespace {

std::string NameOf(const World& world, DeviceId device) {
  std::string_view name = world.names().Of(device);
  return name.empty() ? fmt::format("#{}", device.value()) : std::string(name);
}

std::string_view WordOf(BatchStatus status) { return BatchStatusWord(static_cast<int>(status)); }

std::string CountsOf(const TaskCounts& counts) {
  std::string text;
  for (int state = 0; state < kTaskStateCount; ++state) {
    if (counts.by_state[state] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", TaskStateWord(state),
                        counts.by_state[state]);
  }
  return text.empty() ? "no tasks" : text;
}

Result<BatchId> BatchOf(const World& world, const ObjectIds& ids, const std::string& text) {
  std::optional<BatchId> id = ids.ReadBatch(text);
  if (id && world.batches().Has(*id)) return *id;
  return Status(StatusCode::kNotFound, fmt::format("there is no batch '{}' at that moment", text));
}

void PrintBatch(const World& world, BatchId id) {
  const Batch& batch = world.batches()[id];
  const Package& package = world.packages()[batch.package];
  fmt::print("batch of package '{}' to version {}: {}{}\n", package.name,
             world.versions()[package.target].text, WordOf(batch.status),
             batch.paused ? ", paused" : "");
  fmt::print("created {}, {} a minute, {}\n", ShowTime(batch.created),
             batch.push_per_minute == 0 ? "unlimited" : std::to_string(batch.push_per_minute),
             CountsOf(*CountTasks(world, id)));
}

void PrintTasks(const World& world, BatchId id) {
  auto state = [&](TaskId task) { return static_cast<int>(TaskState(world.tasks()[task].state)); };
  world.IndexOf(id).tasks.Page(~0u, 0, ~uint64_t{0}, state, [&](TaskId task) {
    TaskView view = *ViewTask(world, task);
    fmt::print("{:<32} {:<12} {:>3}%  {}\n", NameOf(world, view.device), TaskStateWord(view.state),
               view.step, view.reason);
  });
}

void PrintDevice(const World& world, DeviceId id) {
  const Device& device = world.devices()[id];
  fmt::print("device {} of product {}: {}{}{}\n", NameOf(world, id),
             world.products()[device.product].key, world.IsOnline(id) ? "online" : "offline",
             device.disabled ? ", disabled" : "", device.deleted ? ", deleted" : "");
  for (InstalledId i = device.newest_installed; i; i = world.installed()[i].older) {
    const Installed& installed = world.installed()[i];
    fmt::print("  module {}: version {}\n", world.modules()[installed.module].name,
               installed.version ? world.versions()[installed.version].text : "not reported");
  }
  for (TaskId task = device.newest_task; task; task = world.tasks()[task].older) {
    TaskView view = *ViewTask(world, task);
    fmt::print("  upgrade to {}: {}{}{}\n", view.target_version, TaskStateWord(view.state),
               view.reason.empty() ? "" : ", ", view.reason);
  }
}

}  // namespace

Result<DeviceId> DeviceOf(const World& world, const std::string& text) {
  DeviceId id;
  if (text.starts_with('#')) {
    id = DeviceId(static_cast<uint32_t>(std::strtoul(text.c_str() + 1, nullptr, 10)));
  } else if (size_t slash = text.find('/'); slash != std::string::npos) {
    id = FindDevice(world, text.substr(0, slash), text.substr(slash + 1));
  } else {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("'{}' names no device; write PRODUCTKEY/DEVICENAME", text));
  }
  if (world.devices().Has(id)) return id;
  return Status(StatusCode::kNotFound,
                fmt::format("there is no device '{}' at that moment (a deleted one has no name any "
                            "more; a log without names is asked with #NUMBER)",
                            text));
}

Status PrintExplanations(const EventLog& log, const World& world, Seq at, const ObjectIds& ids,
                         DeviceId device, BatchId batch) {
  bool any = false;
  for (TaskId task = world.devices()[device].newest_task; task; task = world.tasks()[task].older) {
    if (batch && world.tasks()[task].batch != batch) continue;
    TaskView view = *ViewTask(world, task);
    fmt::print("{}{} of batch {}: {}{}{}\n", any ? "\n" : "", NameOf(world, device),
               ids.Show(view.batch), TaskStateWord(view.state), view.reason.empty() ? "" : ", ",
               view.reason);
    ASSIGN_OR_RETURN(std::vector<Explanation> chain, ExplainTask(log, task));
    for (const Explanation& link : chain) {
      if (link.seq > at) break;
      fmt::print("  {:>8}  {}  {:<8}  {}\n", link.seq.value(), ShowTime(link.time_ms), link.cause,
                 link.sentence);
    }
    any = true;
  }
  if (!any)
    fmt::print("{} has no upgrade{}\n", NameOf(world, device), batch ? " in that batch" : "");
  return OkStatus();
}

Status PrintSight(const EventLog& log, const World& world, Seq at, const ObjectIds& ids,
                  const std::vector<std::string>& query) {
  if (query.size() == 2) {
    if (query[0] == "batch" || query[0] == "tasks") {
      ASSIGN_OR_RETURN(BatchId batch, BatchOf(world, ids, query[1]));
      if (query[0] == "batch") {
        PrintBatch(world, batch);
      } else {
        PrintTasks(world, batch);
      }
      return OkStatus();
    }
    if (query[0] == "device" || query[0] == "explain") {
      ASSIGN_OR_RETURN(DeviceId device, DeviceOf(world, query[1]));
      if (query[0] == "device") {
        PrintDevice(world, device);
        return OkStatus();
      }
      return PrintExplanations(log, world, at, ids, device, BatchId());
    }
  }
  return Status(StatusCode::kInvalidArgument,
                "ask for one of: batch JOBID, tasks JOBID, device KEY/NAME, explain KEY/NAME");
}

std::vector<std::string> Differences(const World& before, const World& after) {
  std::vector<std::string> lines;
  if (size_t n = after.products().size() - before.products().size()) {
    lines.push_back(fmt::format("{} new products", n));
  }
  for (uint32_t p = static_cast<uint32_t>(before.packages().size()) + 1;
       p <= after.packages().size(); ++p) {
    lines.push_back(fmt::format("new package '{}'", after.packages()[PackageId(p)].name));
  }
  for (uint32_t d = 1; d <= after.devices().size(); ++d) {
    DeviceId id(d);
    std::string name = NameOf(after, id);
    if (!before.devices().Has(id)) {
      lines.push_back(fmt::format("device {} registered", name));
      continue;
    }
    if (before.IsOnline(id) != after.IsOnline(id)) {
      lines.push_back(fmt::format("device {} {}", name, after.IsOnline(id) ? "online" : "offline"));
    }
    if (!before.devices()[id].deleted && after.devices()[id].deleted) {
      lines.push_back(fmt::format("device {} deleted", name));
    }
  }
  for (uint32_t i = 1; i <= after.installed().size(); ++i) {
    InstalledId id(i);
    VersionId was = before.installed().Has(id) ? before.installed()[id].version : VersionId();
    VersionId is = after.installed()[id].version;
    if (was == is) continue;
    lines.push_back(
        fmt::format("device {} module {}: {} -> {}", NameOf(after, after.installed()[id].device),
                    after.modules()[after.installed()[id].module].name,
                    was ? before.versions()[was].text : "unknown", after.versions()[is].text));
  }
  for (uint32_t b = 1; b <= after.batches().size(); ++b) {
    BatchId id(b);
    std::string_view is = WordOf(after.batches()[id].status);
    std::string_view was = before.batches().Has(id) ? WordOf(before.batches()[id].status) : "none";
    if (was != is) lines.push_back(fmt::format("batch {}: {} -> {}", b, was, is));
  }
  for (uint32_t t = 1; t <= after.tasks().size(); ++t) {
    TaskId id(t);
    TaskView is = *ViewTask(after, id);
    std::optional<TaskView> was = ViewTask(before, id);
    if (was && was->state == is.state && was->step == is.step) continue;
    lines.push_back(fmt::format("task of {} in batch {}: {} -> {} {}%", NameOf(after, is.device),
                                is.batch.value(), was ? TaskStateWord(was->state) : "none",
                                TaskStateWord(is.state), is.step));
  }
  return lines;
}

}  // namespace updraft
