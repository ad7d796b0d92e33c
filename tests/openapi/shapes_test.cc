#include "tests/openapi/shapes.h"

#include <catch2/catch.hpp>

namespace updraft {
namespace {

TEST_CASE("a wrong shape is told from a right one", "[openapi]") {
  auto wrong = [](const char* action, const char* json) {
    return WrongShape(action, Json::parse(json));
  };
  CHECK(wrong("ListOTAModuleByProduct", R"({"Success":true,"Data":[{"ModuleName":"m"}]})").empty());
  CHECK(wrong("ListOTAModuleByProduct", R"({"Data":{"ModuleName":"m"}})") ==
        "ListOTAModuleByProduct.Data is no list");
  CHECK(wrong("ListOTATaskByJob", R"({"Data":{"SimpleOTATaskInfo":[{"TaskId":"t"}]}})").empty());
  CHECK(wrong("ListOTATaskByJob", R"({"Data":[]})") == "ListOTATaskByJob.Data is no object");
  CHECK(wrong("ListOTATaskByJob", R"({"Data":{"SimpleOTATaskInfo":{}}})") ==
        "ListOTATaskByJob.Data.SimpleOTATaskInfo is no list");
  CHECK(wrong("ListOTATaskByJob", R"({"Data":{"SimpleOTATaskInfo":[{"taskId":"t"}]}})") ==
        "ListOTATaskByJob.Data.SimpleOTATaskInfo[].taskId is not published");
  CHECK(wrong("QueryOTAJob", R"({"Data":{"SrcVersions":{"SrcVersion":["1"]}}})").empty());
  CHECK(wrong("QueryOTAJob", R"({"Data":{"SrcVersions":{"SrcVersion":[{}]}}})") ==
        "QueryOTAJob.Data.SrcVersions.SrcVersion has wrong items");
  CHECK(wrong("QueryOTAJob", R"({"Data":{"JobId":null}})") ==
        "QueryOTAJob.Data.JobId is no single value");
}

}  // namespace
}  // namespace updraft
