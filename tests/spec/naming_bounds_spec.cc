// Names that devices and operators bring: how many there may be.
#include "tests/spec/spec.h"

namespace updraft {
namespace {

std::string RunningVersion(const Fleet& f, std::string_view name) {
  const World& w = f.world();
  ModuleId module = w.FindModule(w.FindProduct(Fleet::kProductKey), "default");
  return w.versions()[w.VersionOf(f.Id(name), module)].text;
}

}  // namespace

TEST_CASE("a device brings 20 new strings a day; further versions are (other)", "[naming]") {
  Fleet f(2);
  for (int i = 1; i <= 19; ++i) REQUIRE(f.Report("dev-1", "v" + std::to_string(i)).ok());
  // dev-1's 1.0.0 was the first.
  CHECK(RunningVersion(f, "dev-1") == "v19");
  REQUIRE(f.Report("dev-1", "v20").ok());
  CHECK(RunningVersion(f, "dev-1") == "(other)");
  size_t before = f.event_count();
  REQUIRE(f.Report("dev-1", "v21").ok());
  CHECK(f.event_count() == before);
  // What is known is known, and other devices bring their own.
  REQUIRE(f.Report("dev-1", "v3").ok());
  CHECK(RunningVersion(f, "dev-1") == "v3");
  REQUIRE(f.Report("dev-2", "v20").ok());
  CHECK(RunningVersion(f, "dev-2") == "v20");
  f.Pass(std::chrono::days(1));
  REQUIRE(f.Report("dev-1", "v22").ok());
  CHECK(RunningVersion(f, "dev-1") == "v22");
}

TEST_CASE("a target version is known, however many versions a device has made up", "[naming]") {
  Fleet f(1);
  for (int i = 1; i <= 30; ++i) REQUIRE(f.Report("dev-1", "v" + std::to_string(i)).ok());
  BatchId batch = f.StartBatch();
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "SUCCEEDED");
}

TEST_CASE("a product has 10,000 versions from reports; further ones are (other)", "[naming]") {
  Fleet f(0);
  f.CheckSeldom();
  f.RegisterMany(1, 501);
  std::vector<Command> reports;
  int named = 1;  // The package's target.
  for (int i = 1; i <= 500 && named < 10'000; ++i) {
    for (int j = 1; j <= 20 && named < 10'000; ++j, ++named) {
      reports.push_back(
          ReportVersion{f.Device("dev-" + std::to_string(i)), "", fmt::format("{}.{}", i, j)});
    }
    if (i % 50 == 0) f.InOneTurn(std::exchange(reports, {}));
  }
  if (!reports.empty()) f.InOneTurn(reports);
  CHECK(f.world().versions().size() == 10'000);
  REQUIRE(f.Report("dev-501", "one-more").ok());
  CHECK(RunningVersion(f, "dev-501") == "(other)");
  f.AddPackage("later", "3.0.0");  // An operator's version is named in any case.
  REQUIRE(f.Report("dev-501", "3.0.0").ok());
  CHECK(RunningVersion(f, "dev-501") == "3.0.0");
}

TEST_CASE("a device reports on at most 32 modules", "[naming]") {
  Fleet f(2);
  for (int i = 2; i <= 32; ++i) {
    REQUIRE(f.Report("dev-1", "1.0.0", "m" + std::to_string(i)).ok());
  }
  f.Refused(ReportVersion{f.Device("dev-1"), "m33", "1.0.0"}, refusal::kTooManyModulesOnDevice);
  REQUIRE(f.Report("dev-1", "1.0.1", "m32").ok());
  REQUIRE(f.Report("dev-2", "1.0.0", "m33").ok());
}

TEST_CASE("a product has 10 modules beside the default one", "[naming]") {
  Fleet f;
  auto create = [](std::string name) {
    return CreateModule{.product_key = Fleet::kProductKey, .name = std::move(name)};
  };
  for (int i = 1; i <= 10; ++i) f.Ok(create("m" + std::to_string(i)));
  f.Refused(create("m11"), refusal::kTooManyModules);
  f.Ok(DeleteModule{Fleet::kProductKey, "m3"});
  f.Ok(create("m11"));
}

TEST_CASE("a module's name has 1 to 64 letters, digits, points, underscores, hyphens", "[naming]") {
  Fleet f;
  auto create = [](std::string name) {
    return CreateModule{.product_key = Fleet::kProductKey, .name = std::move(name)};
  };
  f.Ok(create(std::string(64, 'm')));
  f.Refused(create(std::string(65, 'm')), refusal::kModuleNameMalformed);
  f.Refused(create(""), refusal::kModuleNameMalformed);
  f.Refused(create("a b"), refusal::kModuleNameMalformed);
  f.Refused(create("default"), refusal::kModuleNameReserved);
  f.Refused(create("Default"), refusal::kModuleNameReserved);
  for (auto word : {"size", "url", "version", "sign", "signMethod", "module", "md5"}) {
    INFO(word);
    f.Refused(create(word), refusal::kModuleNameReserved);
  }
}

TEST_CASE("a module goes when it has no packages; the default one stays", "[naming]") {
  Fleet f;
  f.Ok(CreateModule{.product_key = Fleet::kProductKey, .name = "mcu"});
  CreatePackage order = f.PackageOrder("mcu-package", "7");
  order.module = "mcu";
  PackageId package = std::get<CreatedPackage>(f.Ok(order).answer).package;
  f.Refused(DeleteModule{Fleet::kProductKey, "mcu"}, refusal::kModuleHasPackages);
  f.Ok(DeletePackage{package});
  f.Ok(DeleteModule{Fleet::kProductKey, "mcu"});
  f.Refused(DeleteModule{Fleet::kProductKey, "mcu"}, refusal::kUnknownModule);
  f.Refused(DeleteModule{Fleet::kProductKey, "default"}, refusal::kDefaultModuleStays);
}

TEST_CASE("a module's alias and description are changed, the same again is no event", "[naming]") {
  Fleet f;
  f.Ok(CreateModule{.product_key = Fleet::kProductKey, .name = "mcu", .alias = "a"});
  UpdateModule update{.product_key = Fleet::kProductKey, .name = "mcu", .alias = "b"};
  f.Ok(update);
  size_t before = f.event_count();
  f.Ok(update);
  CHECK(f.event_count() == before);
  update.alias = std::string(65, 'a');
  f.Refused(update, refusal::kDescriptionTooLong);
}

}  // namespace updraft
