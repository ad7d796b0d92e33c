#include "adapters/wire/device_payload.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

template <class T>
std::string ReasonOf(const Result<T>& result) {
  return result.ok() ? "" : std::string(result.status().reason());
}

std::string Progress(const std::string& step_json) {
  return R"({"id":2, "params":{"step":)" + step_json + R"(,"desc":""}})";
}

std::string Repeat(const std::string& text, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

const std::string kTwoByteChar = "\xC3\xA9";
const std::string kThreeByteChar = "\xE4\xB8\xAD";
const std::string kFourByteChar = "\xF0\x9F\x98\x80";

}  // namespace

TEST_CASE("every fielded client's version report is understood", "[payload][inform]") {
  struct Row {
    std::string payload;
    std::string version;
    std::string module;
  };
  const std::vector<Row> rows = {
      // Link SDK C 4.x.
      {R"({"id":1, "params":{"version":"1.0.0"}})", "1.0.0", "default"},
      {R"({"id":1, "params":{"version":"1.0.0","module":"mcu"}})", "1.0.0", "mcu"},
      // C-SDK 3.2.
      {R"({"id":"0","params":{"version":"1.0.0"}})", "1.0.0", "default"},
      {R"({"id":"0","params":{"version":"1.0.0", "module":"mcu"}})", "1.0.0", "mcu"},
      {R"({"id":"0","params":{"version":"app-1.0.0-20180101.1000"}})", "app-1.0.0-20180101.1000",
       "default"},
      // The manual's, and what it leaves open.
      {R"({"id":"123","params":{"version":"1.0.1","module":"MCU"}})", "1.0.1", "MCU"},
      {R"({"params":{"module":"default","version":"1"}})", "1", "default"},
      {R"({"params":{"module":"","version":"1"}})", "1", "default"},
      {" \n{\t\"params\" : { \"version\" : \"1\" } , \"method\":\"x\", \"other\":[{}]} \r\n", "1",
       "default"},
      {R"({"id":null,"params":{"version":"1","more":1.5}})", "1", "default"},
      {R"({"params":{"version":"\u4e2d 2\/3"}})", kThreeByteChar + " 2/3", "default"},
      {R"({"params":{"version":"1","version":"2"}})", "1", "default"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.payload);
    Result<InformMessage> inform = ParseInform(row.payload);
    REQUIRE(inform.ok());
    CHECK(inform->version == row.version);
    CHECK(inform->module == row.module);
  }
}

TEST_CASE("a version report without a version is malformed", "[payload][inform]") {
  struct Row {
    std::string payload;
    std::string reason;
  };
  const std::vector<Row> rows = {
      {R"({"id":1})", "missing_params"},
      {R"({})", "missing_params"},
      {R"({"version":"1.0.0"})", "missing_params"},
      {R"({"params":{}})", "missing_version"},
      {R"({"params":{"Version":"1"}})", "missing_version"},
      {R"({"params":{"step":"1"}})", "missing_version"},
      {R"({"params":null})", "wrong_type"},
      {R"({"params":[]})", "wrong_type"},
      {R"({"params":"{}"})", "wrong_type"},
      {R"({"params":{"version":1}})", "wrong_type"},
      {R"({"params":{"version":null}})", "wrong_type"},
      {R"({"params":{"version":{}}})", "wrong_type"},
      {R"({"params":{"version":"1","module":7}})", "wrong_type"},
      {R"({"params":{"version":"1","module":null}})", "wrong_type"},
      {R"({"params":{"version":""}})", "bad_version"},
      {R"({"params":{"version":"1\n"}})", "bad_version"},
      {R"({"params":{"version":"\u0000"}})", "bad_version"},
      {R"({"params":{"version":"a\u007f"}})", "bad_version"},
      {R"({"params":{"version":"a\u0085"}})", "bad_version"},
      {R"({"params":{"version":"1","module":"a\tb"}})", "bad_module"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.payload);
    CHECK(ReasonOf(ParseInform(row.payload)) == row.reason);
  }
}

TEST_CASE("a version has at most 64 bytes, and so has a module", "[payload][inform]") {
  auto inform = [](const std::string& version, const std::string& module) {
    return ReasonOf(
        ParseInform(R"({"params":{"version":")" + version + R"(","module":")" + module + "\"}}"));
  };
  CHECK(inform(std::string(64, 'v'), "m") == "");
  CHECK(inform(std::string(65, 'v'), "m") == "bad_version");
  CHECK(inform(Repeat(kFourByteChar, 16), "m") == "");
  CHECK(inform(Repeat(kFourByteChar, 16) + "v", "m") == "bad_version");
  CHECK(inform("1", std::string(64, 'm')) == "");
  CHECK(inform("1", std::string(65, 'm')) == "bad_module");
}

TEST_CASE("what is not one whole JSON document is malformed", "[payload]") {
  const std::string good = R"({"id":1, "params":{"version":"1.0.0"}})";
  REQUIRE(ParseInform(good).ok());
  for (size_t length = 0; length < good.size(); ++length) {
    CAPTURE(length);
    CHECK(ReasonOf(ParseInform(good.substr(0, length))) == "not_json");
  }
  for (std::string bad :
       {good + "x", good + good, good + std::string(1, '\0'), "\xEF\xBB\xBF" + good,
        std::string("params"), std::string("NaN"), std::string(R"({'params':{}})"),
        std::string(R"({"params":{"version":"1",}})"),
        std::string(R"({"params":{"version":"1"},})"),
        std::string(R"({"params":{"version":"1"},"x":tru})"),
        std::string(R"({"params":{"version":"1"},"x":01})"),
        std::string(R"({"params":{"version":"1"},"id":18446744073709551616})"),
        std::string(R"({"params":{"version":"1"},"x":"\q"})"),
        std::string(R"({"params":{"version":"\ud800"}})"),
        std::string(R"({"params":{"version":"\udc00"}})"),
        std::string("{\"params\":{\"version\":\"1\n\"}}"), Repeat("[", 100000),
        Repeat("{\"params\":", 20000)}) {
    CAPTURE(bad.substr(0, 80));
    CHECK(ReasonOf(ParseInform(bad)) == "not_json");
  }
  for (std::string bad : {"[]", "1", "\"params\"", "null", "true"}) {
    CAPTURE(bad);
    CHECK(ReasonOf(ParseInform(bad)) == "wrong_type");
  }
}

TEST_CASE("text that is not UTF-8 is malformed wherever it stands", "[payload]") {
  for (std::string bytes : {"\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xB8"}) {
    CAPTURE(bytes);
    CHECK(ReasonOf(ParseInform(R"({"params":{"version":")" + bytes + "\"}}")) == "bad_utf8");
    CHECK(ReasonOf(ParseInform(R"({"params":{"version":"1"},"x":")" + bytes + "\"}")) ==
          "bad_utf8");
    CHECK(ReasonOf(ParseProgress(R"({"params":{"step":"1","desc":")" + bytes + "\"}}")) ==
          "bad_utf8");
    CHECK(ReasonOf(ParsePull(R"({"id":")" + bytes + R"(","params":{}})")) == "bad_utf8");
  }
}

TEST_CASE("a payload has at most 256 KB", "[payload]") {
  const std::string good = R"({"params":{"version":"1.0.0","step":"5"}})";
  const std::string largest = good + std::string(kPayloadMaxBytes - good.size(), ' ');
  CHECK(ReasonOf(ParseInform(largest)) == "");
  CHECK(ReasonOf(ParseInform(largest + " ")) == "too_large");
  CHECK(ReasonOf(ParseProgress(largest + " ")) == "too_large");
  CHECK(ReasonOf(ParsePull(largest + " ")) == "too_large");
  CHECK(ReasonOf(ParseLegacyRequest(largest + " ")) == "too_large");
  CHECK(ReasonOf(ParseInform(std::string(1024 * 1024, 'x'))) == "too_large");
}

TEST_CASE("every fielded client's progress is understood", "[payload][progress]") {
  struct Row {
    std::string payload;
    int step;
    std::string desc;
    std::string module;
  };
  const std::vector<Row> rows = {
      // Link SDK C 4.x.
      {R"({"id":2, "params":{"step":"0","desc":""}})", 0, "", "default"},
      {R"({"id":2, "params":{"step":"-3","desc":"","module":"default"}})", -3, "", "default"},
      // C-SDK 3.2 and before.
      {R"({"id":0,"params":{"step":"10","desc":"", "module":"mcu"}})", 10, "", "mcu"},
      {R"({"id":0,"params":{"step": "100"}})", 100, "", "default"},
      // The manual's, and what community code sends.
      {R"({"id":"123","params":{"step":"-1","desc":"text","module":"MCU"}})", -1, "text", "MCU"},
      {R"({"id":"1","params":{"step":55}})", 55, "", "default"},
      {R"({"params":{"desc":"\u4e2d\n\"x\"","step":-4}})", -4, kThreeByteChar + "\n\"x\"",
       "default"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.payload);
    Result<ProgressMessage> progress = ParseProgress(row.payload);
    REQUIRE(progress.ok());
    CHECK(progress->step == row.step);
    CHECK_FALSE(progress->step_was_above_100);
    CHECK(progress->desc == row.desc);
    CHECK_FALSE(progress->desc_was_cut);
    CHECK(progress->module == row.module);
  }
}

TEST_CASE("edge case 21: a step is a whole number, as a number or as text", "[payload][progress]") {
  struct Row {
    std::string step_json;
    int step;
  };
  const std::vector<Row> rows = {{"-4", -4}, {"-1", -1},   {"0", 0},     {"-0", 0},  {"1", 1},
                                 {"99", 99}, {"100", 100}, {"50.0", 50}, {"5e1", 50}};
  for (const Row& row : rows) {
    for (const std::string& json : {row.step_json, "\"" + row.step_json + "\""}) {
      CAPTURE(json);
      Result<ProgressMessage> progress = ParseProgress(Progress(json));
      REQUIRE(progress.ok());
      CHECK(progress->step == row.step);
      CHECK_FALSE(progress->step_was_above_100);
    }
  }
}

TEST_CASE("edge case 20: a step above 100 is progress and counts as 100", "[payload][progress]") {
  for (std::string step : {"101", "106", "150", "4294967296", "9223372036854775807",
                           "18446744073709551615", "1e300"}) {
    for (const std::string& json : {step, "\"" + step + "\""}) {
      CAPTURE(json);
      Result<ProgressMessage> progress = ParseProgress(Progress(json));
      REQUIRE(progress.ok());
      CHECK(progress->step == 100);
      CHECK(progress->step_was_above_100);
    }
  }
}

TEST_CASE("edge case 20: a step below -4, in parts or in words is malformed",
          "[payload][progress]") {
  for (std::string step : {"-5", "-9", "-4.5", "3.5", "0.1", "-9223372036854775808", "-1e300"}) {
    for (const std::string& json : {step, "\"" + step + "\""}) {
      CAPTURE(json);
      CHECK(ReasonOf(ParseProgress(Progress(json))) == "bad_step");
    }
  }
  for (std::string json : {"\"\"", "\" \"", "\"abc\"", "\"5%\"", "\"5 \"", "\" 5\"", "\"+5\"",
                           "\"0x10\"", "\"--1\"", "\"nan\"", "\"inf\"", "\"-inf\"", "\"1e999\"",
                           "\"5\\u0000\"", "null", "true", "[5]", "{\"step\":5}"}) {
    CAPTURE(json);
    CHECK(ReasonOf(ParseProgress(Progress(json))) == "bad_step");
  }
}

TEST_CASE("progress without a step is malformed, and so are wrong types", "[payload][progress]") {
  CHECK(ReasonOf(ParseProgress(R"({"id":1})")) == "missing_params");
  CHECK(ReasonOf(ParseProgress(R"({"step":"5"})")) == "missing_params");
  CHECK(ReasonOf(ParseProgress(R"({"params":[]})")) == "wrong_type");
  CHECK(ReasonOf(ParseProgress(R"({"params":{"desc":"x"}})")) == "missing_step");
  CHECK(ReasonOf(ParseProgress(R"({"params":{"step":"5","desc":5}})")) == "wrong_type");
  CHECK(ReasonOf(ParseProgress(R"({"params":{"step":"5","module":{}}})")) == "wrong_type");
  CHECK(ReasonOf(ParseProgress("5")) == "wrong_type");
  CHECK(ReasonOf(ParseProgress("{")) == "not_json");
}

TEST_CASE("a description is cut to 128 characters, never inside one", "[payload][progress]") {
  for (const std::string& character :
       {std::string("x"), kTwoByteChar, kThreeByteChar, kFourByteChar}) {
    CAPTURE(character);
    auto desc_of = [&](size_t count) {
      Result<ProgressMessage> progress =
          ParseProgress(R"({"params":{"step":"-1","desc":")" + Repeat(character, count) + "\"}}");
      REQUIRE(progress.ok());
      CHECK(progress->desc_was_cut == (count > 128));
      return progress->desc;
    };
    CHECK(desc_of(127) == Repeat(character, 127));
    CHECK(desc_of(128) == Repeat(character, 128));
    CHECK(desc_of(129) == Repeat(character, 128));
    CHECK(desc_of(5000) == Repeat(character, 128));
  }
}

TEST_CASE("every fielded client's pull is understood, and its id kept as it is",
          "[payload][pull]") {
  struct Row {
    std::string payload;
    std::string id_json;
    std::string module;
  };
  const std::vector<Row> rows = {
      {R"({"id":2, "params":{}})", "2", "default"},
      {R"({"id":2, "params":{"module":"mcu"}})", "2", "mcu"},
      {R"({"id":"123","version":"1.0","params":{"module":"MCU"},"method":"thing.ota.firmware.get"})",
       R"("123")", "MCU"},
      {R"({"params":{"module":"default"}})", "", "default"},
      {R"({"id":0,"params":{}})", "0", "default"},
      {R"({"id":-1,"params":{}})", "-1", "default"},
      {R"({"id":18446744073709551615,"params":{}})", "18446744073709551615", "default"},
      {R"({"id":"","params":{}})", R"("")", "default"},
      {R"({"id":"a\"b\\c\n\u4e2d","params":{}})", R"("a\"b\\c\n)" + kThreeByteChar + "\"",
       "default"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.payload);
    for (auto parse : {ParsePull, ParseLegacyRequest}) {
      Result<PullMessage> pull = parse(row.payload);
      REQUIRE(pull.ok());
      CHECK(pull->id_json == row.id_json);
      CHECK(pull->module == row.module);
    }
  }
}

TEST_CASE("a pull of a wrong shape is malformed", "[payload][pull]") {
  struct Row {
    std::string payload;
    std::string reason;
  };
  const std::string long_id(65, '1');
  const std::vector<Row> rows = {
      {"", "not_json"},
      {"[]", "wrong_type"},
      {"{}", "missing_params"},
      {R"({"id":1})", "missing_params"},
      {R"({"id":1,"params":[]})", "wrong_type"},
      {R"({"id":null,"params":{}})", "wrong_type"},
      {R"({"id":true,"params":{}})", "wrong_type"},
      {R"({"id":{},"params":{}})", "wrong_type"},
      {R"({"id":1,"params":{"module":1}})", "wrong_type"},
      {R"({"id":1,"params":{"module":"a\u0001"}})", "bad_module"},
      {R"({"id":")" + long_id + R"(","params":{}})", "bad_id"},
      {R"({"id":")" + long_id.substr(1) + R"(","params":{}})", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.payload);
    CHECK(ReasonOf(ParsePull(row.payload)) == row.reason);
    CHECK(ReasonOf(ParseLegacyRequest(row.payload)) == row.reason);
  }
}

TEST_CASE("a legacy request is told from our own answer to it", "[payload][pull]") {
  Result<PullMessage> request = ParseLegacyRequest(R"({"id":"0","params":{"version":"1.0.0"}})");
  REQUIRE(request.ok());
  CHECK(request->id_json == R"("0")");

  for (std::string answer :
       {R"({"code":"1000","data":{"size":1,"version":"2"},"id":1507707025123,"message":"success"})",
        R"({"id":"0","code":200,"data":{}})", R"({"code":1})", R"({"data":null})"}) {
    CAPTURE(answer);
    CHECK(ReasonOf(ParseLegacyRequest(answer)) == "own_answer");
    CHECK(ReasonOf(ParsePull(answer)) == "missing_params");
  }
  CHECK(ParseLegacyRequest(R"({"id":1,"code":1,"data":{},"params":{}})").ok());
}

}  // namespace updraft
