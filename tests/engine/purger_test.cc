// What was deleted is purged from the log's files in time, by this run or the next.
#include "engine/purger.h"

#include <future>
#include <thread>

#include <catch2/catch.hpp>

#include "engine/updraft.h"
#include "tests/log/sample_commits.h"
#include "tests/log/temp_dir.h"

namespace updraft {
namespace {

using std::chrono::milliseconds;

class Site {
 public:
  std::unique_ptr<RocksLog> Open() {
    auto log = RocksLog::Open({.dir = temp_ / "data/log",
                               .create = true,
                               .sidecar_key_path = temp_ / "data/sidecar.key"});
    REQUIRE(log.status().ToString() == "OK");
    return *std::move(log);
  }
  std::string data_dir() const { return temp_ / "data"; }

 private:
  TempDir temp_;
};

void Write(RocksLog& log, std::optional<std::string> value) {
  REQUIRE(log.Append(After(log.head()), std::vector{SideWrite{"d1", std::move(value)}}).ok());
}

void AwaitPurged(const RocksLog& log) {
  while (log.has_erased()) std::this_thread::sleep_for(milliseconds(1));
}

}  // namespace

TEST_CASE("what is erased is purged, each time", "[engine]") {
  Site site;
  auto log = site.Open();
  Purger purger(*log, SystemClock(), milliseconds(0));
  for (int i = 0; i < 3; ++i) {
    Write(*log, "name");
    CHECK_FALSE(log->has_erased());
    Write(*log, std::nullopt);
    purger.NoteErased();
    AwaitPurged(*log);
  }
}

TEST_CASE("what a run did not come to purge, the next one does", "[engine]") {
  Site site;
  auto log = site.Open();
  {
    Purger purger(*log, SystemClock());
    Write(*log, "name");
    Write(*log, std::nullopt);
    purger.NoteErased();
  }  // Does not wait for the minute.
  CHECK(log->has_erased());
  log.reset();
  log = site.Open();
  Purger purger(*log, SystemClock(), milliseconds(0));
  AwaitPurged(*log);
}

TEST_CASE("an engine that deletes a device has something to purge", "[engine]") {
  Site site;
  auto ask = [](Engine& engine, Command command) {
    auto promise = std::make_shared<std::promise<Status>>();
    REQUIRE(engine
                .Submit(std::move(command),
                        [promise](const Outcome& outcome) { promise->set_value(outcome.status); })
                .ok());
    REQUIRE(promise->get_future().get().ToString() == "OK");
  };
  {
    auto engine = Engine::Open({.data_dir = site.data_dir()});
    REQUIRE(engine.status().ToString() == "OK");
    ask(**engine, CreateProduct{.name = "product", .product_key = "a1pk"});
    RegisterDevices devices{.product_key = "a1pk"};
    devices.devices.push_back({.name = "dev-1"});
    ask(**engine, devices);
    ask(**engine, DeleteDevice{{{}, "a1pk", "dev-1"}});
  }
  CHECK(site.Open()->has_erased());
}

}  // namespace updraft
