#include "adapters/cli/file_limit.h"

#include <catch2/catch.hpp>

namespace updraft {

TEST_CASE("connections and their downloads leave the log the files that it needs", "[files]") {
  CHECK(*ConnectionsWithin(1'048'576, 4'096) == 4'096);
  CHECK(*ConnectionsWithin(1'024, 4'096) == 256);
  CHECK(*ConnectionsWithin(1'024, 100) == 100);
  CHECK(*ConnectionsWithin(544, 4'096) == 16);
}

TEST_CASE("a process that may open too few files is told so", "[files]") {
  for (uint64_t files : {0, 256, 512, 543}) {
    Status refused = ConnectionsWithin(files, 4'096).status();
    CHECK(refused.code() == StatusCode::kFailedPrecondition);
    CHECK_THAT(refused.message(), Catch::Contains("ulimit -n"));
  }
}

}  // namespace updraft
