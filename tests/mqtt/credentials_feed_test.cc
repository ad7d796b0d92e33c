#include "adapters/mqtt/credentials_feed.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "adapters/wire/credential_reader.h"
#include "tests/log/temp_dir.h"
#include "tests/mqtt/engine_bench.h"

namespace updraft {
namespace {

struct Bench {
  Bench() : engine(Options()) {}

  EngineOptions Options() {
    EngineOptions options;
    options.on_commit = [this](Seq, uint32_t, size_t, int64_t) {
      std::lock_guard lock(mutex);
      if (feed) feed->OnCommit();
    };
    return options;
  }

  void Start(uint64_t delta_records_max = 1'000) {
    auto started = CredentialsFeed::Start({dir.path(), delta_records_max}, engine.engine());
    REQUIRE(started.ok());
    std::lock_guard lock(mutex);
    feed = *std::move(started);
    feed->OnCommit();
  }
  void Stop() {
    std::unique_ptr<CredentialsFeed> stopped;
    {
      std::lock_guard lock(mutex);
      stopped = std::move(feed);
    }
    stopped.reset();
  }
  // Waits until all that is in the log is in the files.
  void InStep() {
    Await([&] {
      return feed->Stats().generation > 0 &&
             feed->Stats().followed >= engine.log().head().last.value();
    });
  }

  // What the gate would find: the state and the secret.
  std::string Find(const std::string& name) {
    InStep();
    CredentialReader reader(dir.path());
    while (reader.CatchUp(4'096, [](const CredentialRecord&) {}).more) {
    }
    CHECK(reader.damaged_records() == 0);
    auto record = reader.Find(MakeCredentialKey(EngineBench::kProductKey, name));
    if (!record) return "none";
    switch (record->state) {
      case CredentialState::kEnabled:
        return "enabled " + record->secret;
      case CredentialState::kDisabled:
        return "disabled " + record->secret;
      case CredentialState::kDeleted:
        return "deleted " + record->secret;
    }
    return "?";
  }

  TempDir dir;
  std::mutex mutex;
  std::unique_ptr<CredentialsFeed> feed;  // Guarded by the mutex against on_commit.
  EngineBench engine;
};

TEST_CASE("a first base holds the products and devices that are there", "[credentials]") {
  Bench b;
  b.engine.MakeProduct();
  b.engine.Register({"dev-a", "dev-b", "dev-c"});
  REQUIRE(b.engine.Do(DisableDevice{b.engine.Device("dev-b")}).ok());
  REQUIRE(b.engine.Do(DeleteDevice{b.engine.Device("dev-c")}).ok());
  b.Start();
  CHECK(b.Find("") == "enabled ");
  CHECK(b.Find("dev-a") == "enabled secret-dev-a");
  CHECK(b.Find("dev-b") == "disabled secret-dev-b");
  CHECK(b.Find("dev-c") == "none");
  CHECK(b.feed->Stats().generation == 1);
  CHECK(b.feed->Stats().delta_records == 0);
  b.Stop();
}

TEST_CASE("devices beyond a page are in the base", "[credentials]") {
  Bench b;
  b.engine.MakeProduct();
  std::vector<std::string> names;
  for (int i = 0; i < 5'000; ++i) {
    names.push_back("dev-" + std::to_string(i));
    if (names.size() == 1'000) {
      b.engine.Register(names);
      names.clear();
    }
  }
  b.Start();
  for (const char* name :
       {"dev-0", "dev-254", "dev-255", "dev-4094", "dev-4095", "dev-4096", "dev-4999"}) {
    CHECK(b.Find(name) == std::string("enabled secret-") + name);
  }
  b.Stop();
}

TEST_CASE("each change follows", "[credentials]") {
  Bench b;
  b.Start();
  b.InStep();
  b.engine.MakeProduct();
  CHECK(b.Find("") == "enabled ");
  b.engine.Register({"dev-a", "dev-b"});
  CHECK(b.Find("dev-b") == "enabled secret-dev-b");
  REQUIRE(b.engine.Do(DisableDevice{b.engine.Device("dev-a")}).ok());
  CHECK(b.Find("dev-a") == "disabled secret-dev-a");
  REQUIRE(b.engine.Do(EnableDevice{b.engine.Device("dev-a")}).ok());
  CHECK(b.Find("dev-a") == "enabled secret-dev-a");
  REQUIRE(b.engine.Do(DeleteDevice{b.engine.Device("dev-a")}).ok());
  CHECK(b.Find("dev-a") == "deleted ");
  REQUIRE(b.engine.Do(DeleteDevice{b.engine.Device("dev-b")}).ok());
  REQUIRE(b.engine.Do(DeleteProduct{EngineBench::kProductKey}).ok());
  CHECK(b.Find("") == "deleted ");
  CHECK(b.feed->Stats().generation == 1);
  b.Stop();
}

TEST_CASE("a device of the name of one that was deleted may connect", "[credentials]") {
  Bench b;
  b.engine.MakeProduct();
  b.engine.Register({"dev-a"});
  b.Start();
  b.InStep();
  REQUIRE(b.engine.Do(DeleteDevice{b.engine.Device("dev-a")}).ok());
  b.engine.Register({"dev-a"});
  CHECK(b.Find("dev-a") == "enabled secret-dev-a");
  b.Stop();
}

TEST_CASE("a restart goes on where the files end", "[credentials]") {
  Bench b;
  b.engine.MakeProduct();
  b.engine.Register({"dev-a", "dev-b"});
  b.Start();
  b.InStep();
  b.Stop();
  // Deleted while nobody follows; the name is gone, the record must go too.
  REQUIRE(b.engine.Do(DeleteDevice{b.engine.Device("dev-a")}).ok());
  b.engine.Register({"dev-c"});
  b.Start();
  CHECK(b.Find("dev-a") == "deleted ");
  CHECK(b.Find("dev-b") == "enabled secret-dev-b");
  CHECK(b.Find("dev-c") == "enabled secret-dev-c");
  CHECK(b.feed->Stats().generation == 1);
  b.Stop();
}

TEST_CASE("files that cannot be continued are written anew", "[credentials]") {
  Bench b;
  b.engine.MakeProduct();
  b.engine.Register({"dev-a"});
  b.Start();
  b.InStep();
  b.Stop();
  SECTION("a torn delta") {
    std::ofstream(b.dir / "delta-1", std::ios::app | std::ios::binary) << "torn";
  }
  SECTION("no base") { std::filesystem::remove(b.dir / "base-1"); }
  SECTION("no keys of devices") { std::filesystem::remove(b.dir / "device-keys"); }
  b.Start();
  CHECK(b.Find("dev-a") == "enabled secret-dev-a");
  CHECK(b.feed->Stats().generation == 2);
  b.Stop();
}

TEST_CASE("files of a longer log than this are written anew", "[credentials]") {
  TempDir dir;
  {
    Bench longer;
    longer.engine.MakeProduct();
    longer.engine.Register({"dev-a", "dev-b", "dev-c"});
    longer.Start();
    longer.InStep();
    longer.Stop();
    std::filesystem::copy(longer.dir.path(), dir.path(), std::filesystem::copy_options::recursive);
  }
  Bench b;
  std::filesystem::copy(dir.path(), b.dir.path());
  b.engine.MakeProduct();
  b.Start();
  CHECK(b.Find("dev-a") == "none");
  CHECK(b.feed->Stats().generation == 2);
  b.Stop();
}

TEST_CASE("a delta that grew long becomes a new base, and changes go on", "[credentials]") {
  Bench b;
  b.engine.MakeProduct();
  b.Start(/*delta_records_max=*/3);
  b.InStep();
  b.engine.Register({"dev-a", "dev-b", "dev-c"});
  CHECK(b.Find("dev-c") == "enabled secret-dev-c");
  CHECK(b.feed->Stats().generation == 1);
  b.engine.Register({"dev-d"});
  Await([&] { return b.feed->Stats().generation == 2; });
  CHECK(b.Find("dev-a") == "enabled secret-dev-a");
  CHECK(b.Find("dev-d") == "enabled secret-dev-d");
  CHECK(b.feed->Stats().delta_records == 0);
  b.engine.Register({"dev-e"});
  CHECK(b.Find("dev-e") == "enabled secret-dev-e");
  CHECK(b.feed->Stats().delta_records == 1);
  b.Stop();
}

TEST_CASE("a directory that cannot be made is told at the start", "[credentials]") {
  Bench b;
  std::ofstream(b.dir / "file") << "x";
  auto started = CredentialsFeed::Start({b.dir / "file/credentials"}, b.engine.engine());
  CHECK(started.status().code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("a feed ends with its engine", "[credentials]") {
  Bench b;
  b.Start();
  b.InStep();
  b.engine.engine().Stop();
  b.feed->OnCommit();
  b.Stop();
}

}  // namespace
}  // namespace updraft
