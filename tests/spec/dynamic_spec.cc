// Dynamic batches: devices join when what they report matches.
#include "tests/spec/spec.h"

namespace updraft {
namespace {

CreateBatch Dynamic(std::vector<std::string> sources = {"1.0.0"}) {
  return {.dynamic = true, .source_versions = std::move(sources)};
}

}  // namespace

TEST_CASE("edge case 30: a device that registers later joins a dynamic batch when it reports",
          "[dynamic]") {
  Fleet f(2);
  BatchId batch = f.StartBatch(Dynamic());
  CHECK(f.Counts(batch) == "QUEUED 2");
  f.Register("late");
  CHECK(f.StateOf(batch, "late") == "none");
  REQUIRE(f.Report("late", "1.0.0").ok());
  CHECK(f.StateOf(batch, "late") == "QUEUED");
}

TEST_CASE("a device joins when a later report matches, not when it does not", "[dynamic]") {
  Fleet f(1);
  BatchId batch = f.StartBatch(Dynamic({"1.5.0"}));
  CHECK(f.Counts(batch).empty());
  REQUIRE(f.Report("dev-1", "1.4.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "none");
  REQUIRE(f.Report("dev-1", "1.5.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
}

TEST_CASE("a dynamic batch may begin in a product without devices", "[dynamic]") {
  Fleet f(0);
  BatchId batch = f.StartBatch(Dynamic());
  CHECK(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
  CHECK(f.world().agenda().at_work.empty());
  f.Register("first");
  REQUIRE(f.Report("first", "1.0.0").ok());
  CHECK(f.StateOf(batch, "first") == "QUEUED");
}

TEST_CASE("a dynamic batch needs source versions; a diff package brings its own", "[dynamic]") {
  Fleet f;
  f.Refused(f.BatchOrder(Dynamic({})), refusal::kSourceVersionsMissing);
  PackageId diff = f.AddDiff("diff", "1.0.0", "2.0.0");
  BatchId batch = f.StartBatch({.package = diff, .dynamic = true});
  CHECK(f.Counts(batch) == "QUEUED 4");
}

TEST_CASE("a dynamic batch takes devices by version, not name", "[dynamic]") {
  Fleet f;
  f.Refused(f.BatchOrder({.dynamic = true, .device_names = {"dev-1"}}), refusal::kDynamicNeedsAll);
}

TEST_CASE("only a static batch can be scheduled", "[dynamic]") {
  Fleet f;
  CreateBatch order = f.BatchOrder(Dynamic());
  order.start_ms = f.now_ms() + 600'000;
  f.Refused(order, refusal::kDynamicCannotBeScheduled);
}

TEST_CASE("one dynamic batch a package and source version", "[dynamic]") {
  Fleet f;
  BatchId first = f.StartBatch(Dynamic({"1.0.0", "1.1.0"}));
  f.Refused(f.BatchOrder(Dynamic({"1.1.0", "1.2.0"})), refusal::kDynamicBatchExists);
  f.StartBatch(Dynamic({"1.2.0"}));
  f.StartBatch({.source_versions = {"1.0.0"}});  // A static one is no rival.
  PackageId other = f.AddPackage("other", "3.0.0");
  CreateBatch of_other = Dynamic({"1.0.0"});
  of_other.package = other;
  f.StartBatch(of_other);
  // Once the former is cancelled, open tasks or not.
  f.Ok(StopBatch{first});
  CHECK(f.world().OpenTasks(first) == 4);
  f.StartBatch(Dynamic({"1.1.0"}));
}

TEST_CASE("edge case 31: in mode 2 only a changed report counts", "[dynamic]") {
  Fleet f;
  CreateBatch order = Dynamic();
  order.only_new_reports = true;
  BatchId batch = f.StartBatch(order);
  CHECK(f.Counts(batch).empty());
  REQUIRE(f.Report("dev-1", "1.0.0").ok());  // As before.
  CHECK(f.StateOf(batch, "dev-1") == "none");
  REQUIRE(f.Report("dev-1", "0.9.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "none");
  REQUIRE(f.Report("dev-1", "1.0.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
}

TEST_CASE("edge case 32: of two dynamic batches that match the newest gets the device",
          "[dynamic]") {
  Fleet f(1);
  BatchId older = f.StartBatch(Dynamic({"1.5.0"}));
  CreateBatch order = Dynamic({"1.5.0"});
  order.package = f.AddPackage("other", "3.0.0");
  BatchId newer = f.StartBatch(order);
  REQUIRE(f.Report("dev-1", "1.5.0").ok());
  CHECK(f.StateOf(newer, "dev-1") == "QUEUED");
  CHECK(f.StateOf(older, "dev-1") == "none");
}

TEST_CASE("edge case 33: a device joins a dynamic batch ten times and not once more", "[dynamic]") {
  Fleet f(1);
  BatchId batch = f.StartBatch(Dynamic({"1.5.0"}));
  for (int i = 1; i <= 11; ++i) {
    REQUIRE(f.Report("dev-1", "1.5.0").ok());
    if (i <= 10) {
      CHECK(f.StateOf(batch, "dev-1") == "QUEUED");
      REQUIRE(f.Report("dev-1", "2.0.0").ok());
    }
    CHECK(f.TasksOf(batch).size() == static_cast<size_t>(std::min(i, 10)));
  }
  CHECK(f.Counts(batch) == "SUCCEEDED 10");
}

TEST_CASE("a device whose task failed joins again only with a changed report", "[dynamic]") {
  Fleet f(1);
  BatchId batch = f.StartBatch(Dynamic());
  f.BringTo(batch, "dev-1", "FAILED");
  REQUIRE(f.Report("dev-1", "1.0.0").ok());
  CHECK(f.Counts(batch) == "FAILED 1");
  REQUIRE(f.Report("dev-1", "0.9.0").ok());
  REQUIRE(f.Report("dev-1", "1.0.0").ok());
  CHECK(f.Counts(batch) == "QUEUED 1 FAILED 1");
}

TEST_CASE("a device that joins a dynamic batch while busy elsewhere fails there at once",
          "[dynamic]") {
  Fleet f(1);
  BatchId batch = f.StartBatch(Dynamic({"1.5.0"}));
  BatchId other = f.StartBatch({.device_names = {"dev-1"}});
  REQUIRE(f.Report("dev-1", "1.5.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(f.StateOf(other, "dev-1") == "QUEUED");
}

TEST_CASE("edge case 34: a cancelled dynamic batch takes nobody, its open tasks go on",
          "[dynamic]") {
  Fleet f(2);
  BatchId batch = f.StartBatch(Dynamic());
  f.Ok(StopBatch{batch});
  CHECK(f.StatusOf(batch) == BatchStatus::CANCELED);
  f.Register("late");
  REQUIRE(f.Report("late", "1.0.0").ok());
  CHECK(f.StateOf(batch, "late") == "none");
  f.Settled("dev-1");
  CHECK(f.Push().device_name == "dev-1");
  f.BringTo(batch, "dev-2", "SUCCEEDED");
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  CHECK(f.Counts(batch) == "SUCCEEDED 2");
  CHECK(f.StatusOf(batch) == BatchStatus::CANCELED);
}

TEST_CASE("a dynamic batch is cancelled once; a static one has nothing of the kind", "[dynamic]") {
  Fleet f;
  BatchId batch = f.StartBatch(Dynamic());
  f.Ok(StopBatch{batch});
  f.Refused(StopBatch{batch}, refusal::kAlreadyCanceled);
  BatchId fixed = f.StartBatch({.device_names = {"dev-1"}});
  f.Refused(StopBatch{fixed}, refusal::kNotDynamic);
  f.Refused(StopBatch{BatchId(99)}, refusal::kUnknownBatch);
}

TEST_CASE("the open tasks of a cancelled dynamic batch can be cancelled", "[dynamic]") {
  Fleet f(2);
  BatchId batch = f.StartBatch(Dynamic());
  f.Ok(StopBatch{batch});
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  CHECK(f.Counts(batch) == "CANCELED 2");
  f.Refused(CancelBatch{.batch = batch, .queued = true}, refusal::kAlreadyCanceled);
}

TEST_CASE("a dynamic batch goes on when no task is open", "[dynamic]") {
  Fleet f(1);
  BatchId batch = f.StartBatch(Dynamic());
  f.Ok(CancelBatch{.batch = batch, .queued = true});
  CHECK(f.StatusOf(batch) == BatchStatus::IN_PROGRESS);
  f.Register("late");
  REQUIRE(f.Report("late", "1.0.0").ok());
  CHECK(f.StateOf(batch, "late") == "QUEUED");
}

TEST_CASE("source versions of a dynamic batch can be changed, for reports from then on",
          "[dynamic]") {
  Fleet f(2);
  BatchId batch = f.StartBatch(Dynamic({"1.5.0"}));
  f.Ok(EditBatch{.batch = batch, .source_versions = {{"1.6.0"}}});
  REQUIRE(f.Report("dev-1", "1.5.0").ok());
  REQUIRE(f.Report("dev-2", "1.6.0").ok());
  CHECK(f.StateOf(batch, "dev-1") == "none");
  CHECK(f.StateOf(batch, "dev-2") == "QUEUED");
}

TEST_CASE("changed source versions are held to the rules of new ones", "[dynamic]") {
  Fleet f;
  BatchId batch = f.StartBatch(Dynamic({"1.0.0"}));
  f.StartBatch(Dynamic({"1.1.0"}));
  auto edit = [&](std::vector<std::string> sources) {
    return EditBatch{.batch = batch, .source_versions = std::move(sources)};
  };
  f.Refused(edit({}), refusal::kSourceVersionsMissing);
  f.Refused(edit({"1.0.0", "1.1.0"}), refusal::kDynamicBatchExists);
  f.Refused(edit({"2.0.0"}), refusal::kSourceIsTarget);
  f.Refused(edit({"a", "a"}), refusal::kDuplicateSourceVersion);
  size_t before = f.event_count();
  f.Ok(edit({"1.0.0"}));
  CHECK(f.event_count() == before);
  f.Register("free");
  BatchId fixed = f.StartBatch({.device_names = {"free"}});
  f.Refused(EditBatch{.batch = fixed, .source_versions = {{"1.1.0"}}}, refusal::kNotDynamic);
  f.Refused(EditBatch{.batch = fixed, .timeout_minutes = 5}, refusal::kNotDynamic);
}

TEST_CASE("a changed timeout of a dynamic batch is for tasks that begin later", "[dynamic]") {
  Fleet f(2);
  CreateBatch order = Dynamic();
  order.timeout_minutes = 10;
  BatchId batch = f.StartBatch(order);
  f.BringTo(batch, "dev-1", "IN_PROGRESS");
  f.Ok(EditBatch{.batch = batch, .timeout_minutes = 60});
  f.BringTo(batch, "dev-2", "IN_PROGRESS");
  f.Pass(std::chrono::minutes(10));
  CHECK(f.StateOf(batch, "dev-1") == "FAILED");
  CHECK(f.StateOf(batch, "dev-2") == "IN_PROGRESS");
  f.Pass(std::chrono::minutes(50));
  CHECK(f.StateOf(batch, "dev-2") == "FAILED");
  f.Refused(EditBatch{.batch = batch, .timeout_minutes = 1'441}, refusal::kTimeoutInvalid);
}

}  // namespace updraft
