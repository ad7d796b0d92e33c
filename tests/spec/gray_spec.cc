// Gray batches: a part of the devices, always the same ones.
#include <set>

#include "tests/spec/spec.h"

namespace updraft {
namespace {

std::set<DeviceId> Chosen(const Fleet& f, BatchId batch) {
  std::set<DeviceId> devices;
  for (TaskId task : f.TasksOf(batch)) devices.insert(f.world().tasks()[task].device);
  return devices;
}

BatchId StartGray(Fleet& f, uint32_t thousandths) {
  return f.StartBatch({.scope = Scope::kGray, .gray_thousandths = thousandths});
}

size_t ShareOf(int devices, uint32_t thousandths) {
  Fleet f(0);
  f.RegisterMany(1, devices, "1.0.0");
  return Chosen(f, StartGray(f, thousandths)).size();
}

}  // namespace

TEST_CASE("edge case 27: one percent of 30 devices is one device", "[gray]") {
  CHECK(ShareOf(30, 1'000) == 1);
}

TEST_CASE("edge case 28: 33.33 percent of 100 devices are 33", "[gray]") {
  CHECK(ShareOf(100, 33'330) == 33);
}

TEST_CASE("edge case 29: 100 percent are all devices, 0 and above 100 are refused", "[gray]") {
  CHECK(ShareOf(30, 100'000) == 30);
  Fleet f;
  auto order = [&](uint32_t share) {
    return f.BatchOrder({.scope = Scope::kGray, .gray_thousandths = share});
  };
  f.Refused(order(0), refusal::kGrayPercentInvalid);
  f.Refused(order(100'001), refusal::kGrayPercentInvalid);
}

TEST_CASE("a thousandth of a percent counts, and the share is rounded down", "[gray]") {
  CHECK(ShareOf(100, 1) == 1);
  CHECK(ShareOf(100, 29'999) == 29);
  CHECK(ShareOf(100, 30'000) == 30);
}

TEST_CASE("the population are the devices that match and are not on the target", "[gray]") {
  Fleet f(10);
  for (int i = 1; i <= 4; ++i) REQUIRE(f.Report("dev-" + std::to_string(i), "2.0.0").ok());
  for (int i = 5; i <= 6; ++i) REQUIRE(f.Report("dev-" + std::to_string(i), "1.5.0").ok());
  CHECK(Chosen(f, StartGray(f, 50'000)).size() == 3);
  Fleet g(10);
  for (int i = 5; i <= 8; ++i) REQUIRE(g.Report("dev-" + std::to_string(i), "1.5.0").ok());
  BatchId batch = g.StartBatch(
      {.scope = Scope::kGray, .gray_thousandths = 50'000, .source_versions = {"1.5.0"}});
  CHECK(Chosen(g, batch).size() == 2);
}

TEST_CASE("a larger percentage holds the devices of a smaller one", "[gray]") {
  std::set<DeviceId> before;
  for (uint32_t percent : {5u, 20u, 21u, 60u, 100u}) {
    Fleet f(0);
    f.RegisterMany(1, 50, "1.0.0");
    std::set<DeviceId> now = Chosen(f, StartGray(f, percent * 1'000));
    CHECK(std::includes(now.begin(), now.end(), before.begin(), before.end()));
    CHECK(now.size() == std::max<size_t>(1, 50 * percent / 100));
    before = now;
  }
}

TEST_CASE("which devices are taken does not follow the order of registration", "[gray]") {
  Fleet f(0);
  f.RegisterMany(1, 100, "1.0.0");
  std::set<DeviceId> chosen = Chosen(f, StartGray(f, 10'000));
  CHECK(chosen.rbegin()->value() > 20);
}

TEST_CASE("gray is for static batches", "[gray]") {
  Fleet f;
  f.Refused(f.BatchOrder({.dynamic = true,
                          .scope = Scope::kGray,
                          .gray_thousandths = 10'000,
                          .source_versions = {"1.0.0"}}),
            refusal::kGrayNeedsStatic);
}

TEST_CASE("a gray batch nobody can join is refused", "[gray]") {
  Fleet f(1);
  REQUIRE(f.Report("dev-1", "2.0.0").ok());
  f.Refused(f.BatchOrder({.scope = Scope::kGray, .gray_thousandths = 50'000}),
            refusal::kNoDeviceCanUpgrade);
}

}  // namespace updraft
