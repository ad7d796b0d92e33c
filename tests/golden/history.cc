#include "tests/golden/history.h"

#include "events/log/side_keys.h"

namespace updraft {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr int64_t kMinuteMs = 60'000;

// Products, modules, keys and devices that come, change and go.
void LiveWithoutBatches(Fleet& f) {
  f.Ok(CreateKey{.formal = true, .note = "first", .access_key_id = "UDfirst"});
  f.Ok(CreateKey{.note = "guest", .access_key_id = "UDguest"});
  f.Ok(ChangeKey{.access_key_id = "UDguest", .formal = true});
  f.Ok(DeleteKey{.access_key_id = "UDguest"});

  f.Ok(CreateProduct{.name = "lamp", .product_key = "a1lamp"});
  f.Ok(UpdateProduct{.product_key = "a1lamp", .name = "lamps", .dynamic_registration = true});
  f.Ok(DeleteProduct{"a1lamp"});

  f.Ok(CreateModule{.product_key = Fleet::kProductKey, .name = "Radio", .alias = "radio"});
  f.Ok(UpdateModule{.product_key = Fleet::kProductKey, .name = "radio", .description = "2.4 GHz"});
  REQUIRE(f.Report("dev-1", "0.9", "radio").ok());
  REQUIRE(f.Report("dev-2", "7", "camera").ok());
  f.Ok(DeleteModule{Fleet::kProductKey, "Radio"});

  RegisterDevices named{.product_key = Fleet::kProductKey};
  named.devices.push_back({.name = "kitchen", .nickname = "the kitchen's"});
  named.devices.push_back({.name = "cellar"});
  f.Ok(named);
  f.Ok(DisableDevice{f.Device("cellar")});
  f.Ok(EnableDevice{f.Device("cellar")});

  CreatePackage order = f.PackageOrder("doomed", "1.9.0");
  order.udi = "{\"a\":1}";
  f.Ok(DeletePackage{std::get<CreatedPackage>(f.Ok(order).answer).package});
}

// A verification, a gray batch, and a batch whose devices fail, retry and are upgraded again.
void Upgrade(Fleet& f) {
  for (const char* name : {"dev-1", "dev-2", "dev-3", "dev-4"}) f.Settled(name);
  CreatePackage order = f.PackageOrder("verified", "3.0.0");
  order.needs_verification = true;
  PackageId package = std::get<CreatedPackage>(f.Ok(order).answer).package;
  f.StartBatch({.package = package, .verification = true, .device_names = {"dev-4"}});
  REQUIRE(f.Report("dev-4", "3.0.0").ok());

  BatchId batch = f.StartBatch({.source_versions = {"1.0.0"},
                                .timeout_minutes = 120,
                                .retry_minutes = 10,
                                .retry_count = 1,
                                .tags = {{"site", "north"}}});
  REQUIRE(f.TakePushes().size() == 3);
  f.Ok(AcknowledgePushes{PushNumber(2)});
  REQUIRE(f.Progress("dev-1", 10).ok());
  REQUIRE(f.Progress("dev-1", 60, "half way").ok());
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  REQUIRE(f.Progress("dev-2", -2, "no route").ok());
  REQUIRE(f.Progress("dev-2", -1, "still none").ok());
  f.Pass(minutes(10));
  REQUIRE(f.TakePushes().size() == 1);
  REQUIRE(f.Progress("dev-2", -4, "worn out").ok());
  f.Ok(ReupgradeTasks{batch, {f.TaskOf(batch, "dev-2").task}});
  f.Ok(CancelBatch{.batch = batch, .queued = true, .notified = true});
  f.Ok(ReupgradeTasks{batch, {f.TaskOf(batch, "dev-3").task}});
  REQUIRE(f.Pull("dev-3").has_value());
  REQUIRE(f.Progress("dev-3", 1).ok());
  f.Pass(hours(3));
  REQUIRE(f.StateOf(batch, "dev-3") == "FAILED");

  BatchId gray = f.StartBatch({.scope = Scope::kGray, .gray_thousandths = 50'000});
  f.Ok(CancelBatch{.batch = gray, .queued = true});
}

// Batches that wait, are edited, paused, confirmed, stopped and overridden.
void Operate(Fleet& f) {
  PackageId next = f.AddPackage("next", "4.0.0");
  f.StartBatch({.package = next,
                .device_names = {"dev-1", "dev-2"},
                .override_others = true,
                .start_ms = f.now_ms() + 10 * kMinuteMs,
                .end_ms = f.now_ms() + 120 * kMinuteMs});
  f.Pass(hours(3));

  BatchId dynamic = f.StartBatch({.package = next,
                                  .dynamic = true,
                                  .source_versions = {"1.0.0", "1.1.0"},
                                  .push_per_minute = 10,
                                  .need_confirm = true});
  f.Ok(EditBatch{.batch = dynamic, .push_per_minute = 20});
  f.Ok(PauseBatch{dynamic});
  REQUIRE(f.Report("kitchen", "1.1.0").ok());
  f.Ok(ConfirmTasks{{f.TaskOf(dynamic, "kitchen").task}});
  f.Ok(ResumeBatch{dynamic});
  f.Ok(StopBatch{dynamic});

  f.StartBatch({.package = next, .device_names = {"cellar"}});  // Of unknown version so far.
  f.Settled("cellar");
  REQUIRE(f.Report("cellar", "1.0.0").ok());
  f.Offline("dev-1");
  f.Ok(BrokerStarted{2});
  f.Ok(DeleteDevice{f.Device("dev-2")});
}

// What schema 2 brought: creating calls with tokens, applications, and a fleet that moves over.
void MoveOver(Fleet& f) {
  RegisterDevices moved{.product_key = std::string(Fleet::kProductKey),
                        .devices = {{.name = "moved-1"}, {.name = "moved-2", .disabled = true}},
                        .application = 77};
  Origin origin(KeyId(), {Fingerprint::Of("call"), Fingerprint::Of("order")});
  REQUIRE(f.When(moved, origin).ok());
  REQUIRE(f.When(moved, origin).repeat);
  f.Ok(ImportVersions{std::string(Fleet::kProductKey),
                      {{"moved-1", "", "0.9.0"}, {"moved-2", "mcu", "7"}}});
}

}  // namespace

void LiveThroughEverything(Fleet& f) {
  LiveWithoutBatches(f);
  Upgrade(f);
  f.RecordDigest();
  Operate(f);
  MoveOver(f);
  f.Restart();
  f.core().HoldClock();
  f.Ok(ConfirmClock{});
  f.RecordDigest();
}

void AppendFormerKinds(EventLog& log) {
  World world;
  REQUIRE(log.Read(Seq(1), [&](const CommitReader& commit) { return Fold(world, commit); }).ok());
  const LogHead head = log.head();
  CommitWriter writer;
  Turn turn(world, writer, Seq(head.last.value() + 1), head.time_ms);
  turn.Emit([&](auto event) {
    const std::string commitment(16, 'c');
    auto updated = event.initDeviceUpdated();
    updated.setDevice(1);
    updated.setCommitment(
        kj::arrayPtr(reinterpret_cast<const kj::byte*>(commitment.data()), commitment.size()));
  });
  const Digest digest = world.digest();
  turn.Emit([&](auto event) {
    auto recorded = event.initDigestRecorded();
    recorded.setVersion(kDigestVersion);
    recorded.setHigh(digest.high());
    recorded.setLow(digest.low());
  });
  REQUIRE(log.Append(writer.Seal({.first = Seq(head.last.value() + 1),
                                  .time_ms = head.time_ms,
                                  .epoch = head.epoch,
                                  .engine_number = head.engine_number,
                                  .previous_hash = head.hash}),
                     {})
              .ok());
}

void CopyLog(const EventLog& from, EventLog& to) {
  std::vector<SideWrite> side;
  REQUIRE(from.ScanSide("",
                        [&](std::string_view key, std::string_view value) {
                          side.push_back({std::string(key), std::string(value)});
                          return OkStatus();
                        })
              .ok());
  REQUIRE(from.Read(Seq(1),
                    [&](const CommitReader& commit) {
                      const SealedCommit sealed{.header = commit.header(),
                                                .event_count = commit.event_count(),
                                                .bytes = std::string(commit.bytes()),
                                                .hash = commit.hash()};
                      Status appended = to.Append(sealed, side);
                      side.clear();
                      return appended;
                    })
              .ok());
}

}  // namespace updraft
