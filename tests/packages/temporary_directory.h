// A directory of a test's own, gone after it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace updraft {

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "updraft-packages-XXXXXX";
    path = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;

  std::string path;
};

}  // namespace updraft
