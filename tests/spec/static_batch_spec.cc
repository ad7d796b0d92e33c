// Static batches: whom they take at their creation.
#include "tests/spec/spec.h"

namespace updraft {

TEST_CASE("a batch over all takes every device, known version or not, but those on the target",
          "[static]") {
  Fleet f(3);
  f.Register("unheard");
  REQUIRE(f.Report("dev-2", "2.0.0").ok());
  BatchId batch = f.StartBatch();
  CHECK(f.Counts(batch) == "QUEUED 3");
  CHECK(f.StateOf(batch, "unheard") == "QUEUED");
  CHECK(f.StateOf(batch, "dev-2") == "none");
}

TEST_CASE("edge case 30: a device registered after a static batch does not join it", "[static]") {
  Fleet f(2);
  BatchId batch = f.StartBatch();
  f.Register("late");
  REQUIRE(f.Report("late", "1.0.0").ok());
  CHECK(f.StateOf(batch, "late") == "none");
  CHECK(f.Counts(batch) == "QUEUED 2");
}

TEST_CASE("source versions choose the devices that run one of them", "[static]") {
  Fleet f(4);
  REQUIRE(f.Report("dev-2", "1.1.0").ok());
  REQUIRE(f.Report("dev-3", "1.2.0").ok());
  f.Register("unheard");
  BatchId batch = f.StartBatch({.source_versions = {"1.1.0", "1.2.0"}});
  CHECK(f.Counts(batch) == "QUEUED 2");
  CHECK(f.StateOf(batch, "unheard") == "none");
}

TEST_CASE("a batch has at most 10 source versions, none twice, none the target", "[static]") {
  Fleet f;
  std::vector<std::string> ten = {"1.0.0"};
  for (int i = 1; i < 10; ++i) ten.push_back("0." + std::to_string(i));
  std::vector<std::string> eleven = ten;
  eleven.push_back("0.10");
  f.Refused(f.BatchOrder({.source_versions = eleven}), refusal::kTooManySourceVersions);
  f.Refused(f.BatchOrder({.source_versions = {"1.0.0", "1.0.0"}}),
            refusal::kDuplicateSourceVersion);
  f.Refused(f.BatchOrder({.source_versions = {"1.0.0", "2.0.0"}}), refusal::kSourceIsTarget);
  f.Refused(f.BatchOrder({.source_versions = {""}}), refusal::kSourceVersionMalformed);
  f.Refused(f.BatchOrder({.source_versions = {std::string(65, 'v')}}),
            refusal::kSourceVersionMalformed);
  CHECK(f.Counts(f.StartBatch({.source_versions = ten})) == "QUEUED 4");
}

TEST_CASE("source versions that nobody runs leave nobody", "[static]") {
  Fleet f;
  f.Refused(f.BatchOrder({.source_versions = {"0.0.1"}}), refusal::kNoDeviceCanUpgrade);
}

TEST_CASE("source versions do not go with named devices", "[static]") {
  Fleet f;
  CreateBatch order = f.BatchOrder({.device_names = {"dev-1"}, .source_versions = {"1.0.0"}});
  f.Refused(order, refusal::kSourceVersionsNotAllowed);
}

TEST_CASE("device names go with named devices only, and they need some", "[static]") {
  Fleet f;
  CreateBatch order = f.BatchOrder({.device_names = {"dev-1"}});
  order.scope = Scope::kAll;
  f.Refused(order, refusal::kTargetsNotAllowed);
  order.scope = Scope::kSpecific;
  order.device_names.clear();
  f.Refused(order, refusal::kTargetsMissing);
}

TEST_CASE("a call names at most 200 devices, a file 10,000", "[static]") {
  Fleet f(0);
  f.CheckSeldom();
  f.RegisterMany(1, 10'001);
  auto names = [](int count) {
    std::vector<std::string> list;
    for (int i = 1; i <= count; ++i) list.push_back("dev-" + std::to_string(i));
    return list;
  };
  f.Refused(f.BatchOrder({.device_names = names(201)}), refusal::kTooManyTargets);
  CHECK(f.Counts(f.StartBatch({.device_names = names(200)})) == "QUEUED 200");
  CreateBatch file = f.BatchOrder({.device_names = names(10'001), .names_from_file = true});
  f.Refused(file, refusal::kTooManyTargets);
  file.device_names.pop_back();
  BatchId batch = f.StartBatch(file);
  CHECK(f.Counts(batch) == "QUEUED 9800 FAILED 200");
  f.CheckInvariants();
}

TEST_CASE("all bad names of a list are told with their place and reason, and none is upgraded",
          "[static]") {
  Fleet f;
  CreateBatch order = f.BatchOrder({.device_names = {"dev-1", "a b", "dev-9", "dev-1"}});
  Outcome outcome = f.When(order);
  CHECK(outcome.status.reason() == refusal::kTargetsInvalid);
  auto problems = std::get<TargetProblems>(outcome.answer).problems;
  REQUIRE(problems.size() == 3);
  CHECK((problems[0].index == 1 && problems[0].name == "a b"));
  CHECK(problems[0].reason == "no device name");
  CHECK((problems[1].index == 2 && problems[1].reason == "unknown to the product"));
  CHECK((problems[2].index == 3 && problems[2].reason == "named twice"));
  CHECK(f.world().batches().size() == 0);
}

TEST_CASE("a named device on the target is left out; when none is left, the batch is refused",
          "[static]") {
  Fleet f;
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  BatchId batch = f.StartBatch({.device_names = {"dev-1", "dev-2"}});
  CHECK(f.Counts(batch) == "QUEUED 1");
  f.Refused(f.BatchOrder({.device_names = {"dev-1"}}), refusal::kNoDeviceCanUpgrade);
}

TEST_CASE("a diff package's named devices must run its source version", "[static]") {
  Fleet f;
  PackageId diff = f.AddDiff("diff", "1.0.0", "2.0.0");
  REQUIRE(f.Report("dev-2", "1.5.0").ok());
  f.Register("unheard");
  f.Refused(f.BatchOrder({.package = diff, .device_names = {"dev-1", "dev-2"}}),
            refusal::kSourceVersionMismatch);
  f.Refused(f.BatchOrder({.package = diff, .device_names = {"unheard"}}),
            refusal::kDeviceVersionUnknown);
  CHECK(f.Counts(f.StartBatch({.package = diff, .device_names = {"dev-1"}})) == "QUEUED 1");
}

TEST_CASE("a diff package's file of devices leaves out those on another version", "[static]") {
  Fleet f;
  PackageId diff = f.AddDiff("diff", "1.0.0", "2.0.0");
  REQUIRE(f.Report("dev-2", "1.5.0").ok());
  f.Register("unheard");
  BatchId batch = f.StartBatch(
      {.package = diff, .device_names = {"dev-1", "dev-2", "unheard"}, .names_from_file = true});
  CHECK(f.Counts(batch) == "QUEUED 1");
}

TEST_CASE("a diff package's batch starts from the package's source version and no other",
          "[static]") {
  Fleet f;
  PackageId diff = f.AddDiff("diff", "1.0.0", "2.0.0");
  REQUIRE(f.Report("dev-2", "1.5.0").ok());
  f.Refused(f.BatchOrder({.package = diff, .source_versions = {"1.0.0", "1.5.0"}}),
            refusal::kMoreThanOneSourceVersion);
  f.Refused(f.BatchOrder({.package = diff, .source_versions = {"1.5.0"}}),
            refusal::kSourceVersionMismatch);
  CHECK(f.Counts(f.StartBatch({.package = diff})) == "QUEUED 3");
}

TEST_CASE("one package may have several batches at a time", "[static]") {
  Fleet f;
  f.StartBatch({.device_names = {"dev-1"}});
  BatchId second = f.StartBatch({.device_names = {"dev-2"}});
  CHECK(f.StatusOf(second) == BatchStatus::IN_PROGRESS);
  CHECK(CountTasks(f.world(), f.package())->total() == 2);
}

TEST_CASE("a package is for its own product", "[static]") {
  Fleet f;
  f.Ok(CreateProduct{.name = "second", .product_key = "a1two"});
  CreateBatch order = f.BatchOrder();
  order.product_key = "a1two";
  f.Refused(order, refusal::kPackageOfOtherProduct);
  order.product_key = "nobody";
  f.Refused(order, refusal::kUnknownProduct);
}

TEST_CASE("a static batch is complete when its last task has ended, however it ended", "[static]") {
  Fleet f;
  BatchId batch = f.StartBatch({.device_names = {"dev-1", "dev-2"}});
  f.BringTo(batch, "dev-1", "FAILED");
  CHECK(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
  f.BringTo(batch, "dev-2", "SUCCEEDED");
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
  CHECK(f.world().batches()[batch].ended == f.now_ms());
}

TEST_CASE("a batch whose devices were all busy is complete at once", "[static]") {
  Fleet f;
  f.StartBatch({.device_names = {"dev-1"}});
  BatchId batch = f.StartBatch({.device_names = {"dev-1"}});
  CHECK(f.Counts(batch) == "FAILED 1");
  CHECK(f.StatusOf(batch) == BatchStatus::COMPLETED);
}

TEST_CASE("an operator may bound the devices of a batch", "[static]") {
  Fleet f(4, {.devices_per_batch_max = 3});
  f.Refused(f.BatchOrder(), refusal::kTooManyTargets);
  // Of a gray batch its share counts, not all that match.
  BatchId gray = f.StartBatch({.scope = Scope::kGray, .gray_thousandths = 75'000});
  CHECK(CountTasks(f.world(), gray)->total() == 3);
  f.Refused(f.BatchOrder({.scope = Scope::kGray, .gray_thousandths = 100'000}),
            refusal::kTooManyTargets);
}

TEST_CASE("a batch has at most 10 tags, each once, 4,096 bytes in all", "[static]") {
  Fleet f;
  auto order = [&](CreateBatch c) { return f.BatchOrder(std::move(c)); };
  std::vector<std::pair<std::string, std::string>> tags;
  for (int i = 0; i < 10; ++i) tags.emplace_back("k" + std::to_string(i), "v");
  CHECK(f.Ok(order({.device_names = {"dev-1"}, .tags = tags})).ok());
  tags.emplace_back("k10", "v");
  f.Refused(order({.tags = tags}), refusal::kTagsInvalid);
  f.Refused(order({.tags = {{"a", "1"}, {"a", "2"}}}), refusal::kDuplicateTag);
  f.Refused(order({.tags = {{"", "1"}}}), refusal::kTagsInvalid);
  f.Refused(order({.tags = {{std::string(31, 'k'), "1"}}}), refusal::kTagsInvalid);
  f.Refused(order({.tags = {{"a-b", "1"}}}), refusal::kTagsInvalid);
  f.Refused(order({.tags = {{"a", ""}}}), refusal::kTagsInvalid);
  f.Refused(order({.tags = {{"a", std::string(1'025, 'v')}}}), refusal::kTagsInvalid);
  std::vector<std::pair<std::string, std::string>> large;
  for (auto key : {"a", "b", "c"}) large.emplace_back(key, std::string(1'024, 'v'));
  large.emplace_back("d", std::string(1'020, 'v'));  // 4 keys and 4,092 bytes of values.
  CHECK(f.Ok(order({.device_names = {"dev-2"}, .tags = large})).ok());
  large.back().second += 'v';
  f.Refused(order({.tags = large}), refusal::kTagsInvalid);
}

TEST_CASE("edge case 44: a tag whose key a fielded device takes for a field is refused",
          "[static]") {
  Fleet f;
  for (auto key :
       {"module", "isDiff", "url", "size", "version", "sign", "signMethod", "files", "dProtocol"}) {
    INFO(key);
    f.Refused(f.BatchOrder({.tags = {{key, "v"}}}), refusal::kTagsInvalid);
  }
  f.Refused(f.BatchOrder({.tags = {{"a", "}"}}}), refusal::kTagsInvalid);
  f.StartBatch({.device_names = {"dev-1"}, .tags = {{"modules", "{}"}}});
}

}  // namespace updraft
