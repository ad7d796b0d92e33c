// The harness itself: how figures are made of samples.
#include "bench/bench.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

namespace fs = std::filesystem;

Bench MakeBench(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "test_bench");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return Bench("test", static_cast<int>(argv.size()), argv.data(), "sync=none");
}

TEST_CASE("a spread has the middle value and both ends") {
  Spread odd = SpreadOf({3, 1, 2});
  CHECK(odd.median == 2);
  CHECK(odd.low == 1);
  CHECK(odd.high == 3);
  CHECK(SpreadOf({7}).median == 7);
}

TEST_CASE("a parameter has its size of the mode, and the command line's before both") {
  Bench full = MakeBench({"rows=77", "batch=16,256"});
  CHECK(full.Parameter("rows", 1, 1'000) == 77);
  CHECK(full.Parameter("devices", 1, 1'000) == 1'000);
  CHECK(full.Parameters("batch", {1}, {2, 3}) == std::vector<uint64_t>{16, 256});
  CHECK(full.rounds() == 5);
  Bench smoke = MakeBench({"--smoke"});
  CHECK(smoke.Parameter("rows", 1, 1'000) == 1);
  CHECK(smoke.rounds() == 1);
}

TEST_CASE("sides are measured by turns, and the ratio is taken within a round") {
  Bench place = MakeBench({});
  std::string tsv = place.NewDir() + "/tsv";
  std::string order;
  {
    Bench bench = MakeBench({"--rounds", "3", "--tsv", tsv});
    double speed = 1;  // The machine becomes slower; the ratio stays.
    auto side = [&](char name, double value) {
      return [&order, &speed, name, value] {
        order += name;
        return Sample{value * (speed /= 2), 5};
      };
    };
    bench.Compare("rows/s", {{"batch", 4}}, {{"a", side('a', 8)}, {"b", side('b', 2)}});
  }
  CHECK(order == "abbaab");
  std::ifstream file(tsv);
  std::stringstream text;
  text << file.rdbuf();
  // Of 8 to 2 the machine made 8 or 2 to 1, by which side came first.
  CHECK(text.str() ==
        "test\trows/s\tbatch=4\ta\t0.5\t0.25\t4\t0.0000\t0.0000\t0.0000\n"
        "test\trows/s\tbatch=4\tb\t0.25\t0.03125\t0.5\t8.0000\t2.0000\t8.0000\n");
}

TEST_CASE("a bench's directories are gone at its end") {
  std::string dir;
  {
    Bench bench = MakeBench({});
    dir = bench.NewDir();
    CHECK(fs::is_directory(dir));
    CHECK(bench.NewDir() != dir);
  }
  CHECK_FALSE(fs::exists(dir));
}

TEST_CASE("the fingerprint tells order and content") {
  auto of = [](std::initializer_list<uint64_t> values) {
    ResultHash print;
    for (uint64_t value : values) print.Add(value);
    return print.value();
  };
  CHECK(of({1, 2}) == of({1, 2}));
  CHECK(of({1, 2}) != of({2, 1}));
  CHECK(of({}) != of({0}));
}

}  // namespace
}  // namespace updraft
