#include "adapters/broker_plugin/options.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace updraft {
namespace {

using Given = std::vector<std::pair<std::string_view, std::string_view>>;

Given With(Given more) {
  Given given = {{"credentials", "/c"}, {"engine_password_file", "/p"}};
  given.insert(given.end(), more.begin(), more.end());
  return given;
}

}  // namespace

TEST_CASE("the limits have defaults, the paths have none", "[options]") {
  Result<GateOptions> options = ParseGateOptions(With({}));
  REQUIRE(options.ok());
  CHECK(options->credentials == "/c");
  CHECK(options->engine_password_file == "/p");
  CHECK(options->connects_per_minute == 5);
  CHECK(options->payload_bytes_max == 262'144);
  CHECK(options->failures_per_minute == 10);
  CHECK_FALSE(ParseGateOptions(Given{{"credentials", "/c"}}).ok());
  CHECK_FALSE(ParseGateOptions(Given{{"engine_password_file", "/p"}}).ok());
}

TEST_CASE("every limit can be set", "[options]") {
  Result<GateOptions> options = ParseGateOptions(With({{"connects_per_minute", "1"},
                                                       {"keepalive_min", "2"},
                                                       {"keepalive_max", "3"},
                                                       {"payload_bytes_max", "4"},
                                                       {"report_bytes_max", "11"},
                                                       {"qos0_per_second", "5"},
                                                       {"qos1_per_second", "6"},
                                                       {"failures_per_minute", "7"},
                                                       {"address_failures_per_minute", "8"},
                                                       {"block_seconds", "9"},
                                                       {"subscriptions_max", "10"},
                                                       {"stats_seconds", "0"}}));
  REQUIRE(options.ok());
  CHECK(options->connects_per_minute == 1);
  CHECK(options->keepalive_min == 2);
  CHECK(options->keepalive_max == 3);
  CHECK(options->payload_bytes_max == 4);
  CHECK(options->report_bytes_max == 11);
  CHECK(options->qos0_per_second == 5);
  CHECK(options->qos1_per_second == 6);
  CHECK(options->failures_per_minute == 7);
  CHECK(options->address_failures_per_minute == 8);
  CHECK(options->block_seconds == 9);
  CHECK(options->subscriptions_max == 10);
  CHECK(options->stats_seconds == 0);
}

TEST_CASE("a limit is a whole number that fits, and nothing else", "[options]") {
  for (const char* text : {"", "-1", "1.5", "many", "5 ", "4294967296"}) {
    CAPTURE(text);
    Result<GateOptions> options = ParseGateOptions(With({{"block_seconds", text}}));
    CHECK(options.status().code() == StatusCode::kInvalidArgument);
  }
  CHECK(ParseGateOptions(With({{"block_seconds", "4294967295"}})).ok());
}

TEST_CASE("an option nobody knows is refused, so that no typing error opens the gate",
          "[options]") {
  CHECK_FALSE(ParseGateOptions(With({{"conects_per_minute", "1"}})).ok());
}

TEST_CASE("the engine's password is the first line of its file", "[options]") {
  std::string path = std::filesystem::temp_directory_path() / "updraft-password-XXXXXX";
  REQUIRE(close(mkstemp(path.data())) == 0);
  auto read = [&](std::string_view text) {
    std::ofstream(path) << text;
    return ReadEnginePassword(path);
  };
  CHECK(*read("secret\n") == "secret");
  CHECK(*read("secret") == "secret");
  CHECK(*read("secret\nmore\n") == "secret");
  CHECK(read("").status().code() == StatusCode::kInvalidArgument);
  CHECK(read("\nsecret\n").status().code() == StatusCode::kInvalidArgument);
  std::filesystem::remove(path);
  CHECK(ReadEnginePassword(path).status().code() == StatusCode::kUnavailable);
}

}  // namespace updraft
