#include "adapters/broker_plugin/epoch.h"

#include <fstream>

#include <catch2/catch.hpp>

#include "tests/log/temp_dir.h"

namespace updraft {

TEST_CASE("a run of the broker has a later epoch, whatever the clock does", "[gate]") {
  TempDir temp;
  const std::string path = temp / "broker-epoch";
  CHECK(BeginEpoch(path, 1'000).epoch == 1'000);
  CHECK(BeginEpoch(path, 5'000).epoch == 5'000);
  CHECK(BeginEpoch(path, 2'000).epoch == 5'001);
  CHECK(BeginEpoch(path, 2'000).epoch == 5'002);
  CHECK(BeginEpoch(path, 9'000).epoch == 9'000);
}

TEST_CASE("an epoch's file that says nothing, or cannot be written, costs no start", "[gate]") {
  TempDir temp;
  const std::string path = temp / "broker-epoch";
  std::ofstream(path) << "nonsense";
  BrokerEpoch begun = BeginEpoch(path, 1'000);
  CHECK(begun.epoch == 1'000);
  CHECK(begun.kept.ok());
  begun = BeginEpoch(temp / "missing/broker-epoch", 1'000);
  CHECK(begun.epoch == 1'000);
  CHECK_FALSE(begun.kept.ok());
}

}  // namespace updraft
