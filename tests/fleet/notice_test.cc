#include "tests/fleet/notice.h"

#include <catch2/catch.hpp>

#include "adapters/wire/upgrade_notice.h"

namespace updraft {
namespace {

NoticeFields Fields() {
  return {.size_bytes = 300'000,
          .version = "2.0.0",
          .url = "http://127.0.0.1:8080/f/x.bin?e=1",
          .md5_hex = std::string(32, 'a'),
          .sha256_hex = std::string(64, 'b')};
}

TEST_CASE("what the engine writes is what a device reads") {
  auto notice = ReadNotice(UpgradeNotice(Fields(), 1));
  REQUIRE(notice);
  CHECK(notice->size_bytes == 300'000);
  CHECK(notice->version == "2.0.0");
  CHECK(notice->url == "http://127.0.0.1:8080/f/x.bin?e=1");
  CHECK_FALSE(notice->sha256);
  CHECK(notice->sign == std::string(32, 'a'));
  CHECK(notice->module.empty());
}

TEST_CASE("the digest may be SHA256 and the package a module's") {
  NoticeFields fields = Fields();
  fields.sign_by = NoticeDigest::kSha256;
  fields.module = "mcu";
  auto notice = ReadNotice(UpgradeNotice(fields, 1));
  REQUIRE(notice);
  CHECK(notice->sha256);
  CHECK(notice->sign == std::string(64, 'b'));
  CHECK(notice->module == "mcu");
}

TEST_CASE("a device drops what a fielded parser cannot take") {
  auto [from, to] = GENERATE(table<std::string, std::string>({
      {"\"Md5\"", "\"MD5\""},
      {"\"size\":", "\"size\": "},
      {"\"size\":300000", "\"size\":\"big\""},
      {"\"version\":", "\"versions\":"},
      {"\"sign\":\"aa", "\"sign\":\"a"},
      {"\"md5\":\"aa", "\"md5\":\"AA"},
      {"x.bin", std::string(255, 'x')},
  }));
  std::string text = UpgradeNotice(Fields(), 1);
  size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  CHECK_FALSE(ReadNotice(text.replace(at, from.size(), to)));
}

TEST_CASE("a download address has a host, perhaps a port, and a path") {
  auto address = ParseDownloadUrl("http://127.0.0.1:8080/f/x.bin?e=1");
  REQUIRE(address);
  CHECK(address->ip == "127.0.0.1");
  CHECK(address->port == 8080);
  CHECK(address->target == "/f/x.bin?e=1");
  CHECK(ParseDownloadUrl("http://127.0.0.1/f")->port == 80);

  auto bad = GENERATE("https://127.0.0.1/f", "http://127.0.0.1", "http://127.0.0.1:x/f",
                      "http://127.0.0.1:65536/f", "");
  CHECK_FALSE(ParseDownloadUrl(bad));
}

}  // namespace
}  // namespace updraft
