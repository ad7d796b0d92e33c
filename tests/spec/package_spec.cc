// Packages: what can be made of a file, and when one can go.
#include "tests/spec/spec.h"

namespace updraft {
namespace {

CreatePackage Order(const Fleet& f, std::string name = "other", std::string version = "3.0.0") {
  return f.PackageOrder(std::move(name), std::move(version));
}

std::string Repeat(std::string_view what, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += what;
  return text;
}

}  // namespace

TEST_CASE("a package's name has 1 to 40 characters, a CJK one counting as one", "[package]") {
  Fleet f;
  f.Ok(Order(f, Repeat("包", 40), "v1"));
  f.Refused(Order(f, Repeat("包", 41), "v2"), refusal::kPackageNameMalformed);
  f.Refused(Order(f, "", "v2"), refusal::kPackageNameMalformed);
  f.Ok(Order(f, "a", "v3"));
}

TEST_CASE("a package's name holds CJK, letters, digits and - _ ( ), and begins with no mark",
          "[package]") {
  Fleet f;
  f.Ok(Order(f, "固件a-1_(x)", "v1"));
  for (auto name : {"-a", "_a", "(a", "a b", "a.b", "a/b", "a\n", "\xff"}) {
    INFO(name);
    f.Refused(Order(f, name, "v2"), refusal::kPackageNameMalformed);
  }
}

TEST_CASE("two packages have different names, also across products", "[package]") {
  Fleet f;
  f.Refused(Order(f, "package", "9"), refusal::kPackageNameTaken);
  f.Ok(CreateProduct{.name = "second", .product_key = "a1two"});
  CreatePackage order = Order(f, "package", "9");
  order.product_key = "a1two";
  f.Refused(order, refusal::kPackageNameTaken);
}

TEST_CASE("a package's version has 1 to 64 letters, digits, points, underscores, hyphens",
          "[package]") {
  Fleet f;
  f.Ok(Order(f, "p1", Repeat("v", 64)));
  f.Refused(Order(f, "p2", Repeat("v", 65)), refusal::kPackageVersionMalformed);
  for (auto version : {"", "1 0", "1/0", "版本", "(other)"}) {
    INFO(version);
    f.Refused(Order(f, "p2", version), refusal::kPackageVersionMalformed);
  }
}

TEST_CASE("no version is a word that fielded devices take for a field of the notice", "[package]") {
  Fleet f;
  for (auto version :
       {"url", "size", "sign", "signMethod", "md5", "module", "version", "extData"}) {
    INFO(version);
    f.Refused(Order(f, "p", version), refusal::kPackageVersionMalformed);
  }
  f.Ok(Order(f, "p", "urls"));
}

TEST_CASE("one version of a module has one full package, and one diff from each version",
          "[package]") {
  Fleet f;
  f.Refused(Order(f, "again", "2.0.0"), refusal::kPackageVersionTaken);
  f.AddDiff("diff", "1.0.0", "2.0.0");
  CreatePackage again = Order(f, "diff2", "2.0.0");
  again.diff = true;
  again.source_version = "1.0.0";
  f.Refused(again, refusal::kPackageVersionTaken);
  again.source_version = "1.1.0";
  f.Ok(again);
}

TEST_CASE("the same version of another module is another package", "[package]") {
  Fleet f;
  f.Ok(CreateModule{.product_key = Fleet::kProductKey, .name = "mcu"});
  CreatePackage order = Order(f, "mcu-package", "2.0.0");
  order.module = "mcu";
  f.Ok(order);
}

TEST_CASE("a diff package needs a source version other than its target", "[package]") {
  Fleet f;
  CreatePackage order = Order(f);
  order.diff = true;
  f.Refused(order, refusal::kSourceVersionMissing);
  order.source_version = "a b";
  f.Refused(order, refusal::kSourceVersionMalformed);
  order.source_version = order.target_version;
  f.Refused(order, refusal::kSourceIsTarget);
  order.source_version = "1.0.0";
  f.Ok(order);
}

TEST_CASE("a description has at most 100 characters, the udi 4,096", "[package]") {
  Fleet f;
  CreatePackage order = Order(f, "p1", "v1");
  order.description = Repeat("字", 101);
  f.Refused(order, refusal::kDescriptionTooLong);
  order.description = Repeat("字", 100);
  order.udi = Repeat("u", 4'097);
  f.Refused(order, refusal::kUdiTooLong);
  order.udi = Repeat("u", 4'096);
  f.Ok(order);
}

TEST_CASE("braces in the udi come in pairs", "[package]") {
  Fleet f;
  CreatePackage order = Order(f);
  for (auto udi : {"{", "}", "}{", "{{}", "{\"a\":\"}\"}"}) {
    INFO(udi);
    order.udi = udi;
    f.Refused(order, refusal::kUdiMalformed);
  }
  order.udi = R"({"a":{"b":1}})";
  f.Ok(order);
}

TEST_CASE("a package needs its file", "[package]") {
  Fleet f;
  CreatePackage order = Order(f);
  order.size_bytes = 0;
  f.Refused(order, refusal::kPackageFileInvalid);
  order = Order(f);
  order.file.clear();
  f.Refused(order, refusal::kPackageFileInvalid);
  order = Order(f);
  order.md5.pop_back();
  f.Refused(order, refusal::kPackageFileInvalid);
  order = Order(f);
  order.sha256.pop_back();
  f.Refused(order, refusal::kPackageFileInvalid);
}

TEST_CASE("a package is of a product and a module that an operator made known", "[package]") {
  Fleet f;
  CreatePackage order = Order(f);
  order.product_key = "nobody";
  f.Refused(order, refusal::kUnknownProduct);
  order = Order(f);
  order.module = "mcu";
  f.Refused(order, refusal::kUnknownModule);
  REQUIRE(f.Report("dev-1", "0.1", "mcu").ok());  // A report makes no module known.
  f.Refused(order, refusal::kUnknownModule);
}

TEST_CASE("an operator may bound the number of packages", "[package]") {
  Fleet f(1, {.packages_max = 2});
  f.Ok(Order(f, "second", "v2"));
  f.Refused(Order(f, "third", "v3"), refusal::kTooManyPackages);
  f.Ok(DeletePackage{f.package()});
  f.Ok(Order(f, "third", "v3"));
}

TEST_CASE("a package goes when no batch needs it, and its name and version are free again",
          "[package]") {
  Fleet f;
  f.Ok(DeletePackage{f.package()});
  f.Refused(DeletePackage{f.package()}, refusal::kUnknownPackage);
  f.Refused(f.BatchOrder(), refusal::kUnknownPackage);
  f.AddPackage("package", "2.0.0");
}

TEST_CASE("a package stays while a batch of it is planned, runs or has open tasks", "[package]") {
  Fleet f;
  SECTION("planned") {
    f.StartBatch({.device_names = {"dev-1"}, .start_ms = f.now_ms() + 300'000});
  }
  SECTION("running") { f.StartBatch({.device_names = {"dev-1"}}); }
  SECTION("dynamic without a task") { f.StartBatch({.dynamic = true, .source_versions = {"0.9"}}); }
  SECTION("dynamic, cancelled, with an open task") {
    BatchId batch = f.StartBatch({.dynamic = true, .source_versions = {"1.0.0"}});
    f.Ok(StopBatch{batch});
  }
  f.Refused(DeletePackage{f.package()}, refusal::kPackageInUse);
}

TEST_CASE("tasks of a deleted package stay readable", "[package]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  f.BringTo(batch, "dev-1", "SUCCEEDED");
  f.Ok(DeletePackage{f.package()});
  CHECK(f.TaskOf(batch, "dev-1").target_version == "2.0.0");
  CHECK(CountTasks(f.world(), f.package())->total() == 1);
}

}  // namespace updraft
