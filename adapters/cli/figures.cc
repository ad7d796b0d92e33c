#include "adapters/cli/figures.h"

#include <fmt/format.h>

#include "engine/view.h"
#include "projections/world.h"

namespace updraft {
namespace {

using prometheus::Histogram;

Histogram& AddHistogram(prometheus::Registry& registry, const char* name, const char* help,
                        Histogram::BucketBoundaries bounds) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add(
      {}, std::move(bounds));
}

// Batches that are over would make the page longer for ever: of those the newest are shown. Those
// with open tasks are shown as well, as far back as one look of the engine may go.
constexpr uint32_t kNewest = 100;
constexpr uint32_t kLookedAt = 10'000;

// What is looked at between two turns of the engine; it is put in words elsewhere.
struct TaskFigures {
  std::vector<std::pair<BatchId, TaskCounts>> batches;  // The newest first.
  size_t devices = 0;
  size_t pushes_in_doubt = 0;
  uint64_t pushes = 0;
};

TaskFigures LookAtTasks(const World& world) {
  TaskFigures figures{.batches = {},
                      .devices = world.devices().size(),
                      .pushes_in_doubt = world.pushes_in_doubt().size(),
                      .pushes = world.globals().pushes};
  const auto newest = static_cast<uint32_t>(world.batches().size());
  for (uint32_t b = newest; b > 0 && newest - b < kLookedAt; --b) {
    const BatchId batch(b);
    if (newest - b >= kNewest && world.OpenTasks(batch) == 0) continue;
    figures.batches.emplace_back(batch, *CountTasks(world, batch));
  }
  return figures;
}

std::vector<FigureSample> Samples(const TaskFigures& figures,
                                  const std::function<std::string(BatchId)>& name_of) {
  std::vector<FigureSample> samples;
  for (const auto& [batch, counts] : figures.batches) {
    const std::string job = name_of(batch);
    for (int state = 0; state < kTaskStateCount; ++state) {
      samples.push_back({"updraft_tasks",
                         "Tasks by batch and state, of open batches and the newest",
                         false,
                         {{"job", job}, {"state", std::string(TaskStateWord(state))}},
                         static_cast<double>(counts.by_state[state])});
    }
  }
  samples.push_back({"updraft_devices",
                     "Devices ever registered",
                     false,
                     {},
                     static_cast<double>(figures.devices)});
  samples.push_back({"updraft_pushes_in_doubt",
                     "Notices that the broker has not confirmed",
                     false,
                     {},
                     static_cast<double>(figures.pushes_in_doubt)});
  samples.push_back(
      {"updraft_pushes_total", "Notices recorded", true, {}, static_cast<double>(figures.pushes)});
  return samples;
}

}  // namespace

Figures::Figures()
    : commit_seconds_(AddHistogram(registry_, "updraft_commit_seconds",
                                   "Time to append a commit and fsync it",
                                   {1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2, 0.2, 1})),
      fsync_seconds_(AddHistogram(registry_, "updraft_fsync_seconds",
                                  "Time of the fsync alone, of each write to the log",
                                  {1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2, 0.2, 1})),
      commit_events_(AddHistogram(registry_, "updraft_commit_events", "Events in a commit",
                                  {1, 4, 16, 64, 256, 1'024, 4'096})),
      commit_bytes_(AddHistogram(registry_, "updraft_commit_bytes", "Bytes of a commit",
                                 {256, 1'024, 4'096, 16'384, 65'536, 262'144, 1'048'576})),
      checkpoint_event_(prometheus::BuildGauge()
                            .Name("updraft_checkpoint_event")
                            .Help("The last event of the newest checkpoint of this run; 0: none")
                            .Register(registry_)
                            .Add({})),
      checkpoint_seconds_(prometheus::BuildGauge()
                              .Name("updraft_checkpoint_seconds")
                              .Help("How long the newest checkpoint of this run took to make")
                              .Register(registry_)
                              .Add({})),
      checkpoint_failures_(prometheus::BuildCounter()
                               .Name("updraft_checkpoint_failures_total")
                               .Help("Checkpoints that could not be made")
                               .Register(registry_)
                               .Add({})) {}

void Figures::OnCommit(uint32_t events, size_t bytes, int64_t us) {
  commit_seconds_.Observe(static_cast<double>(us) / 1e6);
  commit_events_.Observe(events);
  commit_bytes_.Observe(static_cast<double>(bytes));
}

void Figures::OnSync(int64_t us) { fsync_seconds_.Observe(static_cast<double>(us) / 1e6); }

void Figures::OnCheckpoint(Seq last, const Status& made, int64_t us) {
  if (made.ok()) {
    checkpoint_event_.Set(static_cast<double>(last.value()));
    checkpoint_seconds_.Set(static_cast<double>(us) / 1e6);
  } else {
    checkpoint_failures_.Increment();
  }
}

void Figures::Refresh(std::shared_ptr<Figures> figures, Engine& engine) {
  // A busy or failed engine shows what was seen last.
  [[maybe_unused]] Status status = engine.Read([figures](const World& world) -> Engine::Finish {
    return [figures, seen = LookAtTasks(world)](const Status& durable) {
      if (!durable.ok()) return;
      std::vector<FigureSample> samples = Samples(seen, figures->name_of_);
      std::lock_guard lock(figures->mutex_);
      figures->tasks_ = std::move(samples);
    };
  });
}

std::vector<prometheus::MetricFamily> Figures::Collect() const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  std::vector<FigureSample> samples;
  {
    std::lock_guard lock(mutex_);
    samples = tasks_;
  }
  for (const Source& source : sources_) source(samples);
  std::map<std::string, prometheus::MetricFamily> by_name;
  for (const FigureSample& sample : samples) {
    prometheus::MetricFamily& family = by_name[sample.name];
    family.name = sample.name;
    family.help = sample.help;
    family.type = sample.counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
    prometheus::ClientMetric metric;
    for (const auto& [name, value] : sample.labels) {
      prometheus::ClientMetric::Label label;
      label.name = name;
      label.value = value;
      metric.label.push_back(label);
    }
    (sample.counter ? metric.counter.value : metric.gauge.value) = sample.value;
    family.metric.push_back(std::move(metric));
  }
  for (auto& [name, family] : by_name) families.push_back(std::move(family));
  return families;
}

}  // namespace updraft
