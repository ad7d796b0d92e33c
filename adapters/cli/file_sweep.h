// Removes, from time to time, uploaded files of which no package was made, or whose package was
// deleted.
//
// Thread-safety: works on a thread of its own, from construction to destruction.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "adapters/cli/posted_files.h"
#include "engine/updraft.h"

namespace updraft {

// The files of all packages, by what is durable. Asks the engine and waits.
Result<std::set<std::string>> FilesOfPackages(Engine& engine);

class FileSweep {
 public:
  // Both outlive it. The engine must not be stopped before.
  FileSweep(Engine& engine, PostedFiles& files);
  ~FileSweep();

 private:
  void Run();

  Engine& engine_;
  PostedFiles& files_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace updraft
