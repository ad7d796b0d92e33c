// Devices that come and go.
#include "tests/spec/spec.h"

namespace updraft {

using std::chrono::milliseconds;

TEST_CASE("a device's name has 4 to 32 letters, digits and - _ @ . :", "[device]") {
  Fleet f;
  auto order = [](std::string name) {
    RegisterDevices order{.product_key = Fleet::kProductKey};
    order.devices.push_back({.name = std::move(name)});
    return order;
  };
  f.Ok(order("aB1-_@.:"));
  f.Ok(order(std::string(32, 'x')));
  f.Ok(order("four"));
  for (auto name : {"abc", "a b c", "名字名字", "a/b/c", "abc#", "abc+"}) {
    INFO(name);
    f.Refused(order(name), refusal::kDeviceNameMalformed);
  }
  f.Refused(order(std::string(33, 'x')), refusal::kDeviceNameMalformed);
  f.Refused(order("four"), refusal::kDeviceNameTaken);
}

TEST_CASE("1 to 1,000 devices register at a time, all or none", "[device]") {
  Fleet f(0);
  f.CheckSeldom();
  RegisterDevices order{.product_key = Fleet::kProductKey};
  f.Refused(order, refusal::kTooManyDevices);
  order.devices.resize(1'001);
  f.Refused(order, refusal::kTooManyDevices);
  order.devices.pop_back();
  order.devices[7].name = order.devices[9].name = "twice";
  f.Refused(order, refusal::kDeviceNameTaken);
  order.devices[9].name.clear();
  CreatedDevices created = std::get<CreatedDevices>(f.Ok(order).answer);
  CHECK(created.devices.size() == 1'000);
  CHECK_FALSE(created.devices[0].secret.empty());
  CHECK(f.world().devices().size() == 1'000);
  order.product_key = "nobody";
  f.Refused(order, refusal::kUnknownProduct);
}

TEST_CASE("a nickname has at most 64 characters, a secret 64 bytes", "[device]") {
  Fleet f;
  RegisterDevices order{.product_key = Fleet::kProductKey};
  order.devices.push_back({.name = "nick", .nickname = std::string(65, 'n')});
  f.Refused(order, refusal::kNicknameMalformed);
  order.devices[0].nickname.pop_back();
  order.devices[0].secret = std::string(65, 's');
  f.Refused(order, refusal::kSecretMalformed);
  order.devices[0].secret.pop_back();
  f.Ok(order);
}

TEST_CASE("edge case 38: a deleted device's upgrades are cancelled; its name begins anew",
          "[device]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  TaskId task = f.TaskOf(batch, "dev-1").task;
  DeviceId old = f.Id("dev-1");
  f.BringTo(batch, "dev-1", GENERATE("QUEUED", "NOTIFIED", "IN_PROGRESS"));
  f.Ok(DeleteDevice{f.Device("dev-1")});
  CHECK(TaskStateWord(ViewTask(f.world(), task)->state) == "CANCELED");
  CHECK(ViewTask(f.world(), task)->reason == "device deleted");
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
  f.Refused(DeleteDevice{f.Device("dev-1")}, refusal::kUnknownDevice);
  f.Refused(ReportVersion{{.id = old}, "", "1"}, refusal::kUnknownDevice);
  f.Register("dev-1");
  CHECK(f.Id("dev-1") != old);
  CHECK(f.StateOf(batch, "dev-1") == "none");
  CHECK(f.world().devices()[f.Id("dev-1")].activated == 0);
  f.CheckReplay();
}

TEST_CASE("a disabled device keeps its upgrade, which waits until it is enabled", "[device]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  f.Ok(DisableDevice{f.Device("dev-1")});
  CHECK(f.TaskOf(batch, "dev-1").pending == PendingReason::kOffline);
  CHECK(f.TakePushes().empty());
  size_t before = f.event_count();
  f.Ok(DisableDevice{f.Device("dev-1")});
  CHECK(f.event_count() == before);
  f.Ok(EnableDevice{f.Device("dev-1")});
  CHECK(f.Push().device_name == "dev-1");
  before = f.event_count();
  f.Ok(EnableDevice{f.Device("dev-1")});
  CHECK(f.event_count() == before);
}

TEST_CASE("edge case 39: a device taken over by a second connection is told twice at most",
          "[device]") {
  Fleet f;
  f.Settled("dev-1");
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  f.Push();
  f.Ok(ReportPresence{f.Device("dev-1"), true, 1, 50});
  f.Ok(ReportPresence{f.Device("dev-1"), false, 1, 49});  // The old connection's end comes late.
  CHECK(f.world().IsOnline(f.Id("dev-1")));
  f.Pass(milliseconds(kSettleMs));
  CHECK(f.Push().batch == batch);
  CHECK(f.TakePushes().empty());
  CHECK(f.StateOf(batch, "dev-1") == "NOTIFIED");
}

TEST_CASE("the same presence again makes no event", "[device]") {
  Fleet f;
  f.Ok(ReportPresence{f.Device("dev-1"), true, 1, 5});
  size_t before = f.event_count();
  f.Ok(ReportPresence{f.Device("dev-1"), true, 1, 5});
  f.Ok(ReportPresence{f.Device("dev-2"), false, 1, 5});
  CHECK(f.event_count() == before);
}

TEST_CASE("when the broker begins a new run everybody is offline until heard of", "[device]") {
  Fleet f;
  f.Settled("dev-1");
  f.Settled("dev-2");
  BatchId batch = f.StartBatch({.device_names = {"dev-1", "dev-2"}});
  f.Ok(BrokerStarted{2});
  size_t before = f.event_count();
  f.Ok(BrokerStarted{2});
  CHECK(f.event_count() == before);
  CHECK(f.TakePushes().empty());
  CHECK(f.TaskOf(batch, "dev-1").pending == PendingReason::kOffline);
  f.Ok(ReportPresence{f.Device("dev-1"), true, 1, 99});  // Word of the run that is over.
  CHECK_FALSE(f.world().IsOnline(f.Id("dev-1")));
  f.Ok(ReportPresence{f.Device("dev-1"), true, 2, 1});
  f.Pass(milliseconds(kSettleMs));
  CHECK(f.Push().device_name == "dev-1");
  // The first word of a run says that it began.
  f.Ok(ReportPresence{f.Device("dev-2"), true, 3, 1});
  CHECK_FALSE(f.world().IsOnline(f.Id("dev-1")));
  CHECK(f.world().IsOnline(f.Id("dev-2")));
}

TEST_CASE("where nothing tells of connections, who speaks is there", "[device]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  f.Ok(ReportVersion{f.Device("dev-1"), "", "1.0.0", true});
  CHECK(f.Push().batch == batch);
}

TEST_CASE("a product goes when it has no devices, and its packages and batches with it",
          "[device]") {
  Fleet f(1);
  BatchId batch = f.StartBatch({.dynamic = true, .source_versions = {"1.0.0"}});
  f.Refused(DeleteProduct{Fleet::kProductKey}, refusal::kProductNotEmpty);
  f.Ok(DeleteDevice{f.Device("dev-1")});
  f.Ok(DeleteProduct{Fleet::kProductKey});
  CHECK(f.StatusOf(batch) == BatchStatus::CANCELED);
  f.Refused(DeletePackage{f.package()}, refusal::kUnknownPackage);
  f.Refused(f.BatchOrder(), refusal::kUnknownProduct);
  f.Ok(CreateProduct{.name = "product", .product_key = Fleet::kProductKey});
  f.AddPackage("package", "2.0.0");
  f.CheckReplay();
}

TEST_CASE("a product's name has 4 to 30 characters, CJK counting two, and is its own", "[device]") {
  Fleet f;
  auto order = [](std::string name) {
    return CreateProduct{.name = std::move(name), .product_key = ""};
  };
  f.Ok(order("abcd"));
  f.Ok(order("产品"));
  f.Ok(order(std::string(30, 'p')));
  for (std::string name : {std::string("abc"), std::string("产"), std::string(31, 'p'),
                           std::string("a-b-c"), std::string("a b c")}) {
    INFO(name);
    f.Refused(order(name), refusal::kProductNameMalformed);
  }
  f.Refused(order("abcd"), refusal::kProductNameTaken);
  f.Refused(CreateProduct{.name = "another", .product_key = Fleet::kProductKey},
            refusal::kProductKeyTaken);
  f.Refused(UpdateProduct{.product_key = Fleet::kProductKey, .name = "abcd"},
            refusal::kProductNameTaken);
  f.Ok(UpdateProduct{.product_key = Fleet::kProductKey, .name = "renamed"});
  f.Ok(order("product"));
}

}  // namespace updraft
