// A service of one's own with the engine in it: libupdraft and nothing else. Submits commands,
// takes the pushes, and would hand them to whatever transport it has.
#include <cstdio>
#include <future>

#include "engine/updraft.h"
#include "engine/view.h"

using namespace updraft;  // NOLINT: an example.

// Asks and waits for the answer. A service with more to do would pass a callback instead.
static Outcome Do(Engine& engine, Command command) {
  std::promise<Outcome> answer;
  Status status = engine.Submit(std::move(command), [&](const Outcome& o) { answer.set_value(o); });
  if (!status.ok()) return {status, {}};
  return answer.get_future().get();
}

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s DATA_DIR\n", argv[0]), 2;
  auto opened = Engine::Open({.data_dir = argv[1]});
  if (!opened.ok()) return std::fprintf(stderr, "%s\n", opened.status().ToString().c_str()), 1;
  Engine& engine = **opened;

  Do(engine, CreateProduct{.name = "thermostat", .product_key = "thermo01"});
  RegisterDevices devices{.product_key = "thermo01"};
  for (const char* name : {"kitchen", "bedroom"}) devices.devices.push_back({.name = name});
  Do(engine, devices);

  CreatePackage package{.product_key = "thermo01", .name = "winter", .target_version = "2.0"};
  package.needs_verification = false;
  package.file = "winter.bin";
  package.size_bytes = 4096;
  package.md5 = std::string(16, '\1');
  package.sha256 = std::string(32, '\2');
  Outcome made = Do(engine, package);
  if (!made.ok()) return std::fprintf(stderr, "%s\n", made.status.ToString().c_str()), 1;
  PackageId winter = std::get<CreatedPackage>(made.answer).package;
  Do(engine, CreateBatch{.product_key = "thermo01", .package = winter});

  // The kitchen's thermostat comes online and says what it runs, is told, upgrades, and says so.
  DeviceRef kitchen{{}, "thermo01", "kitchen"};
  Do(engine, ReportPresence{kitchen, /*online=*/true, /*broker_epoch=*/1, /*generation=*/1});
  Do(engine, ReportVersion{kitchen, "", "1.0"});
  Outcome taken = Do(engine, TakePushes{.max = 10});
  for (const Push& push : std::get<TakenPushes>(taken.answer).pushes) {
    std::printf("push %s to %s\n", push.notice.version.c_str(), push.notice.device_name.c_str());
    Do(engine, AcknowledgePushes{push.number});
  }
  Do(engine, ReportProgress{kitchen, "", 50, ""});
  Do(engine, ReportVersion{kitchen, "", "2.0"});

  std::promise<TaskCounts> counts;
  Status read = engine.Read([&](const World& world) -> Engine::Finish {
    return [&, c = *CountTasks(world, winter)](const Status&) { counts.set_value(c); };
  });
  if (!read.ok()) return 1;
  TaskCounts c = counts.get_future().get();
  for (int state = 0; state < 7; ++state) {
    if (c.by_state[state] == 0) continue;
    std::printf("%s %u\n", TaskStateWord(state).data(), c.by_state[state]);
  }
  return 0;
}
