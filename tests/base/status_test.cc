#include "events/base/status.h"

#include <catch2/catch.hpp>

namespace updraft {
namespace {

Result<int> Half(int whole) {
  if (whole % 2 != 0) return Status(StatusCode::kInvalidArgument, "ODD", "an odd number");
  return whole / 2;
}

Result<int> Quarter(int whole) {
  ASSIGN_OR_RETURN(int half, Half(whole));
  return Half(half);
}

}  // namespace

TEST_CASE("a refusal carries the rule's stable name through", "[status]") {
  CHECK(*Quarter(8) == 2);
  Result<int> refused = Quarter(6);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code() == StatusCode::kInvalidArgument);
  CHECK(refused.status().reason() == "ODD");
  CHECK(refused.status().ToString() == "ODD: an odd number");
}

TEST_CASE("a status without a rule goes by its code's name", "[status]") {
  CHECK(Status(StatusCode::kDataLoss, "gone").reason() == "DATA_LOSS");
}

}  // namespace updraft
