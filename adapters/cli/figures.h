// What /metrics shows: the engine's, the broker link's and the server's figures, in Prometheus'
// way.
//
// Thread-safety: OnCommit, OnSync, OnCheckpoint and Collect may be called from any thread. Tasks by
// state are as of the last Refresh, which asks the engine and does not wait.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "engine/updraft.h"

namespace updraft {

// One figure from elsewhere: a name, labels, a value; counters only grow.
struct FigureSample {
  std::string name;
  std::string help;
  bool counter = false;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

class Figures : public prometheus::Collectable {
 public:
  using Source = std::function<void(std::vector<FigureSample>&)>;

  Figures();

  // Asked at each Collect. Before the server starts.
  void AddSource(Source source) { sources_.push_back(std::move(source)); }

  // What a batch is called in labels. Before the server starts.
  void NameBatches(std::function<std::string(BatchId)> name) { name_of_ = std::move(name); }

  void OnCommit(uint32_t events, size_t bytes, int64_t us);
  void OnSync(int64_t us);
  void OnCheckpoint(Seq last, const Status& made, int64_t us);
  // Looks at the engine's tasks; what was seen is shown from then on.
  static void Refresh(std::shared_ptr<Figures> figures, Engine& engine);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  prometheus::Registry registry_;
  prometheus::Histogram& commit_seconds_;
  prometheus::Histogram& fsync_seconds_;
  prometheus::Histogram& commit_events_;
  prometheus::Histogram& commit_bytes_;
  prometheus::Gauge& checkpoint_event_;
  prometheus::Gauge& checkpoint_seconds_;
  prometheus::Counter& checkpoint_failures_;
  std::vector<Source> sources_;
  std::function<std::string(BatchId)> name_of_;

  mutable std::mutex mutex_;
  std::vector<FigureSample> tasks_;
};

}  // namespace updraft
