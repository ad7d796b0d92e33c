// The rules of the house that can be read off the tree: which room may include which, and what
// stands in one file only.
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  // From the root, "engine/core.cc".
  std::string text;

  std::string room() const {
    std::string top = path.substr(0, path.find('/'));
    if (top != "adapters") return top;
    size_t second = path.find('/', top.size() + 1);
    return path.substr(0, second);
  }
  std::vector<std::string> includes() const {
    static const std::regex kInclude("^#include [\"<]([^\">]+)[\">]",
                                     std::regex::ECMAScript | std::regex::multiline);
    std::vector<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), kInclude), end; it != end; ++it) {
      found.push_back((*it)[1]);
    }
    return found;
  }
};

const std::vector<Source>& Tree() {
  static const std::vector<Source> tree = [] {
    std::vector<Source> sources;
    fs::path root = UPDRAFT_SOURCE_ROOT;
    for (const char* room : {"events", "projections", "engine", "adapters", "tests", "bench"}) {
      for (const auto& entry : fs::recursive_directory_iterator(root / room)) {
        std::string extension = entry.path().extension();
        if (extension != ".h" && extension != ".cc") continue;
        std::ifstream in(entry.path());
        std::stringstream text;
        text << in.rdbuf();
        sources.push_back({fs::relative(entry.path(), root), text.str()});
      }
    }
    return sources;
  }();
  return tree;
}

// Files outside tests/ and bench/ that include something beginning with `prefix`.
std::set<std::string> IncludersOf(const std::string& prefix) {
  std::set<std::string> files;
  for (const Source& source : Tree()) {
    if (source.room() == "tests" || source.room() == "bench") continue;
    for (const std::string& include : source.includes()) {
      if (include.starts_with(prefix)) files.insert(source.path);
    }
  }
  return files;
}

}  // namespace

TEST_CASE("includes go from the adapters down, never up or across", "[tidy]") {
  const std::map<std::string, int> kLevel = {
      {"events", 0}, {"projections", 1}, {"engine", 2}, {"adapters", 3}};
  for (const Source& source : Tree()) {
    std::string from = source.room();
    if (from == "tests" || from == "bench") continue;
    std::string from_top = source.path.substr(0, source.path.find('/'));
    for (const std::string& include : source.includes()) {
      size_t slash = include.find('/');
      if (slash == std::string::npos) continue;
      auto level = kLevel.find(include.substr(0, slash));
      if (level == kLevel.end()) continue;
      INFO(source.path << " includes " << include);
      CHECK(level->second <= kLevel.at(from_top));
      if (level->first != "adapters" || from == "adapters/cli") continue;
      std::string to = include.substr(0, include.find('/', slash + 1));
      CHECK((to == from || to == "adapters/wire"));
    }
  }
}

TEST_CASE("what others make stands in one file only", "[tidy]") {
  CHECK(IncludersOf("rocksdb/") == std::set<std::string>{"events/log/rocks_database.cc"});
  CHECK(IncludersOf("mosquitto.h") == std::set<std::string>{"adapters/broker_plugin/plugin.cc",
                                                            "adapters/mqtt/broker_client.cc"});
  CHECK(IncludersOf("mosquitto_plugin.h") ==
        std::set<std::string>{"adapters/broker_plugin/plugin.cc"});
}

TEST_CASE("projections know no clock, thread, file, chance or loop", "[tidy]") {
  for (const Source& source : Tree()) {
    if (source.room() != "projections") continue;
    for (const std::string& include : source.includes()) {
      INFO(source.path << " includes " << include);
      for (const char* banned : {"random", "thread", "fstream", "chrono", "ctime", "time.h",
                                 "mutex", "iostream", "kj/async"}) {
        CHECK_FALSE(include == banned);
      }
      CHECK_FALSE(include.starts_with("rocksdb/"));
      CHECK_FALSE(include.starts_with("kj/async"));
    }
  }
}

TEST_CASE("the engine's time comes from one file", "[tidy]") {
  std::set<std::string> readers;
  for (const Source& source : Tree()) {
    if (source.room() == "tests" || source.room() == "bench") continue;
    for (const char* read : {"clock_gettime", "system_clock::now", "steady_clock::now",
                             "gettimeofday", "std::time(", " time(nullptr"}) {
      if (source.text.find(read) != std::string::npos) readers.insert(source.path);
    }
  }
  // A log line's time is for its reader. The gate is a program of its own, in the broker.
  readers.erase("events/base/log_line.cc");
  readers.erase("adapters/broker_plugin/plugin.cc");
  CHECK(readers == std::set<std::string>{"engine/clock.cc"});
}

TEST_CASE("a switch over events names every kind", "[tidy]") {
  for (const Source& source : Tree()) {
    if (source.room() == "tests" || source.text.find("event.which()") == std::string::npos)
      continue;
    INFO(source.path);
    static const std::regex kDefault("\n\\s*default:");
    CHECK_FALSE(std::regex_search(source.text, kDefault));
  }
}

TEST_CASE("lines end before column 101, and no file is a novel", "[tidy]") {
  for (const Source& source : Tree()) {
    INFO(source.path);
    size_t lines = 0;
    size_t begin = 0;
    for (size_t end = source.text.find('\n'); end != std::string::npos;
         begin = end + 1, end = source.text.find('\n', begin)) {
      ++lines;
      // Columns, not bytes: a character of several bytes is one.
      size_t columns = 0;
      for (size_t i = begin; i < end; ++i) {
        columns += (static_cast<unsigned char>(source.text[i]) & 0xC0) != 0x80 ? 1 : 0;
      }
      // Texts may be as long as they are.
      bool text = source.text.substr(begin, end - begin).find('"') != std::string::npos;
      bool raw = source.text.find("R\"") != std::string::npos;
      bool table = source.text.find("clang-format off") != std::string::npos;
      if (!text && !raw && !table) CHECK(columns <= 100);
    }
    CHECK(lines <= 900);
  }
}

}  // namespace updraft
