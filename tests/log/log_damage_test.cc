// Any changed byte of the data directory is noticed, or every commit still reads identical.

#include <cstdlib>
#include <fstream>
#include <map>

#include <catch2/catch.hpp>

#include "events/log/files.h"
#include "events/log/rocks_log.h"
#include "tests/log/log_content.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

namespace fs = std::filesystem;

void Append(RocksLog& log, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string device = fmt::format("d{}", log.head().last);
    REQUIRE(
        log.Append(After(log.head(), {.events = 3}), std::vector{SideWrite{device, "name"}}).ok());
  }
}

// A log with tables and a write-ahead log, as a kill -9 leaves it, to be damaged again and again.
class Victim {
 public:
  Victim() {
    auto log = RocksLog::Open(Options("grown"));
    REQUIRE(log.ok());
    Append(**log, 2);
    log->reset();
    log = RocksLog::Open(Options("grown"));
    REQUIRE(log.ok());
    Append(**log, 3);
    fs::copy(temp_ / "grown", temp_ / "whole");
    log->reset();
    for (const auto& entry : fs::directory_iterator(temp_ / "whole")) {
      names_.push_back(entry.path().filename());
    }
    Restore();
    Result<LogContent> content = Read();
    REQUIRE(content.ok());
    content_ = *content;
    REQUIRE(content_.commits.size() == 5);
  }

  const std::vector<std::string>& names() const { return names_; }
  size_t SizeOf(const std::string& name) const { return fs::file_size(temp_ / "whole/" + name); }

  // Changes a bit of the byte. Whether that was noticed; if not, nothing of the log may differ.
  bool IsNoticed(const std::string& name, size_t offset) {
    Restore();
    const std::string path = temp_ / "log/" + name;
    std::string bytes = *ReadFile(path);
    bytes[offset] = static_cast<char>(bytes[offset] ^ 1 << offset % 8);
    std::ofstream(path, std::ios::binary) << bytes;
    Result<LogContent> content = Read();
    if (!content.ok()) return true;
    CAPTURE(name, offset);
    CHECK(*content == content_);
    return false;
  }

 private:
  RocksLogOptions Options(std::string_view dir) const {
    return {.dir = temp_ / dir, .create = true, .sidecar_key_path = temp_ / "key"};
  }
  Result<LogContent> Read() const {
    ASSIGN_OR_RETURN(auto log, RocksLog::Open(Options("log")));
    return ReadContent(*log);
  }
  void Restore() {
    fs::remove_all(temp_ / "log");
    fs::copy(temp_ / "whole", temp_ / "log");
  }

  TempDir temp_;
  std::vector<std::string> names_;
  LogContent content_;
};

// Changes every `step`th byte of each file; how many of the changes were noticed, by kind of file.
std::map<std::string, int> Damage(size_t flips_per_file) {
  Victim victim;
  std::map<std::string, int> noticed;
  for (const std::string& name : victim.names()) {
    const size_t size = victim.SizeOf(name);
    const size_t step = std::max<size_t>(1, size / flips_per_file);
    for (size_t offset = step / 2; offset < size; offset += step) {
      const size_t dot = name.find_last_of(".-");
      const std::string kind = dot == name.npos   ? name
                               : name[dot] == '.' ? name.substr(dot)
                                                  : name.substr(0, dot);
      if (victim.IsNoticed(name, offset)) ++noticed[kind];
    }
  }
  return noticed;
}

}  // namespace

// A sample of the bytes; every one of them, which takes minutes, when UPDRAFT_LONG is set.
TEST_CASE("a changed byte anywhere in the directory is noticed or does no harm", "[log]") {
  const bool all = std::getenv("UPDRAFT_LONG") != nullptr;
  std::map<std::string, int> noticed = Damage(/*flips_per_file=*/all ? 1u << 30 : 16);
  for (const char* kind : {".log", ".sst", "MANIFEST", "CURRENT", "HEAD"}) {
    CAPTURE(kind);
    CHECK(noticed[kind] >= 16);
    if (all) WARN(kind << ": " << noticed[kind] << " noticed");
  }
}

}  // namespace updraft
