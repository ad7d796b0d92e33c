// A directory of a test's own, gone with all in it when the test ends. In memory where the machine
// has such a place: no test pulls the plug, so a real disk would only make them slow.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "events/base/assert.h"

namespace updraft {

class TempDir {
 public:
  TempDir() {
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = std::filesystem::is_directory(memory);
    std::string pattern =
        (in_memory ? memory : std::filesystem::temp_directory_path()) / "updraft-test-XXXXXX";
    Assert(mkdtemp(pattern.data()) != nullptr, "a test can make a directory in {}", pattern);
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return fmt::format("{}/{}", path_, name); }

 private:
  std::string path_;
};

}  // namespace updraft
