// Tasks: lists of them, their counts, and what is done with single ones. And what devices run.
#include <algorithm>

#include <fmt/format.h>

#include "adapters/openapi/actions.h"
#include "adapters/openapi/lookups.h"
#include "adapters/openapi/task_description.h"
#include "engine/view.h"
#include "events/base/assert.h"
#include "events/log/event_log.h"
#include "projections/world.h"

namespace updraft::openapi {
namespace {

constexpr uint32_t kAllStates = (1u << kTaskStateCount) - 1;
constexpr std::string_view kStateChoices =
    "CONFIRM|QUEUED|NOTIFIED|IN_PROGRESS|SUCCEEDED|FAILED|CANCELED";

int StateNumber(std::string_view word) {
  for (int state = 0; state < kTaskStateCount; ++state) {
    if (TaskStateWord(state) == word) return state;
  }
  Unreachable();  // The parameter's choices are the words.
}

// A task and what it belongs to, as plain data.
struct TaskRow {
  TaskView view;
  PackageId package;
  std::string product_key;
  std::string product_name;
  std::string device_name;
  std::string module;
  uint32_t timeout_minutes = 0;
};

TaskRow RowOf(const World& world, const TaskView& view) {
  const Batch& batch = world.batches()[view.batch];
  const Product& product = world.products()[world.ProductOf(view.batch)];
  return {view,
          batch.package,
          product.key,
          product.name,
          DeviceName(world, view.device),
          world.modules()[world.ModuleOf(view.batch)].name,
          batch.timeout_minutes};
}

// What all lists show.
Json TaskJson(const Call& call, const TaskRow& row) {
  const ObjectIds& ids = call.service.ids;
  Json json = {{"TaskId", ids.Show(row.view.task)}, {"TaskStatus", TaskStateWord(row.view.state)},
               {"JobId", ids.Show(row.view.batch)}, {"FirmwareId", ids.Show(row.package)},
               {"ProductKey", row.product_key},     {"ProductName", row.product_name},
               {"IotId", ids.Show(row.view.device)}};
  PutText(json, "DeviceName", row.device_name);  // A deleted device has none.
  PutText(json, "SrcVersion", row.view.source_version);
  json["DestVersion"] = row.view.target_version;
  PutTime(json, "UtcCreate", row.view.created_ms);
  PutTime(json, "UtcModified", row.view.modified_ms);
  return json;
}

// What the lists of a batch and of a package show beyond that.
Json DetailedTaskJson(const Call& call, const TaskRow& row) {
  Json json = TaskJson(call, row);
  const TaskView& view = row.view;
  std::string words;
  if (view.text) words = call.service.Side(SideKeyOfText(view.device, view.text));
  json["TaskDesc"] = DescribeTask(view, words, call.service.options.language);
  bool succeeded = TaskStateWord(view.state) == "SUCCEEDED";
  json["Progress"] = fmt::format("{}.00", succeeded ? 100 : view.step);
  if (row.timeout_minutes != 0) json["Timeout"] = std::to_string(row.timeout_minutes);
  return json;
}

// Which tasks of a list a call asks for.
struct TaskFilter {
  uint32_t states = kAllStates;  // Bit n: state n.
  TaskId after;                  // With a cursor.
  Page page;
};

Result<TaskFilter> ReadFilter(const Call& call) {
  TaskFilter filter;
  filter.page = ReadPage(call);
  if (call.arguments.Has("TaskStatus")) {
    filter.states = 1u << StateNumber(call.arguments.Text("TaskStatus"));
  }
  if (!call.arguments.Has("NextToken")) return filter;
  std::optional<TaskId> after = call.service.ids.ReadTask(call.arguments.Text("NextToken"));
  if (!after) return ApiError("iot.common.InvalidPageParams", "NextToken is none that we gave");
  filter.after = *after;
  return filter;
}

uint64_t CountIn(const TaskCounts& counts, uint32_t states) {
  uint64_t sum = 0;
  for (int state = 0; state < kTaskStateCount; ++state) {
    if ((states >> state & 1) != 0) sum += counts.by_state[state];
  }
  return sum;
}

// One page of the tasks of `batches`, which are in the order of their ids.
std::vector<TaskRow> PageOfTasks(const World& world, const std::vector<BatchId>& batches,
                                 const TaskFilter& filter) {
  std::vector<TaskRow> rows;
  auto state_of = [&](TaskId task) {
    return static_cast<int>(TaskState(world.tasks()[task].state));
  };
  auto visit = [&](TaskId task) { rows.push_back(RowOf(world, *ViewTask(world, task))); };
  BatchId from = world.tasks().Has(filter.after) ? world.tasks()[filter.after].batch : BatchId();
  uint64_t skip = filter.after ? 0 : filter.page.skip();
  for (BatchId batch : batches) {
    if (rows.size() == filter.page.size) break;
    if (batch < from) continue;
    uint64_t left = filter.page.size - rows.size();
    const auto& tasks = world.IndexOf(batch).tasks;
    if (batch == from) {
      tasks.PageAfter(filter.states, filter.after, left, state_of, visit);
      continue;
    }
    uint64_t here = CountIn(*CountTasks(world, batch), filter.states);
    tasks.Page(filter.states, std::min(skip, here), left, state_of, visit);
    skip -= std::min(skip, here);
  }
  return rows;
}

Render RenderTasks(const CallPtr& call, const TaskFilter& filter, uint64_t total,
                   std::vector<TaskRow> rows) {
  return [call, filter, total, rows = std::move(rows)] {
    Json list = Json::array();
    for (const TaskRow& row : rows) list.push_back(DetailedTaskJson(*call, row));
    Json body;
    body["Data"]["SimpleOTATaskInfo"] = std::move(list);
    PutPage(body, filter.page, total);
    if (rows.size() == filter.page.size) {
      body["NextToken"] = call->service.ids.Show(rows.back().view.task);
    }
    return body;
  };
}

// The tasks of the named devices in a batch; names that are not in it are passed over.
std::vector<TaskRow> TasksOfNamed(const World& world, BatchId batch, const TaskFilter& filter,
                                  const std::vector<std::string>& names) {
  std::vector<TaskRow> rows;
  for (const std::string& name : names) {
    DeviceId device = world.names().Find(world.ProductOf(batch), name);
    std::optional<TaskView> view = ViewTask(world, batch, device);
    if (view && (filter.states >> view->state & 1) != 0) rows.push_back(RowOf(world, *view));
  }
  return rows;
}

void OnListByJob(const CallPtr& call) {
  Result<BatchId> batch = ReadBatch(*call);
  if (!batch.ok()) return call->Refuse(batch.status());
  Result<TaskFilter> filter = ReadFilter(*call);
  if (!filter.ok()) return call->Refuse(filter.status());
  Look(call, [call, batch = *batch, filter = *filter](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(BatchId id, RequireBatch(world, batch));
    const std::vector<std::string>& names = call->arguments.Texts("DeviceNames");
    if (!names.empty()) {
      std::vector<TaskRow> rows = TasksOfNamed(world, id, filter, names);
      TaskFilter whole = filter;
      whole.page = {1, names.size() + 1};  // Of named devices there is one page.
      uint64_t total = rows.size();
      return RenderTasks(call, whole, total, std::move(rows));
    }
    uint64_t total = CountIn(*CountTasks(world, id), filter.states);
    return RenderTasks(call, filter, total, PageOfTasks(world, {id}, filter));
  });
}

void OnListByFirmware(const CallPtr& call) {
  Result<PackageId> package = ReadPackage(*call);
  if (!package.ok()) return call->Refuse(package.status());
  Result<TaskFilter> filter = ReadFilter(*call);
  if (!filter.ok()) return call->Refuse(filter.status());
  Look(call, [call, package = *package, filter = *filter](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(PackageId id, RequirePackage(world, package));
    uint64_t total = CountIn(*CountTasks(world, id), filter.states);
    return RenderTasks(call, filter, total, PageOfTasks(world, world.IndexOf(id).batches, filter));
  });
}

Json CountsJson(const TaskCounts& counts) {
  Json json;
  for (int state = 0; state < kTaskStateCount; ++state) {
    json[std::string(TaskStateWord(state))] = counts.by_state[state];
  }
  return json;
}

void OnCountsOfJob(const CallPtr& call) {
  Result<BatchId> batch = ReadBatch(*call);
  if (!batch.ok()) return call->Refuse(batch.status());
  // Before the look, so that whoever follows the events from here on misses no change.
  Seq sequence = call->service.engine.log().head().last;
  Look(call, [call, batch = *batch, sequence](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(BatchId id, RequireBatch(world, batch));
    const Batch& record = world.batches()[id];
    return Render([call, id, sequence, counts = *CountTasks(world, id),
                   status = BatchStatus(record.status), choosing = record.walking,
                   paused = record.paused] {
      return Json{{"Data",
                   {{"JobId", call->service.ids.Show(id)},
                    {"JobStatus", BatchStatusWord(static_cast<int>(status))},
                    {"ChoosingTargets", choosing},
                    {"Paused", paused},
                    {"Sequence", sequence.value()},
                    {"Total", counts.total()},
                    {"Counts", CountsJson(counts)}}}};
    });
  });
}

void OnCountsOfFirmware(const CallPtr& call) {
  Result<PackageId> package = ReadPackage(*call);
  if (!package.ok()) return call->Refuse(package.status());
  Look(call, [call, package = *package](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(PackageId id, RequirePackage(world, package));
    return Render([call, id, counts = *CountTasks(world, id)] {
      return Json{{"Data",
                   {{"FirmwareId", call->service.ids.Show(id)},
                    {"Total", counts.total()},
                    {"Counts", CountsJson(counts)}}}};
    });
  });
}

void OnQueryTaskCounts(const CallPtr& call) {
  if (call->arguments.Has("JobId")) return OnCountsOfJob(call);
  if (call->arguments.Has("FirmwareId")) return OnCountsOfFirmware(call);
  call->Refuse("iot.firmware.NullOTAJobId", "give JobId or FirmwareId");
}

// The states that ListOTAUnfinishedTaskByDevice is asked for; all open ones when none is given.
Result<uint32_t> ReadOpenStates(const Arguments& given) {
  std::vector<std::string> words = given.Texts("TaskStatusList");
  if (given.Has("TaskStatus")) {
    if (!words.empty()) {
      return ApiError("iot.firmware.InvalidTaskStatus", "give TaskStatus or TaskStatusList");
    }
    words.push_back(given.Text("TaskStatus"));
  }
  if (words.empty()) words = {"CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS"};
  uint32_t states = 0;
  for (const std::string& word : words) {
    if (word != "CONFIRM" && word != "QUEUED" && word != "NOTIFIED" && word != "IN_PROGRESS") {
      return ApiError("iot.firmware.InvalidTaskStatus",
                      fmt::format("an unfinished task is CONFIRM, QUEUED, NOTIFIED or IN_PROGRESS, "
                                  "not '{}'",
                                  word));
    }
    states |= 1u << StateNumber(word);
  }
  return states;
}

void OnListUnfinished(const CallPtr& call) {
  Result<DeviceRef> ref = ReadDevice(*call);
  if (!ref.ok()) return call->Refuse(ref.status());
  Result<uint32_t> states = ReadOpenStates(call->arguments);
  if (!states.ok()) return call->Refuse(states.status());
  Look(call, [call, ref = *ref, states = *states](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(DeviceId device, RequireDevice(world, ref));
    ModuleId only;
    if (call->arguments.Has("ModuleName")) {
      ASSIGN_OR_RETURN(only, RequireModule(world, world.devices()[device].product,
                                           call->arguments.Text("ModuleName")));
    }
    std::vector<TaskRow> rows;
    InstalledId at = world.devices()[device].newest_installed;
    for (; at; at = world.installed()[at].older) {
      const Installed& installed = world.installed()[at];
      if (!installed.open_task || (only && installed.module != only)) continue;
      std::optional<TaskView> view = ViewTask(world, installed.open_task);
      if ((states >> view->state & 1) != 0) rows.push_back(RowOf(world, *view));
    }
    return Render([call, rows = std::move(rows)] {
      Json list = Json::array();
      for (const TaskRow& row : rows) {
        Json json = TaskJson(*call, row);
        json["ModuleName"] = row.module;
        list.push_back(std::move(json));
      }
      Json body;
      body["Data"]["SimpleOTATaskInfo"] = std::move(list);
      return body;
    });
  });
}

// What one device runs: module and version, in the order of their first report.
using ModuleVersions = std::vector<std::pair<std::string, std::string>>;

ModuleVersions VersionsOn(const World& world, DeviceId device) {
  ModuleVersions versions;
  InstalledId at = world.devices()[device].newest_installed;
  for (; at; at = world.installed()[at].older) {
    const Installed& installed = world.installed()[at];
    if (!installed.version) continue;
    versions.emplace_back(world.modules()[installed.module].name,
                          world.versions()[installed.version].text);
  }
  std::reverse(versions.begin(), versions.end());
  return versions;
}

void OnListModuleVersions(const CallPtr& call) {
  Result<DeviceRef> ref = ReadDevice(*call);
  if (!ref.ok()) return call->Refuse(ref.status());
  Look(call, [call, ref = *ref](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(DeviceId device, RequireDevice(world, ref));
    return Render([call, device, name = DeviceName(world, device),
                   key = world.products()[world.devices()[device].product].key,
                   versions = VersionsOn(world, device)] {
      Page page = ReadPage(*call);
      Json list = Json::array();
      for (size_t i = page.skip(); i < versions.size() && list.size() < page.size; ++i) {
        list.push_back({{"ModuleName", versions[i].first},
                        {"ModuleVersion", versions[i].second},
                        {"ProductKey", key},
                        {"DeviceName", name},
                        {"IotId", call->service.ids.Show(device)}});
      }
      Json body;
      body["Data"]["SimpleOTAModuleInfo"] = std::move(list);
      PutPage(body, page, versions.size());
      return body;
    });
  });
}

// A device, what it runs of a module, and whether there are more behind them.
struct FoundDevices {
  std::vector<std::tuple<DeviceId, std::string, std::string>> devices;  // With name and version.
  bool more = false;
};

FoundDevices FindByVersion(const World& world, ProductId product, ModuleId module,
                           const std::vector<std::string>& versions, DeviceId after, size_t most) {
  std::vector<VersionId> wanted;
  for (const std::string& text : versions) {
    if (VersionId version = world.FindVersion(product, text)) wanted.push_back(version);
  }
  FoundDevices found;
  DeviceId id = world.NextRunning(module, wanted, after);
  for (; id && found.devices.size() < most; id = world.NextRunning(module, wanted, id)) {
    const std::string& version = world.versions()[world.VersionOf(id, module)].text;
    found.devices.emplace_back(id, DeviceName(world, id), version);
  }
  found.more = bool(id);
  return found;
}

void OnListDevicesByVersion(const CallPtr& call) {
  const Arguments& given = call->arguments;
  DeviceId after;
  if (given.Has("NextToken")) {
    std::optional<DeviceId> token = call->service.ids.ReadDevice(given.Text("NextToken"));
    if (!token) {
      return call->Refuse("iot.common.InvalidPageParams", "NextToken is none that we gave");
    }
    after = *token;
  }
  Look(call, [call, after](const World& world) -> Result<Render> {
    const Arguments& given = call->arguments;
    ASSIGN_OR_RETURN(ProductId product, RequireProduct(world, given.Text("ProductKey")));
    ASSIGN_OR_RETURN(ModuleId module, RequireModule(world, product, given.Text("ModuleName")));
    FoundDevices found = FindByVersion(world, product, module, given.Texts("SrcVersion"), after,
                                       static_cast<size_t>(*given.Number("PageSize")));
    return Render([call, found = std::move(found)] {
      Json list = Json::array();
      for (const auto& [id, name, version] : found.devices) {
        list.push_back({{"DeviceName", name},
                        {"IotId", call->service.ids.Show(id)},
                        {"ModuleVersion", version}});
      }
      Json body;
      body["Data"]["DeviceInfo"] = std::move(list);
      if (found.more) {
        body["NextToken"] = call->service.ids.Show(std::get<DeviceId>(found.devices.back()));
      }
      return body;
    });
  });
}

void OnCancelByDevice(const CallPtr& call) {
  const Arguments& given = call->arguments;
  Result<PackageId> package = ReadPackage(*call);
  if (!package.ok()) return call->Refuse(package.status());
  CancelDevices command{.package = *package,
                        .product_key = given.Text("ProductKey"),
                        .device_names = given.Texts("DeviceName")};
  if (given.Has("JobId")) {
    Result<BatchId> batch = ReadBatch(*call);
    if (!batch.ok()) return call->Refuse(batch.status());
    command.batch = *batch;
  }
  Submit(call, std::move(command));
}

Result<std::vector<TaskId>> ReadTasks(const Call& call) {
  std::vector<TaskId> tasks;
  for (const std::string& text : call.arguments.Texts("TaskId")) {
    std::optional<TaskId> task = call.service.ids.ReadTask(text);
    if (!task) {
      return ApiError("iot.firmware.InvalidOTATaskId",
                      fmt::format("'{}' is no id of a task here", text));
    }
    tasks.push_back(*task);
  }
  return tasks;
}

void OnConfirm(const CallPtr& call) {
  Result<std::vector<TaskId>> tasks = ReadTasks(*call);
  if (!tasks.ok()) return call->Refuse(tasks.status());
  Submit(call, ConfirmTasks{*std::move(tasks)});
}

void OnReupgrade(const CallPtr& call) {
  Result<BatchId> batch = ReadBatch(*call);
  if (!batch.ok()) return call->Refuse(batch.status());
  Result<std::vector<TaskId>> tasks = ReadTasks(*call);
  if (!tasks.ok()) return call->Refuse(tasks.status());
  Submit(call, ReupgradeTasks{*batch, *std::move(tasks)});
}

void OnExplain(const CallPtr& call) {
  std::optional<TaskId> task = call->service.ids.ReadTask(call->arguments.Text("TaskId"));
  if (!task) {
    return call->Refuse("iot.firmware.InvalidOTATaskId", "TaskId is no id of a task here");
  }
  if (!call->service.options.explain) {
    return call->Refuse("iot.firmware.SystemBusy", "this server has no one to explain it");
  }
  call->service.options.explain(*task, [call](Result<std::vector<ExplainedEvent>> events) {
    if (!events.ok()) return call->Refuse(events.status());
    Json list = Json::array();
    for (const ExplainedEvent& event : *events) {
      list.push_back(
          {{"Seq", event.seq.value()}, {"UtcTime", UtcTime(event.time_ms)}, {"Text", event.text}});
    }
    Json body;
    body["Data"]["Event"] = std::move(list);
    call->Answer(body);
  });
}

Parameter TaskStatus() {
  return Choice("TaskStatus", "Only those in this state.", kStateChoices)
      .Codes("", "iot.firmware.InvalidTaskStatus");
}

Parameter TaskCursor() {
  return Text("NextToken",
              "From the answer before: the page begins behind it, and shows each task whose state "
              "does not change once.")
      .Ours();
}

Parameter TaskIds() {
  return Texts("TaskId", "1 to 10 tasks, of which all or none.", 10)
      .Codes("iot.firmware.NullTaskId", "iot.firmware.ParameterSizeExceedMax")
      .Required()
      .Example("y3tOmCDNgpR8F9jnVEzC01");
}

}  // namespace

const std::vector<Action>& TaskActions() {
  static const std::vector<Action> kActions = {
      {.name = "ListOTATaskByJob",
       .about = "The tasks of a batch, in the order in which their devices joined.",
       .run = OnListByJob,
       .parameters = Join({JobIdParameter().Required(), TaskStatus(), TaskCursor(),
                           Texts("DeviceNames", "Only those of these devices, on one page.", 50)
                               .Codes("", "iot.firmware.ParameterSizeExceedMax")},
                          PageParameters(100))},
      {.name = "ListOTATaskByFirmware",
       .about = "The tasks of all batches of a package.",
       .run = OnListByFirmware,
       .parameters = Join({FirmwareIdParameter().Required(), TaskStatus(), TaskCursor()},
                          PageParameters(100)),
       .ours = true},
      {.name = "QueryOTATaskCounts",
       .about =
           "How many tasks of a batch, or of all batches of a package, are in each state. Of a "
           "batch also Sequence: the events after it tell all that changes these counts.",
       .calls_per_second = 20,
       .run = OnQueryTaskCounts,
       .parameters = {JobIdParameter(), FirmwareIdParameter().Example("")},
       .ours = true},
      {.name = "ListOTAUnfinishedTaskByDevice",
       .about = "The open tasks of a device, one a module.",
       .run = OnListUnfinished,
       .parameters = Join(DeviceParameters(), {ModuleNameParameter(), TaskStatus(),
                                               Texts("TaskStatusList", "In place of TaskStatus.", 4)
                                                   .Codes("", "iot.firmware.InvalidTaskStatus")})},
      {.name = "ListOTAModuleVersionsByDevice",
       .about = "The versions that a device runs.",
       .run = OnListModuleVersions,
       .parameters = Join(DeviceParameters(), PageParameters(200))},
      {.name = "ListOTADevicesByVersion",
       .about = "Devices that run one of some versions: who could be verified on, or upgraded.",
       .run = OnListDevicesByVersion,
       .parameters = {ProductKeyParameter().Required(), ModuleNameParameter().Default("default"),
                      Texts("SrcVersion", "The versions.", 10)
                          .Codes("iot.firmware.NullSrcVersions",
                                 "iot.firmware.SrcVersionsSizeExceedMax")
                          .Required()
                          .Example("1.0.0"),
                      Text("NextToken", "From the answer before."),
                      Number("PageSize", "How many to a page.", 1, 100)
                          .Codes("", "iot.common.InvalidPageParams")
                          .Default("10")},
       .ours = true},
      {.name = "CancelOTATaskByDevice",
       .about = "Cancels the open tasks of up to 200 devices in a package's batches, or in one.",
       .run = OnCancelByDevice,
       .parameters = {FirmwareIdParameter().Required(), ProductKeyParameter().Required(),
                      Texts("DeviceName", "Names of devices, none twice.", 200)
                          .Codes("iot.device.NullDeviceName", "iot.firmware.ParameterSizeExceedMax")
                          .Required()
                          .Example("lamp-0001"),
                      JobIdParameter()}},
      {.name = "ConfirmOTATask",
       .about = "Confirms tasks of a batch with NeedConfirm.",
       .calls_per_second = 20,
       .run = OnConfirm,
       .parameters = {TaskIds()}},
      {.name = "ReupgradeOTATask",
       .about = "Upgrades again where a task failed or was cancelled.",
       .calls_per_second = 20,
       .run = OnReupgrade,
       .parameters = {JobIdParameter().Required(), TaskIds()}},
      {.name = "ExplainOTATask",
       .about = "Why a task is in its state: the events of its life, in words.",
       .calls_per_second = 1,
       .run = OnExplain,
       .parameters = {Text("TaskId", "The task.")
                          .Codes("iot.firmware.NullTaskId", "iot.firmware.InvalidOTATaskId")
                          .Required()
                          .Example("y3tOmCDNgpR8F9jnVEzC01")},
       .ours = true},
  };
  return kActions;
}

}  // namespace updraft::openapi
