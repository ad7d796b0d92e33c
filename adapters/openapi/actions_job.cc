// Batches that are there (升级批次, `Job` in the API): looking at them and steering them.
#include <algorithm>

#include <fmt/format.h>

#include "adapters/openapi/actions.h"
#include "adapters/openapi/lookups.h"
#include "adapters/openapi/strategy.h"
#include "engine/view.h"
#include "events/base/assert.h"
#include "projections/world.h"

namespace updraft::openapi {
namespace {

std::string_view ScopeWord(BatchScope scope) {
  switch (scope) {
    case BatchScope::ALL:
      return "ALL";
    case BatchScope::SPECIFIC:
      return "SPECIFIC";
    case BatchScope::GRAY:
      return "GRAY";
  }
  Unreachable();
}

// `33.33`, with a third decimal where there is one.
std::string PercentText(uint32_t thousandths) {
  std::string text = fmt::format("{}.{:03}", thousandths / 1'000, thousandths % 1'000);
  if (text.ends_with('0')) text.pop_back();
  return text;
}

struct BatchView {
  BatchId id;
  Batch record;
  std::string product_key;
  std::string target;
  std::vector<std::string> sources;
};

BatchView ViewBatch(const World& world, BatchId id) {
  const Batch& batch = world.batches()[id];
  BatchView view{id,
                 batch,
                 world.products()[world.ProductOf(id)].key,
                 world.versions()[world.packages()[batch.package].target].text,
                 {}};
  for (VersionId source : batch.sources) view.sources.push_back(world.versions()[source].text);
  return view;
}

// What lists and the single batch have in common.
Json BatchJson(const Call& call, const BatchView& view) {
  const Batch& batch = view.record;
  Json json = {{"JobId", call.service.ids.Show(view.id)},
               {"FirmwareId", call.service.ids.Show(batch.package)},
               {"ProductKey", view.product_key},
               {"JobType", batch.verifies ? "VERIFY_FIRMWARE" : "UPGRADE_FIRMWARE"},
               {"JobStatus", BatchStatusWord(static_cast<int>(BatchStatus(batch.status)))},
               {"SelectionType", batch.dynamic ? "DYNAMIC" : "STATIC"},
               {"TargetSelection", ScopeWord(batch.scope)}};
  if (!batch.tags.empty()) {
    Json tags = Json::array();
    for (const auto& [key, value] : batch.tags) tags.push_back({{"Key", key}, {"Value", value}});
    json["Tags"]["OtaTagDTO"] = std::move(tags);
  }
  PutTime(json, "UtcCreate", batch.created);
  PutTime(json, "UtcModified", batch.modified);
  PutTime(json, "UtcStartTime", batch.started);
  PutTime(json, "UtcEndTime", batch.ended);
  return json;
}

void PutStrategy(const BatchView& view, Json& data) {
  const Batch& batch = view.record;
  data["DestVersion"] = view.target;
  if (!view.sources.empty()) data["SrcVersions"]["SrcVersion"] = view.sources;
  if (batch.scope == BatchScope::GRAY) data["GrayPercent"] = PercentText(batch.gray_thousandths);
  if (batch.dynamic) data["DynamicMode"] = batch.only_new_reports ? 2 : 1;
  if (batch.push_per_minute != 0) data["MaximumPerMinute"] = batch.push_per_minute;
  if (batch.timeout_minutes != 0) data["TimeoutInMinutes"] = batch.timeout_minutes;
  if (batch.retry_count != 0) {
    data["RetryInterval"] = batch.retry_minutes;
    data["RetryCount"] = batch.retry_count;
  }
  data["OverwriteMode"] = batch.override_others ? 2 : 1;
  data["MultiModuleMode"] = batch.multi_module;
  data["NeedPush"] = batch.need_push;
  data["NeedConfirm"] = batch.need_confirm;
  data["DownloadProtocol"] = "HTTPS";
  data["Paused"] = batch.paused;
  PutTime(data, "UtcScheduleTime", batch.start_ms);
  PutTime(data, "UtcScheduleFinishTime", batch.end_ms);
}

void OnQueryJob(const CallPtr& call) {
  Result<BatchId> batch = ReadBatch(*call);
  if (!batch.ok()) return call->Refuse(batch.status());
  Look(call, [call, batch = *batch](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(BatchId id, RequireBatch(world, batch));
    return Render([call, view = ViewBatch(world, id)] {
      Json data = BatchJson(*call, view);
      PutStrategy(view, data);
      return Json{{"Data", data}};
    });
  });
}

// One page of `batches`, newest first.
Render RenderBatches(const CallPtr& call, const World& world, const std::vector<BatchId>& batches) {
  Page page = ReadPage(*call);
  std::vector<BatchView> views;
  for (size_t i = page.skip(); i < batches.size() && views.size() < page.size; ++i) {
    views.push_back(ViewBatch(world, batches[batches.size() - 1 - i]));
  }
  return [call, page, total = batches.size(), views = std::move(views)] {
    Json list = Json::array();
    for (const BatchView& view : views) list.push_back(BatchJson(*call, view));
    Json body;
    body["Data"]["SimpleOTAJobInfo"] = std::move(list);
    PutPage(body, page, total);
    return body;
  };
}

void OnListByFirmware(const CallPtr& call) {
  Result<PackageId> package = ReadPackage(*call);
  if (!package.ok()) return call->Refuse(package.status());
  Look(call, [call, package = *package](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(PackageId id, RequirePackage(world, package));
    return RenderBatches(call, world, world.IndexOf(id).batches);
  });
}

void OnListByDevice(const CallPtr& call) {
  Result<PackageId> package = ReadPackage(*call);
  if (!package.ok()) return call->Refuse(package.status());
  Result<DeviceRef> device = ReadDevice(*call);
  if (!device.ok()) return call->Refuse(device.status());
  Look(call, [call, package = *package, device = *device](const World& world) -> Result<Render> {
    ASSIGN_OR_RETURN(PackageId id, RequirePackage(world, package));
    ASSIGN_OR_RETURN(DeviceId of, RequireDevice(world, device));
    std::vector<BatchId> batches;
    for (TaskId t = world.devices()[of].newest_task; t; t = world.tasks()[t].older) {
      BatchId batch = world.tasks()[t].batch;
      if (world.batches()[batch].package == id) batches.push_back(batch);
    }
    std::sort(batches.begin(), batches.end());
    batches.erase(std::unique(batches.begin(), batches.end()), batches.end());
    return RenderBatches(call, world, batches);
  });
}

void OnCancelTasks(const CallPtr& call) {
  Result<BatchId> batch = ReadBatch(*call);
  if (!batch.ok()) return call->Refuse(batch.status());
  const Arguments& given = call->arguments;
  Submit(call, CancelBatch{.batch = *batch,
                           .scheduled = *given.Flag("CancelScheduledTask"),
                           .queued = *given.Flag("CancelQueuedTask"),
                           .notified = *given.Flag("CancelNotifiedTask"),
                           .in_progress = *given.Flag("CancelInProgressTask"),
                           .unconfirmed = given.Flag("CancelUnconfirmedTask")});
}

void OnUpdateJob(const CallPtr& call) {
  Result<BatchId> batch = ReadBatch(*call);
  if (!batch.ok()) return call->Refuse(batch.status());
  const Arguments& given = call->arguments;
  Result<Arguments::PairList> tags = ReadTags(*call);
  if (!tags.ok()) return call->Refuse(tags.status());
  EditBatch command{.batch = *batch};
  if (std::optional<int64_t> rate = given.Number("MaximumPerMinute")) {
    command.push_per_minute = static_cast<uint32_t>(*rate);
  }
  if (std::optional<int64_t> minutes = given.Number("TimeoutInMinutes")) {
    command.timeout_minutes = static_cast<uint32_t>(*minutes);
  }
  if (given.Has("SrcVersion")) command.source_versions = given.Texts("SrcVersion");
  if (given.Has("Tag")) command.tags = *std::move(tags);
  Submit(call, std::move(command));
}

// CancelOTAStrategyByJob, PauseOTAJob, ResumeOTAJob.
template <class Order>
void OnJob(const CallPtr& call) {
  Result<BatchId> batch = ReadBatch(*call);
  if (!batch.ok()) return call->Refuse(batch.status());
  Submit(call, Order{*batch});
}

}  // namespace

const std::vector<Action>& JobActions() {
  static const std::vector<Action> kActions = {
      {.name = "QueryOTAJob",
       .about = "A batch with all its settings.",
       .run = OnQueryJob,
       .parameters = {JobIdParameter().Required()}},
      {.name = "ListOTAJobByFirmware",
       .about = "The batches of a package, newest first.",
       .run = OnListByFirmware,
       .parameters = Join({FirmwareIdParameter().Required()}, RequiredPageParameters(200))},
      {.name = "ListOTAJobByDevice",
       .about = "The batches of a package that a device is or was in, newest first.",
       .run = OnListByDevice,
       .parameters = Join({FirmwareIdParameter().Required(), ProductKeyParameter().Required(),
                           DeviceNameParameter().Required()},
                          RequiredPageParameters(100))},
      {.name = "CancelOTAStrategyByJob",
       .about = "Lets a dynamic batch take no more devices. Open tasks go on.",
       .run = OnJob<StopBatch>,
       .parameters = {JobIdParameter().Required()}},
      {.name = "CancelOTATaskByJob",
       .about = "Cancels the batch's tasks that are in the states given; at least one is.",
       .calls_per_second = 5,
       .run = OnCancelTasks,
       .parameters =
           {JobIdParameter().Required(),
            Flag("CancelScheduledTask", "All tasks of a batch that has not started.")
                .Default("false"),
            Flag("CancelQueuedTask", "Those pending push.").Default("false").Example("true"),
            Flag("CancelNotifiedTask", "Those pushed.").Default("false"),
            Flag("CancelInProgressTask", "Those upgrading.").Default("false"),
            Flag("CancelUnconfirmedTask",
                 "Those to confirm; as CancelQueuedTask when it is left out.")}},
      {.name = "UpdateOTAJob",
       .about = "Changes what is given of a running batch. Timeout, of tasks that begin later, and "
                "source versions only of a dynamic one.",
       .run = OnUpdateJob,
       .parameters = {JobIdParameter().Required(), PushRateParameter(),
                      TimeoutParameter().Example(""), SourceVersionsParameter().Example(""),
                      TagsParameter()},
       .ours = true},
      {.name = "PauseOTAJob",
       .about = "Tells no more devices until the batch is resumed. Tasks already pushed go on.",
       .run = OnJob<PauseBatch>,
       .parameters = {JobIdParameter().Required()},
       .ours = true},
      {.name = "ResumeOTAJob",
       .about = "Goes on with a paused batch.",
       .run = OnJob<ResumeBatch>,
       .parameters = {JobIdParameter().Required()},
       .ours = true},
  };
  return kActions;
}

}  // namespace updraft::openapi
