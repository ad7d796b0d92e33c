// A fleet that moves over: what its devices ran is known before they report.
#include "tests/spec/spec.h"

namespace updraft {
namespace {

ImportVersions Versions(std::vector<ImportVersions::Entry> entries) {
  return {std::string(Fleet::kProductKey), std::move(entries)};
}

std::vector<TargetProblem> Problems(const Outcome& outcome) {
  return std::get<TargetProblems>(outcome.answer).problems;
}

std::string VersionOf(const Fleet& f, std::string_view name, std::string_view module) {
  DeviceId device = f.Id(name);
  ModuleId id = f.world().FindModule(f.world().devices()[device].product, module);
  VersionId version = id ? f.world().VersionOf(device, id) : VersionId();
  return version ? f.world().versions()[version].text : std::string();
}

}  // namespace

TEST_CASE("a batch by source version reaches a device whose version was imported", "[import]") {
  Fleet f(1);
  f.Register("moved-1");
  Outcome outcome = f.Ok(Versions({{"moved-1", "", "0.9"}, {"moved-1", "mcu", "7"}}));
  CHECK(Problems(outcome).empty());
  CHECK(VersionOf(f, "moved-1", "default") == "0.9");
  CHECK(VersionOf(f, "moved-1", "mcu") == "7");
  // It was never here: only its own coming makes it active.
  CHECK(f.world().devices()[f.Id("moved-1")].activated == 0);
  BatchId batch = f.StartBatch({.source_versions = {"0.9"}});
  CHECK(f.Counts(batch) == "QUEUED 1");
  f.CheckReplay();
}

TEST_CASE("what is known already is nothing new, and is never overwritten", "[import]") {
  Fleet f(2);
  f.Ok(Versions({{"dev-1", "", "1.0.0"}}));
  CHECK(f.Then().empty());
  Outcome outcome =
      f.Ok(Versions({{"dev-1", "", "9"}, {"dev-2", "mcu", "7"}, {"nobody", "", "1"}}));
  std::vector<TargetProblem> problems = Problems(outcome);
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].index == 0);
  CHECK(problems[0].reason == "it is known to run '1.0.0', not '9'");
  CHECK(problems[1].index == 2);
  CHECK(problems[1].name == "nobody");
  CHECK(VersionOf(f, "dev-1", "default") == "1.0.0");
  CHECK(VersionOf(f, "dev-2", "mcu") == "7");
}

TEST_CASE("two versions of one module of a device are one too many", "[import]") {
  Fleet f(1);
  f.Register("moved-1");
  Outcome outcome =
      f.Ok(Versions({{"moved-1", "", "1"}, {"moved-1", "", "2"}, {"moved-1", "", "1"}}));
  REQUIRE(Problems(outcome).size() == 1);
  CHECK(Problems(outcome)[0].index == 1);
  CHECK(VersionOf(f, "moved-1", "default") == "1");
}

TEST_CASE("an imported version counts as a report for dynamic batches", "[import]") {
  Fleet f(1);
  BatchId batch = f.StartBatch({.dynamic = true, .source_versions = {"1.0.0"}});
  f.Register("moved-1");
  f.Ok(Versions({{"moved-1", "", "1.0.0"}}));
  CHECK(f.StateOf(batch, "moved-1") == "QUEUED");
}

TEST_CASE("a malformed version is told by its index; 1 to 1,000 come at a time", "[import]") {
  Fleet f(1);
  f.Register("moved-1");
  Outcome outcome = f.Ok(Versions({{"moved-1", "", ""}, {"moved-1", "", std::string(65, 'x')}}));
  CHECK(Problems(outcome).size() == 2);
  f.Refused(Versions({}), refusal::kTooManyDevices);
  f.Refused(Versions(std::vector<ImportVersions::Entry>(1'001)), refusal::kTooManyDevices);
  CHECK(f.When(Versions(std::vector<ImportVersions::Entry>(1'000))).ok());
  f.Refused(ImportVersions{"nobody", {{"moved-1", "", "1"}}}, refusal::kUnknownProduct);
}

TEST_CASE("a device may come disabled, and a product with dynamic registration", "[import]") {
  Fleet f(1);
  f.Ok(RegisterDevices{.product_key = std::string(Fleet::kProductKey),
                       .devices = {{.name = "left", .disabled = true}, {.name = "right"}}});
  CHECK(f.world().devices()[f.Id("left")].disabled);
  CHECK_FALSE(f.world().devices()[f.Id("right")].disabled);
  f.Ok(CreateProduct{.name = "another", .product_key = "a1other", .dynamic_registration = true});
  CHECK(f.world().products()[f.world().FindProduct("a1other")].dynamic_registration);
}

TEST_CASE("what is imported is bounded as what is reported", "[import]") {
  Fleet f(1);
  f.Register("moved-1");
  Outcome outcome = f.Ok(Versions({{"moved-1", std::string(65, 'm'), "1"},
                                   {"moved-1", std::string(900'000, 'm'), "1"},
                                   {"moved-1", std::string(64, 'm'), "1"}}));
  REQUIRE(Problems(outcome).size() == 2);
  CHECK(Problems(outcome)[1].index == 1);
  std::vector<ImportVersions::Entry> many;
  for (int i = 0; i < 40; ++i) many.push_back({"moved-1", fmt::format("mod{}", i), "1"});
  std::vector<TargetProblem> problems = Problems(f.Ok(Versions(many)));
  REQUIRE(problems.size() == 40 - (kModulesPerDeviceMax - 1));
  CHECK(problems[0].reason == "a device has at most 32 modules");
}

}  // namespace updraft
