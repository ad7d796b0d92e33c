// What every bench has in common: sizes, rounds, ratios and one line a question.
//
//   int main(int argc, char** argv) {
//     Bench bench("append", argc, argv, "sync=fdatasync");
//     uint64_t rows = bench.Parameter("rows", /*smoke=*/10, /*full=*/100'000);
//     bench.Compare("rows/s", {{"batch", 256}},
//                   {{"updraft", [&] { return Sample{RowsASecond(...), digest}; }},
//                    {"file", [&] { return …; }, AtLeast(0.6)}});
//   }
//
// The subject and its baselines are measured by turns: each round measures every side once, and a
// ratio is taken within a round, so that what else the machine does falls on both. What is told is
// the median of the rounds (five or more; one at smoke size), with the lowest and the highest.
//
// A sample's digest is of what the work came to: the compiler cannot drop the work, nor can we
// speed it up by doing another. It must be the same in each round.
//
// A bench is run by hand at full size, and at smoke size by the tests, where nothing depends on
// how fast it was. A missed goal is printed, and is no failure.
//
// Errors: a wrong argument ends the program with status 2 and says what is wrong.
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "events/base/status.h"

namespace updraft {

struct Sample {
  double value = 0;  // In the figure's unit.
  uint64_t digest = 0;
};

// What the subject's figure, divided by the baseline's, should be.
struct Goal {
  double low = 0;
  double high = 0;  // 0 is no bound.
};
inline Goal AtLeast(double ratio) { return {.low = ratio}; }
inline Goal AtMost(double ratio) { return {.high = ratio}; }

struct Side {
  std::string name;
  std::function<Sample()> measure;
  std::optional<Goal> goal = std::nullopt;  // Of the first side's ratio to this one.
};

// A median, and what it is the median of.
struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
};
// REQUIRED: at least one value.
Spread SpreadOf(std::vector<double> values);

class Bench {
 public:
  // Where on the curve a figure stands: what differs from line to line.
  using Point = std::vector<std::pair<std::string, uint64_t>>;

  // Arguments: --smoke, --rounds N, --dir DIR, --tsv FILE, --help, and NAME=VALUE for a parameter.
  // `mode` says how durable what is measured is, for the first line printed.
  Bench(std::string_view name, int argc, char** argv, std::string_view mode);
  // Removes what lies in dir().
  ~Bench();
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  bool smoke() const { return smoke_; }
  int rounds() const { return rounds_; }

  // A size; NAME=VALUE on the command line goes before both.
  uint64_t Parameter(std::string_view name, uint64_t smoke, uint64_t full);
  // The same for the points of a curve; NAME=16,256.
  std::vector<uint64_t> Parameters(std::string_view name, std::vector<uint64_t> smoke,
                                   std::vector<uint64_t> full);

  // An empty directory below --dir (or TMPDIR, or /tmp), new with each call.
  std::string NewDir();

  // Measures the sides by turns and prints one line: the figure of each, and the first side's ratio
  // to each other with its goal. `unit` is printed after each side's name: "reports/s", "us".
  // Returns the spread of the first side.
  Spread Compare(std::string_view unit, const Point& point, const std::vector<Side>& sides);

  // Prints one line for a figure that has no baseline beside it; the goal is the figure's own.
  void Tell(std::string_view unit, const Point& point, const Sample& sample,
            std::optional<Goal> goal = std::nullopt);

  // Says that a side is left out, and why: "postgresql is not installed".
  void Skip(std::string_view why) const;

 private:
  struct Figure {
    Spread value;
    Spread ratio;  // All zero when there is none.
  };

  [[noreturn]] void Usage(std::string_view wrong) const;
  std::optional<std::string> TakeOverride(std::string_view name);
  void CheckOverrides() const;
  std::string Sizes(const Point& point) const;
  void WriteTsv(std::string_view unit, const Point& point, std::string_view side,
                const Figure& figure);

  const std::string name_;
  bool smoke_ = false;
  int rounds_ = 0;
  std::string root_;
  std::vector<std::string> made_;
  std::map<std::string, std::string, std::less<>> overrides_;
  std::vector<std::pair<std::string, std::string>> parameters_;  // As used.
  std::FILE* tsv_ = nullptr;
};

// The seconds that `work` takes.
double SecondsOf(const std::function<void()>& work);

// Ends the program where a bench cannot go on: `what` failed.
void OrDie(const Status& status, std::string_view what);
template <class T>
T OrDie(Result<T> result, std::string_view what) {
  OrDie(result.status(), what);
  return *std::move(result);
}

// A running digest of 64 bits.
class ResultHash {
 public:
  void Add(uint64_t value);
  void Add(std::string_view bytes);
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0;
};

}  // namespace updraft
