// What a version report means, in each state.
#include "tests/spec/spec.h"

namespace updraft {

TEST_CASE("edge case 16: the default module may be named or left out", "[version]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1", "dev-2"}});
  REQUIRE(f.Report("dev-1", "2.0.0", "default").ok());
  REQUIRE(f.Report("dev-2", "2.0.0", "DEFAULT").ok());
  CHECK(f.Counts(batch) == "SUCCEEDED 2");
}

TEST_CASE("edge case 17: module names that differ by case are one, spelt as registered",
          "[version]") {
  Fleet f;
  REQUIRE(f.Report("dev-1", "0.1", "mcu").ok());
  f.Ok(CreateModule{.product_key = Fleet::kProductKey, .name = "MCU"});
  f.Refused(CreateModule{.product_key = Fleet::kProductKey, .name = "Mcu"},
            refusal::kModuleNameTaken);
  CreatePackage order = f.PackageOrder("mcu-package", "7");
  order.module = "mCu";
  PackageId package = std::get<CreatedPackage>(f.Ok(order).answer).package;
  BatchId batch = f.StartBatch({.package = package, .device_names = {"dev-1"}});
  CHECK(f.TaskOf(batch, "dev-1").source_version == "0.1");
  CHECK(f.Pull("dev-1", "mcu")->module == "MCU");
}

TEST_CASE("edge case 18: a report of a module that nobody created is stored, no more",
          "[version]") {
  Fleet f;
  REQUIRE(f.Report("dev-1", "0.1", "radio").ok());
  ModuleId module = f.world().FindModule(f.world().FindProduct(Fleet::kProductKey), "radio");
  REQUIRE(module);
  CHECK_FALSE(f.world().modules()[module].registered);
  VersionId version = f.world().VersionOf(f.Id("dev-1"), module);
  CHECK(f.world().versions()[version].text == "0.1");
  CreatePackage order = f.PackageOrder("radio-package", "1");
  order.module = "radio";
  f.Refused(order, refusal::kUnknownModule);
}

TEST_CASE("edge case 41: the target twice is once", "[version]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  size_t before = f.event_count();
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.event_count() == before);
  CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
}

TEST_CASE("edge case 45: a diff whose device runs another version now is not pushed, it fails",
          "[version]") {
  Fleet f;
  PackageId diff = f.AddDiff("diff", "1.0.0", "2.0.0");
  BatchId batch = f.StartBatch(
      {.package = diff, .source_versions = {"1.0.0"}, .retry_minutes = 0, .retry_count = 5});
  f.Settled("dev-1");
  SECTION("before the first push") {
    REQUIRE(f.Report("dev-1", "1.5.0").ok());
    CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
    CHECK(f.TakePushes().empty());
  }
  SECTION("before a pull") {
    REQUIRE(f.Report("dev-1", "1.5.0").ok());
    CHECK_FALSE(f.Pull("dev-1").has_value());
  }
  SECTION("before a repeated push") {
    f.Push();
    REQUIRE(f.Report("dev-1", "1.5.0").ok());
    CHECK(f.StateOf(batch, "dev-1") == "NOTIFIED");
    f.Settled("dev-1");
    CHECK(f.TakePushes().empty());
  }
  SECTION("before a retry") {
    f.Push();
    REQUIRE(f.Progress("dev-1", 10).ok());
    REQUIRE(f.Report("dev-1", "1.5.0").ok());
    CHECK(f.StateOf(batch, "dev-1") == "IN_PROGRESS");
    CHECK(f.TakePushes().empty());
  }
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(f.TaskOf(batch, "dev-1").reason == "source version mismatch");
}

TEST_CASE("a full package goes to a device whatever it runs now", "[version]") {
  Fleet f;
  BatchId batch = f.StartBatch({.source_versions = {"1.0.0"}});
  f.Settled("dev-1");
  REQUIRE(f.Report("dev-1", "1.5.0").ok());
  CHECK(f.Push().batch == batch);
}

TEST_CASE("the first report of a device of unknown version says its source", "[version]") {
  Fleet f(1);
  f.Register("unheard");
  BatchId batch = f.StartBatch({.device_names = {"unheard"}});
  f.BringTo(batch, "unheard", "IN_PROGRESS");
  REQUIRE(f.Report("unheard", "0.8").ok());
  CHECK(f.StateOf(batch, "unheard") == "IN_PROGRESS");
  CHECK(f.TaskOf(batch, "unheard").source_version == "0.8");
  REQUIRE(f.Report("unheard", "0.9").ok());
  CHECK(f.StateOf(batch, "unheard") == "FAILED");
}

TEST_CASE("the same report again makes no event", "[version]") {
  Fleet f;
  size_t before = f.event_count();
  REQUIRE(f.Report("dev-1", "1.0.0").ok());
  CHECK(f.event_count() == before);
}

TEST_CASE("a reported version has 1 to 64 bytes of UTF-8", "[version]") {
  Fleet f;
  auto report = [&](std::string version) { return ReportVersion{f.Device("dev-1"), "", version}; };
  f.Ok(report(std::string(64, 'v')));
  f.Ok(report("固件 1/0"));  // Whatever a device calls its own.
  f.Refused(report(std::string(65, 'v')), refusal::kVersionMalformed);
  f.Refused(report(""), refusal::kVersionMalformed);
  f.Refused(report("\xc3\x28"), refusal::kVersionMalformed);
  f.Refused(ReportVersion{f.Device("nobody"), "", "1"}, refusal::kUnknownDevice);
}

TEST_CASE("versions in use are counted by module", "[version]") {
  Fleet f(3);
  REQUIRE(f.Report("dev-1", "1.5.0").ok());
  const World& w = f.world();
  ProductId product = w.FindProduct(Fleet::kProductKey);
  const ModuleIndex& index = w.IndexOf(w.FindModule(product, "default"));
  CHECK(index.in_use.at(w.FindVersion(product, "1.0.0")) == 2);
  CHECK(index.in_use.at(w.FindVersion(product, "1.5.0")) == 1);
  f.Ok(DeleteDevice{f.Device("dev-1")});
  CHECK(index.in_use.count(w.FindVersion(product, "1.5.0")) == 0);
  CHECK(index.devices == 2);
}

}  // namespace updraft
