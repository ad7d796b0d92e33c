#include "bench/bench.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>

#include "events/base/assert.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;

constexpr int kRoundsFull = 5;
constexpr int kRoundsSmoke = 1;

// The value of the first line of `path` that begins with `key`, behind its colon.
std::string ValueIn(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    size_t at = line.find_first_not_of(": \t", key.size());
    return at == line.npos ? "" : line.substr(at);
  }
  return "?";
}

std::string FileSystemOf(const std::string& dir) {
  struct statfs64 info;
  if (statfs64(dir.c_str(), &info) != 0) return "?";
  switch (info.f_type) {
    case 0xEF53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683E:
      return "btrfs";
    case 0x01021994:
      return "tmpfs";
    case 0x794c7630:
      return "overlay";
    default:
      return fmt::format("{:x}", info.f_type);
  }
}

std::string Number(double value) {
  return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

std::string GoalText(const std::optional<Goal>& goal, double reached) {
  if (!goal) return "";
  bool met = reached >= goal->low && (goal->high == 0 || reached <= goal->high);
  std::string bound = goal->high == 0 ? fmt::format(">={}", Number(goal->low))
                                      : fmt::format("<={}", Number(goal->high));
  return fmt::format(" goal{} {}", bound, met ? "met" : "missed");
}

uint64_t ToNumber(std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool good = error == std::errc() && end == text.data() + text.size();
  OrDie(good ? OkStatus()
             : Status(StatusCode::kInvalidArgument, fmt::format("'{}' is no number", text)),
        "read an argument");
  return number;
}

}  // namespace

Spread SpreadOf(std::vector<double> values) {
  Assert(!values.empty(), "a median of nothing");
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values.front(), values.back()};
}

Bench::Bench(std::string_view name, int argc, char** argv, std::string_view mode) : name_(name) {
  const char* tmp = std::getenv("TMPDIR");
  root_ = tmp != nullptr ? tmp : "/tmp";
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    auto value = [&]() -> std::string {
      if (++i == argc) Usage(fmt::format("{} needs a value", argument));
      return argv[i];
    };
    size_t equals = argument.find('=');
    if (argument == "--smoke") {
      smoke_ = true;
    } else if (argument == "--rounds") {
      rounds_ = static_cast<int>(ToNumber(value()));
    } else if (argument == "--dir") {
      root_ = value();
    } else if (argument == "--tsv") {
      tsv_ = std::fopen(value().c_str(), "a");
      if (tsv_ == nullptr) Usage(fmt::format("{} cannot be written", argv[i]));
    } else if (!argument.starts_with('-') && equals != argument.npos) {
      overrides_.emplace(argument.substr(0, equals), argument.substr(equals + 1));
    } else {
      Usage(argument == "--help" ? "" : fmt::format("'{}' is not known", argument));
    }
  }
  if (rounds_ == 0) rounds_ = smoke_ ? kRoundsSmoke : kRoundsFull;
  std::string file_system = FileSystemOf(root_);
  utsname machine = {};
  uname(&machine);
  fmt::print(
      "{} machine cpu=\"{}\" cores={} memory=\"{}\" kernel={} disk={} {} size={} rounds={}\n",
      name_, ValueIn("/proc/cpuinfo", "model name"), std::thread::hardware_concurrency(),
      ValueIn("/proc/meminfo", "MemTotal"), machine.release, file_system, mode,
      smoke_ ? "smoke" : "full", rounds_);
  if (file_system == "tmpfs" && !smoke_) {
    fmt::print("{} warning: {} is in memory, so nothing is synced; name a disk with --dir\n", name_,
               root_);
  }
}

Bench::~Bench() {
  std::error_code ignored;
  for (const std::string& dir : made_) fs::remove_all(dir, ignored);
  if (tsv_ != nullptr) std::fclose(tsv_);
}

void Bench::Usage(std::string_view wrong) const {
  if (!wrong.empty()) fmt::print(stderr, "{}: {}\n", name_, wrong);
  fmt::print(wrong.empty() ? stdout : stderr,
             "usage: {} [--smoke] [--rounds N] [--dir DIR] [--tsv FILE] [NAME=VALUE...]\n"
             "  --smoke      small sizes, one round: shows that it works, measures nothing\n"
             "  --rounds N   how often each side is measured (5)\n"
             "  --dir DIR    where data is written, on the disk to be measured (TMPDIR or /tmp)\n"
             "  --tsv FILE   appends the figures to FILE, for bench/plot\n"
             "  NAME=VALUE   another size; a list for the points of a curve: batch=16,256\n",
             name_);
  std::exit(wrong.empty() ? 0 : 2);
}

std::optional<std::string> Bench::TakeOverride(std::string_view name) {
  auto it = overrides_.find(name);
  if (it == overrides_.end()) return std::nullopt;
  std::string value = std::move(it->second);
  overrides_.erase(it);
  return value;
}

// After the bench has named its parameters.
void Bench::CheckOverrides() const {
  if (overrides_.empty()) return;
  Usage(fmt::format("there is no parameter '{}'", overrides_.begin()->first));
}

uint64_t Bench::Parameter(std::string_view name, uint64_t smoke, uint64_t full) {
  std::optional<std::string> text = TakeOverride(name);
  uint64_t value = text ? ToNumber(*text) : smoke_ ? smoke : full;
  parameters_.emplace_back(name, fmt::format("{}", value));
  return value;
}

std::vector<uint64_t> Bench::Parameters(std::string_view name, std::vector<uint64_t> smoke,
                                        std::vector<uint64_t> full) {
  std::optional<std::string> text = TakeOverride(name);
  if (!text) return smoke_ ? smoke : full;
  std::vector<uint64_t> values;
  for (std::string_view rest = *text; !rest.empty();) {
    size_t comma = rest.find(',');
    values.push_back(ToNumber(rest.substr(0, comma)));
    rest = comma == rest.npos ? "" : rest.substr(comma + 1);
  }
  return values;
}

std::string Bench::NewDir() {
  std::string dir = root_ + "/updraft-bench-XXXXXX";
  if (mkdtemp(dir.data()) == nullptr) Usage(fmt::format("nothing can be made in {}", root_));
  made_.push_back(dir);
  return dir;
}

std::string Bench::Sizes(const Point& point) const {
  std::string text;
  for (const auto& [name, value] : point) text += fmt::format(" {}={}", name, value);
  for (const auto& [name, value] : parameters_) text += fmt::format(" {}={}", name, value);
  return text;
}

Spread Bench::Compare(std::string_view unit, const Point& point, const std::vector<Side>& sides) {
  CheckOverrides();
  std::vector<std::vector<double>> values(sides.size());
  std::vector<uint64_t> digests(sides.size());
  for (int round = 0; round < rounds_; ++round) {
    // Each begins a round in turn, so that none always runs on what the others left.
    for (size_t i = 0; i < sides.size(); ++i) {
      size_t s = (i + static_cast<size_t>(round)) % sides.size();
      Sample sample = sides[s].measure();
      Assert(round == 0 || sample.digest == digests[s], "{} came to another result in round {}",
             sides[s].name, round + 1);
      digests[s] = sample.digest;
      values[s].push_back(sample.value);
    }
  }

  ResultHash digest;
  for (uint64_t of_side : digests) digest.Add(of_side);
  std::string line = fmt::format("{}{}", name_, Sizes(point));
  for (size_t s = 0; s < sides.size(); ++s) {
    Figure figure = {.value = SpreadOf(values[s]), .ratio = {}};
    line += fmt::format(" {}_{}={}", sides[s].name, unit, Number(figure.value.median));
    if (s > 0) {
      std::vector<double> ratios;
      for (size_t i = 0; i < values[s].size(); ++i) ratios.push_back(values[0][i] / values[s][i]);
      figure.ratio = SpreadOf(ratios);
      line += fmt::format(" ratio={:.2f}({:.2f}..{:.2f}){}", figure.ratio.median, figure.ratio.low,
                          figure.ratio.high, GoalText(sides[s].goal, figure.ratio.median));
    }
    WriteTsv(unit, point, sides[s].name, figure);
  }
  fmt::print("{} digest={:016x}\n", line, digest.value());
  std::fflush(stdout);
  return SpreadOf(values[0]);
}

void Bench::Tell(std::string_view unit, const Point& point, const Sample& sample,
                 std::optional<Goal> goal) {
  CheckOverrides();
  fmt::print("{}{} {}={}{} digest={:016x}\n", name_, Sizes(point), unit, Number(sample.value),
             GoalText(goal, sample.value), sample.digest);
  std::fflush(stdout);
  WriteTsv(unit, point, "updraft",
           {.value = {sample.value, sample.value, sample.value}, .ratio = {}});
}

void Bench::Skip(std::string_view why) const { fmt::print("{} skipped: {}\n", name_, why); }

// name, unit, the points as x=1,y=2, side, median, low, high, ratio, ratio's low, ratio's high.
void Bench::WriteTsv(std::string_view unit, const Point& point, std::string_view side,
                     const Figure& figure) {
  if (tsv_ == nullptr) return;
  std::string at;
  for (const auto& [name, value] : point) {
    at += fmt::format("{}{}={}", at.empty() ? "" : ",", name, value);
  }
  fmt::print(tsv_, "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:.4f}\t{:.4f}\t{:.4f}\n", name_, unit, at, side,
             figure.value.median, figure.value.low, figure.value.high, figure.ratio.median,
             figure.ratio.low, figure.ratio.high);
  std::fflush(tsv_);
}

double SecondsOf(const std::function<void()>& work) {
  auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void OrDie(const Status& status, std::string_view what) {
  if (status.ok()) return;
  fmt::print(stderr, "cannot {}: {}\n", what, status.ToString());
  std::exit(2);
}

void ResultHash::Add(uint64_t value) {
  value_ = XXH3_64bits_withSeed(&value, sizeof(value), value_);
}
void ResultHash::Add(std::string_view bytes) {
  value_ = XXH3_64bits_withSeed(bytes.data(), bytes.size(), value_);
}

}  // namespace updraft
