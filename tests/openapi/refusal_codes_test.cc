#include "adapters/openapi/refusal_codes.h"

#include <fstream>
#include <regex>
#include <string>

#include <catch2/catch.hpp>

#include "adapters/openapi/envelope.h"
#include "engine/refusals.h"

namespace updraft::openapi {
namespace {

TEST_CASE("every rule that refuses has a code of the API", "[openapi]") {
  std::ifstream header(UPDRAFT_SOURCE_DIR "/engine/refusals.h");
  REQUIRE(header.is_open());
  const std::regex name("= \"([A-Z_]+)\";");
  int names = 0;
  for (std::string line; std::getline(header, line);) {
    std::smatch found;
    if (!std::regex_search(line, found, name)) continue;
    INFO(found[1]);
    CHECK_FALSE(CodeOfRefusal(found[1].str()).empty());
    ++names;
  }
  CHECK(names > 50);
}

TEST_CASE("what is no rule has no code and is a fault of ours", "[openapi]") {
  CHECK(CodeOfRefusal("NO_SUCH_RULE").empty());
  CHECK(CodeOf(Status(StatusCode::kInternal, "oops")) == "iot.system.SystemException");
}

TEST_CASE("a refusal of the API is HTTP 200, one of the gate is not", "[openapi]") {
  HttpResponse refused =
      RenderRefusal("R", "h", Status(StatusCode::kNotFound, refusal::kUnknownProduct, "none"));
  CHECK(refused.status == 200);
  CHECK(
      refused.body ==
      R"({"RequestId":"R","Success":false,"Code":"iot.prod.NotExistedProduct","ErrorMessage":"none"})");
  HttpResponse gate =
      RenderRefusal("R", "h", Status(StatusCode::kUnavailable, refusal::kInboxFull, "full"));
  CHECK(gate.status == 503);
  CHECK(gate.body ==
        R"({"RequestId":"R","Code":"ServiceUnavailable","Message":"full","HostId":"h"})");
}

TEST_CASE("a success carries no code, which older clients take for a failure", "[openapi]") {
  CHECK(RenderDone("R", {}).body == R"({"RequestId":"R","Success":true})");
  CHECK(RenderDone("R", {{"Total", 3}}).body == R"({"RequestId":"R","Success":true,"Total":3})");
}

TEST_CASE("request ids are UUIDs in capitals, each another one", "[openapi]") {
  std::string id = NewRequestId();
  CHECK(std::regex_match(id, std::regex("[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-"
                                        "[89AB][0-9A-F]{3}-[0-9A-F]{12}")));
  CHECK(NewRequestId() != id);
}

TEST_CASE("text that is no UTF-8 does not make an answer impossible", "[openapi]") {
  HttpResponse answer = RenderDone("R", {{"Text", "\xFF"}});
  CHECK(Json::accept(answer.body));
}

}  // namespace
}  // namespace updraft::openapi
