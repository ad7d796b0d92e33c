// `simulation`: the service in a simulated world that tries to break it.
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "events/base/log_line.h"
#include "tests/simulation/regressions.h"
#include "tests/simulation/shrink.h"

namespace updraft::simulation {
namespace {

constexpr std::chrono::seconds kShrinkTime(90);
constexpr size_t kTraceLines = 120;

struct Options {
  std::optional<uint64_t> seed;
  bool trace = false;
  bool keep = false;
  uint64_t seeds = 0;
  uint64_t from = 0;
  double hours = 0;
  bool quick = false;
};

void Print(const std::string& text) {
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void PrintStats(uint64_t seeds, const RunStats& stats) {
  Print(fmt::format("{} seeds, {:.1f} simulated days, {} steps", seeds,
                    static_cast<double>(stats.simulated_us) / (24 * kHourUs), stats.steps));
  Print(fmt::format("engine: {} turns, {} commits, {} events, {} commands, {} pushes", stats.turns,
                    stats.checks.commits, stats.checks.events, stats.checks.inputs,
                    stats.checks.pushes));
  Print(fmt::format("tasks: {}, of which {} ended", stats.tasks, stats.tasks_ended));
  Print(fmt::format(
      "server: {} ends, {} recoveries, {} turns lost before they were durable, {} stalls",
      stats.crashes, stats.checks.recoveries, stats.checks.lost_turns, stats.stalls));
  Print(fmt::format("checkpoints: {} made, {} starts began with one", stats.checkpoints,
                    stats.from_checkpoint));
  const FleetStats& fleet = stats.fleet;
  Print(fmt::format(
      "fleet: {} connections, {} messages ({} lost, {} doubled, {} late), {} notices, {} upgrades",
      fleet.connections, fleet.messages, fleet.lost, fleet.duplicated, fleet.reordered,
      fleet.notices, fleet.upgrades));
  std::string acts = "actions:";
  for (int act = 0; act < kActs; ++act) {
    acts += fmt::format("{} {} {}", act == 0 ? "" : ",", NameOf(static_cast<Act>(act)),
                        stats.acts[act]);
  }
  Print(acts);
}

void PrintTrace(const Scenario& scenario) {
  RunResult result = Run(scenario, /*keep_trace=*/true);
  size_t lines = result.trace.size();
  if (lines > kTraceLines) Print(fmt::format("… {} lines before", lines - kTraceLines));
  for (size_t i = lines - std::min(lines, kTraceLines); i < lines; ++i) Print(result.trace[i]);
}

void PrintActions(const Scenario& scenario) {
  const Setting& setting = scenario.setting;
  Print(fmt::format("{} actions are left; {} devices at most, loss {} %, double {} %, late {} %{}",
                    scenario.actions.size(), setting.devices, setting.network.loss_percent,
                    setting.network.duplicate_percent, setting.network.reorder_percent,
                    setting.files ? ", log on files" : ""));
  for (const Action& action : scenario.actions) {
    std::string device =
        action.act <= Act::kSayNonsense ? fmt::format(" dev-{}", action.device) : "";
    Print(fmt::format("  at {:>9.3f} s: {}{}", static_cast<double>(action.at_us) / kSecondUs,
                      NameOf(action.act), device));
  }
}

void Explain(const SeedRun& run, bool shrink) {
  Print(fmt::format("SEED={} fails: {}: {}", run.seed, run.failure->checker, run.failure->what));
  if (!shrink) return;
  Print("making it smaller…");
  Scenario smallest = Shrink(DrawScenario(run.seed), *run.failure, kShrinkTime);
  PrintActions(smallest);
  if (run.failure->checker == "assertion") {
    (void)RunApart(smallest);
  } else {
    PrintTrace(smallest);
  }
  Print(fmt::format("to see it again: SEED={} simulation", run.seed));
}

int RunOne(const Options& options) {
  uint64_t seed = *options.seed;
  Print(fmt::format("SEED={}", seed));
  SeedRun run = RunApart(DrawScenario(seed));
  if (options.trace) {
    RunResult result = Run(DrawScenario(seed), /*keep_trace=*/true);
    for (const std::string& line : result.trace) Print(line);
  }
  PrintStats(1, run.stats);
  Print(fmt::format("fingerprint {:016x}", run.fingerprint));
  if (!run.failure) return 0;
  Explain(run, !options.keep);
  return 1;
}

int RunMany(const std::vector<uint64_t>& seeds, const Options& options) {
  RunStats sum;
  uint64_t done = 0;
  int failures = 0;
  std::time_t began = std::time(nullptr);
  RunSeeds(seeds, [&](const SeedRun& run) {
    ++done;
    sum.Add(run.stats);
    if (run.failure) {
      ++failures;
      Explain(run, !options.keep && failures == 1);
    }
    if (done % 1'000 == 0 && !options.quick) {
      Print(fmt::format("{} of {} seeds, {} s", done, seeds.size(), std::time(nullptr) - began));
    }
    bool over =
        options.hours > 0 && std::difftime(std::time(nullptr), began) > options.hours * 3600;
    return failures < 10 && !over;
  });
  PrintStats(done, sum);
  Print(failures == 0 ? "no failure" : fmt::format("{} seeds fail", failures));
  return failures == 0 ? 0 : 1;
}

std::vector<uint64_t> Range(uint64_t from, uint64_t count) {
  std::vector<uint64_t> seeds;
  for (uint64_t i = 0; i < count; ++i) seeds.push_back(from + i);
  return seeds;
}

uint64_t FreshSeed() { return static_cast<uint64_t>(std::time(nullptr)) * 100'000; }

int Main(int argc, char** argv) {
  constexpr uint64_t kFixedSeeds = 150;
  constexpr uint64_t kFreshSeeds = 250;
  constexpr uint64_t kQuickSeeds = 60;
  Options options;
  CLI::App app(
      "Runs the service in a simulated world. Without options: the seeds that once failed, fixed "
      "ones and fresh ones. Exit code 1 when a checker finds something, 0 when none does.");
  app.add_option("--seed", options.seed, "run this one; the environment's SEED does the same");
  app.add_flag("--trace", options.trace, "with --seed: print all that happens");
  app.add_flag("--keep", options.keep, "do not make a failure smaller");
  app.add_flag("--quick", options.quick, "fixed seeds only, a few seconds");
  app.add_option("--seeds", options.seeds, "run so many seeds")->expected(1);
  app.add_option("--from", options.from, "with --seeds: begin with this one");
  app.add_option("--hours", options.hours, "run fresh seeds for so long");
  CLI11_PARSE(app, argc, argv);
  SetLogLevel(LogLevel::kOff);
  if (const char* seed = std::getenv("SEED"); seed != nullptr && !options.seed) {
    options.seed = std::strtoull(seed, nullptr, 10);
  }
  if (options.seed) return RunOne(options);
  if (options.hours > 0) {
    uint64_t from = FreshSeed();
    Print(fmt::format("seeds from {}", from));
    return RunMany(Range(from, uint64_t{1} << 24), options);
  }
  if (options.seeds > 0) return RunMany(Range(options.from, options.seeds), options);
  std::vector<uint64_t> seeds;
  for (const Regression& once : kRegressions) seeds.push_back(once.seed);
  std::vector<uint64_t> more = Range(1, options.quick ? kQuickSeeds : kFixedSeeds);
  seeds.insert(seeds.end(), more.begin(), more.end());
  if (!options.quick) {
    uint64_t from = FreshSeed();
    Print(fmt::format("fresh seeds from {}", from));
    more = Range(from, kFreshSeeds);
    seeds.insert(seeds.end(), more.begin(), more.end());
  }
  return RunMany(seeds, options);
}

}  // namespace
}  // namespace updraft::simulation

int main(int argc, char** argv) { return updraft::simulation::Main(argc, argv); }
