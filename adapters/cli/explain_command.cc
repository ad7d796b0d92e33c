// `updraft explain`: why a device's upgrade is where it is.
#include <memory>

#include "adapters/cli/commands.h"
#include "adapters/cli/local_log.h"
#include "adapters/cli/sights.h"

namespace updraft {
namespace {

struct ExplainOptions {
  std::string data_dir;
  std::string device;
  std::string job;
};

Status RunExplain(const ExplainOptions& options) {
  ASSIGN_OR_RETURN(auto log, OpenLocalLog(options.data_dir));
  World world;
  Result<FoldProgress> folded = FoldLog(*log, {}, world, [](const FoldProgress& p) {
    DrawProgress("reading the log", p.at.value(), p.last.value());
  });
  EndProgress();
  if (!folded.ok()) return folded.status();
  ASSIGN_OR_RETURN(ObjectIds ids, LocalObjectIds(options.data_dir, *log));
  ASSIGN_OR_RETURN(DeviceId device, DeviceOf(world, options.device));
  BatchId batch;
  if (!options.job.empty()) {
    batch = ids.ReadBatch(options.job).value_or(BatchId());
    if (!world.batches().Has(batch)) {
      return Status(StatusCode::kNotFound, "there is no such batch in this log");
    }
  }
  return PrintExplanations(*log, world, folded->at, ids, device, batch);
}

}  // namespace

void AddExplain(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* explain =
      app.add_subcommand("explain", "Why a device's upgrade is in its state: the events behind it");
  explain->add_option("device", options->device, "PRODUCTKEY/DEVICENAME")->required();
  explain->add_option("--data", options->data_dir, "The data directory")->required();
  explain->add_option("--job", options->job, "Of this batch only (JobId)");
  explain->footer("Reads the log in place, beside a running service or without one.");
  explain->callback([options, &exit_code] {
    Status status = RunExplain(*options);
    exit_code = status.ok() ? kExitOk : Fail(status);
  });
}

}  // namespace updraft
