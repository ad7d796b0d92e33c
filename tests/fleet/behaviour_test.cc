#include "tests/fleet/behaviour.h"

#include <map>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

TEST_CASE("a mix gives each behaviour its share and a device always the same one") {
  auto mix = ParseMix("honest=8,failing=1,never=1");
  REQUIRE(mix.ok());
  std::map<Behaviour, int> count;
  for (uint64_t device = 0; device < 10'000; ++device) {
    ++count[mix->Of(device, 7)];
    REQUIRE(mix->Of(device, 7) == mix->Of(device, 7));
  }
  CHECK(count[Behaviour::kHonest] > 7'700);
  CHECK(count[Behaviour::kFailing] > 800);
  CHECK(count[Behaviour::kNever] > 800);
  CHECK(count.size() == 3);
}

TEST_CASE("another seed gives other devices the rare behaviour") {
  auto mix = ParseMix("honest=1,never=1");
  REQUIRE(mix.ok());
  int different = 0;
  for (uint64_t device = 0; device < 100; ++device) {
    different += mix->Of(device, 1) != mix->Of(device, 2);
  }
  CHECK(different > 20);
}

TEST_CASE("every behaviour can be named in a mix") {
  for (int i = 0; i < kBehaviourCount; ++i) {
    auto mix = ParseMix(std::string(BehaviourName(Behaviour(i))) + "=1");
    REQUIRE(mix.ok());
    CHECK(mix->Of(3, 4) == Behaviour(i));
  }
}

TEST_CASE("a mix that is none is refused") {
  auto text = GENERATE("", "honest", "honest=", "honest=x", "honest=-1", "honest=1x", "kind=1",
                       "honest=1,", "honest=0", "honest=4294967296");
  CHECK_FALSE(ParseMix(text).ok());
}

}  // namespace
}  // namespace updraft
