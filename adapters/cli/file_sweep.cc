#include "adapters/cli/file_sweep.h"

#include <chrono>
#include <future>
#include <memory>

#include "events/base/log_line.h"
#include "projections/world.h"

namespace updraft {
namespace {

constexpr auto kBetween = std::chrono::hours(1);
// Packages looked at between two turns.
constexpr uint32_t kPackagesPerLook = 1'000;

struct Look {
  Status durable;
  std::vector<std::string> files;
  uint32_t packages = 0;  // That there are, deleted ones too.
};

Look LookFrom(const World& world, uint32_t first) {
  Look look;
  look.packages = static_cast<uint32_t>(world.packages().size());
  for (uint32_t p = first; p <= look.packages && p - first < kPackagesPerLook; ++p) {
    const Package& package = world.packages()[PackageId(p)];
    if (!package.deleted) look.files.push_back(package.file);
  }
  return look;
}

Result<Look> AskFrom(Engine& engine, uint32_t first) {
  auto seen = std::make_shared<std::promise<Look>>();
  std::future<Look> answer = seen->get_future();
  RETURN_IF_ERROR(engine.Read([seen, first](const World& world) -> Engine::Finish {
    return [seen, look = LookFrom(world, first)](const Status& durable) mutable {
      look.durable = durable;
      seen->set_value(std::move(look));
    };
  }));
  Look look = answer.get();
  RETURN_IF_ERROR(look.durable);
  return look;
}

}  // namespace

Result<std::set<std::string>> FilesOfPackages(Engine& engine) {
  std::set<std::string> files;
  // Packages that are made meanwhile come after these, and are seen as well.
  for (uint32_t first = 1, last = 1; first <= last; first += kPackagesPerLook) {
    ASSIGN_OR_RETURN(Look look, AskFrom(engine, first));
    files.insert(look.files.begin(), look.files.end());
    last = look.packages;
  }
  return files;
}

FileSweep::FileSweep(Engine& engine, PostedFiles& files)
    : engine_(engine), files_(files), thread_([this] { Run(); }) {}

FileSweep::~FileSweep() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void FileSweep::Run() {
  std::unique_lock lock(mutex_);
  do {
    lock.unlock();
    Result<size_t> removed = files_.Sweep([this] { return FilesOfPackages(engine_); });
    if (!removed.ok()) {
      LogWarn("files that no package has are not removed", {{"why", removed.status().message()}});
    } else if (*removed > 0) {
      LogInfo("removed files that no package has", {{"files", static_cast<int64_t>(*removed)}});
    }
    lock.lock();
  } while (!changed_.wait_for(lock, kBetween, [this] { return ending_; }));
}

}  // namespace updraft
