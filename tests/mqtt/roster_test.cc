#include "adapters/mqtt/roster.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/spec/spec.h"

namespace updraft {
namespace {

// The run of the broker that Fleet's devices are online in.
uint64_t EpochOf(const Fleet& fleet) { return fleet.world().globals().broker_epoch; }

std::string GoneOf(const Fleet& fleet, const NamedDevices& named, uint32_t page_devices) {
  std::string gone;
  for (DeviceId from(1); from;) {
    RosterPage page = FindGone(fleet.world(), named, EpochOf(fleet), from, page_devices);
    for (const ReportPresence& report : page.gone) {
      gone += DeviceName(fleet.world(), report.device.id) + " ";
    }
    from = page.next;
  }
  return gone;
}

TEST_CASE("who is held to be online and was not named is gone, whatever the pages", "[roster]") {
  Fleet fleet(4);
  for (const char* name : {"dev-1", "dev-2", "dev-4"}) fleet.Online(name);
  NamedDevices named;
  named.Add(Fleet::kProductKey, "dev-2");
  for (uint32_t page_devices : {1, 2, 3, 4, 5}) {
    CHECK(GoneOf(fleet, named, page_devices) == "dev-1 dev-4 ");
  }
}

TEST_CASE("a device that is found gone goes offline", "[roster]") {
  Fleet fleet(1);
  fleet.Online("dev-1");
  RosterPage page = FindGone(fleet.world(), {}, EpochOf(fleet), DeviceId(1), 10);
  REQUIRE(page.gone.size() == 1);
  fleet.Ok(page.gone[0]);
  CHECK_FALSE(fleet.world().IsOnline(fleet.Id("dev-1")));
}

TEST_CASE("a device that came back after the look stays online", "[roster]") {
  Fleet fleet(1);
  fleet.Online("dev-1");
  RosterPage page = FindGone(fleet.world(), {}, EpochOf(fleet), DeviceId(1), 10);
  fleet.Online("dev-1");
  fleet.Ok(page.gone[0]);
  CHECK(fleet.world().IsOnline(fleet.Id("dev-1")));
}

TEST_CASE("a roster of another run of the broker says nothing", "[roster]") {
  Fleet fleet(2);
  fleet.Online("dev-1");
  RosterPage page = FindGone(fleet.world(), {}, EpochOf(fleet) + 1, DeviceId(1), 1);
  CHECK(page.gone.empty());
  CHECK_FALSE(page.next);
}

TEST_CASE("word of a former run of the broker, come again, makes nobody offline", "[roster]") {
  Fleet fleet(1);
  fleet.Online("dev-1");
  fleet.Ok(BrokerStarted{EpochOf(fleet) - 1});
  CHECK(fleet.world().IsOnline(fleet.Id("dev-1")));
  fleet.Ok(BrokerStarted{EpochOf(fleet) + 1});
  CHECK_FALSE(fleet.world().IsOnline(fleet.Id("dev-1")));
}

TEST_CASE("names of two products are told apart", "[roster]") {
  NamedDevices named;
  named.Add("a", "bc");
  CHECK(named.Has("a", "bc"));
  CHECK_FALSE(named.Has("ab", "c"));
  CHECK(named.size() == 1);
}

TEST_CASE("a roster holds who was named between the request and its own answer", "[roster]") {
  Roster roster;
  roster.Named("pk", "before");
  roster.Begin("r1");
  roster.Named("pk", "between");
  CHECK(roster.End({.request = "other", .epoch = 1}) == nullptr);
  auto named = roster.End({.request = "r1", .epoch = 1});
  REQUIRE(named != nullptr);
  CHECK(named->Has("pk", "between"));
  CHECK_FALSE(named->Has("pk", "before"));
  CHECK(roster.End({.request = "r1", .epoch = 1}) == nullptr);
}

TEST_CASE("a new request forgets the old one's names, and a cancelled one has no end", "[roster]") {
  Roster roster;
  roster.Begin("r1");
  roster.Named("pk", "dn");
  roster.Begin("r2");
  CHECK(roster.End({.request = "r1", .epoch = 1}) == nullptr);
  CHECK(roster.End({.request = "r2", .epoch = 1})->size() == 0);
  roster.Begin("r3");
  roster.Cancel();
  CHECK(roster.End({.request = "r3", .epoch = 1}) == nullptr);
  CHECK(roster.End({.request = "", .epoch = 1}) == nullptr);
}

}  // namespace
}  // namespace updraft
