#include "tests/simulation/shrink.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <limits>
#include <type_traits>

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events/base/assert.h"

namespace updraft::simulation {
namespace {

// Of processor time; most runs take milliseconds, a few some seconds. More is an endless loop.
constexpr time_t kRunSecondsMax = 60;

// What a child tells of a run, of one fixed size, so that it is written and read as it is.
struct Report {
  bool failed = false;
  char checker[64] = {};
  char what[1024] = {};
  RunStats stats;
  uint64_t fingerprint = 0;
};
static_assert(std::is_trivially_copyable_v<Report>);

void CopyText(const std::string& text, char* to, size_t size) {
  size_t length = std::min(text.size(), size - 1);
  std::memcpy(to, text.data(), length);
  to[length] = '\0';
}

Report ReportOf(const RunResult& result) {
  Report report;
  report.stats = result.stats;
  report.fingerprint = result.fingerprint;
  report.failed = result.failure.has_value();
  if (result.failure) {
    CopyText(result.failure->checker, report.checker, sizeof(report.checker));
    CopyText(result.failure->what, report.what, sizeof(report.what));
  }
  return report;
}

bool ReadAll(int fd, void* to, size_t size) {
  auto* at = static_cast<char*>(to);
  while (size > 0) {
    ssize_t got = read(fd, at, size);
    if (got <= 0) return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

// A child that runs scenarios, one after the other, and reports each.
class Child {
 public:
  template <class Next>
  explicit Child(Next next) {
    int ends[2];
    Assert(pipe(ends) == 0, "a process can have a pipe");
    pid_ = fork();
    Assert(pid_ >= 0, "a process can have a child");
    if (pid_ == 0) {
      close(ends[0]);
      while (std::optional<Scenario> scenario = next()) {
        const itimerval limit = {.it_value = {.tv_sec = kRunSecondsMax}};
        setitimer(ITIMER_PROF, &limit, nullptr);
        Report report = ReportOf(Run(*scenario, /*keep_trace=*/false));
        if (write(ends[1], &report, sizeof(report)) != sizeof(report)) break;
      }
      _exit(0);
    }
    close(ends[1]);
    fd_ = ends[0];
  }
  ~Child() {
    close(fd_);
    Wait();
  }

  // Nothing when the child died over this one.
  bool Next(SeedRun& run) {
    Report report;
    if (!ReadAll(fd_, &report, sizeof(report))) {
      bool endless = WTERMSIG(Wait()) == SIGPROF;
      run.failure = endless ? Failure{"liveness", "the run does not end"}
                            : Failure{"assertion",
                                      "the process ended itself; its last words are above"};
      return false;
    }
    run.stats = report.stats;
    run.fingerprint = report.fingerprint;
    if (report.failed) run.failure = Failure{report.checker, report.what};
    return true;
  }

 private:
  // How it ended.
  int Wait() {
    if (pid_ != 0) waitpid(std::exchange(pid_, 0), &status_, 0);
    return status_;
  }

  pid_t pid_ = 0;
  int fd_ = -1;
  int status_ = 0;
};

}  // namespace

void RunSeeds(const std::vector<uint64_t>& seeds, const std::function<bool(const SeedRun&)>& done) {
  constexpr size_t kSeedsPerChild = 200;  // A child's memory is not always given back.
  for (size_t from = 0; from < seeds.size();) {
    size_t to = std::min(seeds.size(), from + kSeedsPerChild);
    size_t next = from;
    Child child([&]() -> std::optional<Scenario> {
      if (next == to) return std::nullopt;
      return DrawScenario(seeds[next++]);
    });
    for (bool alive = true; alive && from < to; ++from) {
      SeedRun run{.seed = seeds[from]};
      alive = child.Next(run);
      if (!done(run)) return;
    }
  }
}

SeedRun RunApart(const Scenario& scenario) {
  bool given = false;
  Child child([&]() -> std::optional<Scenario> {
    if (std::exchange(given, true)) return std::nullopt;
    return scenario;
  });
  SeedRun run{.seed = scenario.seed};
  child.Next(run);
  return run;
}

Scenario Shrink(const Scenario& scenario, const Failure& failure, std::chrono::seconds time_max) {
  auto end = std::chrono::steady_clock::now() + time_max;
  auto fails = [&](const Scenario& candidate) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::optional<Failure> found = RunApart(candidate).failure;
    return found && found->checker == failure.checker;
  };
  return ShrinkBy(scenario, fails, std::numeric_limits<int>::max());
}

Scenario ShrinkBy(const Scenario& scenario, const std::function<bool(const Scenario&)>& fails,
                  int runs_max) {
  Scenario smallest = scenario;
  int runs = 0;
  auto take_if_it_fails = [&](Scenario candidate) {
    ++runs;
    if (!fails(candidate)) return false;
    smallest = std::move(candidate);
    return true;
  };
  auto try_setting = [&](auto change) {
    Scenario candidate = smallest;
    change(candidate.setting);
    take_if_it_fails(std::move(candidate));
  };
  try_setting([](Setting& s) { s.network = {.delay_us = s.network.delay_us}; });
  try_setting([](Setting& s) { s.files = false; });
  try_setting([](Setting& s) { s.server = {}; });
  // Ever smaller pieces, until no single action can be left out.
  for (size_t piece = std::max<size_t>(1, smallest.actions.size() / 2); runs < runs_max;) {
    bool smaller = false;
    for (size_t from = 0; from < smallest.actions.size() && runs < runs_max;) {
      Scenario candidate = smallest;
      auto begin = candidate.actions.begin() + static_cast<int64_t>(from);
      auto end = candidate.actions.begin() +
                 static_cast<int64_t>(std::min(from + piece, candidate.actions.size()));
      candidate.actions.erase(begin, end);
      if (take_if_it_fails(std::move(candidate))) {
        smaller = true;
      } else {
        from += piece;
      }
    }
    if (piece == 1 && !smaller) break;
    piece = std::max<size_t>(1, piece / 2);
  }
  return smallest;
}

}  // namespace updraft::simulation
