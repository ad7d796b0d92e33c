#include "adapters/wire/upgrade_notice.h"

#include <optional>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace updraft {
namespace {

const std::string kMd5 = "2099ff73580e2411a2782d9eb76f2f50";
const std::string kSha256 = "9efe01c6efeb2934a567aaa9cd00234cc82651b8ff54fb7c59de95d296b2e0e7";

NoticeFields SomePackage() {
  NoticeFields fields;
  fields.size_bytes = 300000;
  fields.version = "2.0.0";
  fields.url = "http://127.0.0.1/d/abc?e=1&s=x/y";
  fields.md5_hex = kMd5;
  fields.sha256_hex = kSha256;
  fields.module = "default";
  return fields;
}

// Finds a field as Link SDK C 4.x does: the first `"key"` in the text, at any depth and also where
// it is a value; only a colon right behind it makes it a key; no escape is undone; braces count
// inside strings.
std::optional<std::string> FieldAsLinkSdkReads(const std::string& text, const std::string& key) {
  size_t at = text.find("\"" + key + "\"");
  if (at == std::string::npos) return std::nullopt;
  at += key.size() + 2;
  if (at + 1 >= text.size() || text[at] != ':') return std::nullopt;
  ++at;
  if (text[at] == '"') {
    size_t end = text.find('"', at + 1);
    return text.substr(at + 1, end - at - 1);
  }
  if (text[at] != '{') return text.substr(at, text.find_first_of(",]}", at) - at);
  int depth = 0;
  for (size_t i = at; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return text.substr(at, i - at + 1);
  }
  return std::nullopt;
}

std::optional<std::string> NoticeField(const std::string& notice, const std::string& key) {
  std::optional<std::string> data = FieldAsLinkSdkReads(notice, "data");
  return data ? FieldAsLinkSdkReads(*data, key) : std::nullopt;
}

}  // namespace

TEST_CASE("a notice is the same text to the byte that fielded clients can read", "[notice]") {
  CHECK(UpgradeNotice(SomePackage(), 1507707025123) ==
        R"({"code":"1000","data":{"size":300000,"version":"2.0.0",)"
        R"("url":"http://127.0.0.1/d/abc?e=1&s=x/y","md5":"2099ff73580e2411a2782d9eb76f2f50",)"
        R"("sign":"2099ff73580e2411a2782d9eb76f2f50","signMethod":"Md5"},)"
        R"("id":1507707025123,"message":"success"})");
}

TEST_CASE("a notice with everything in it keeps the order, extData last", "[notice]") {
  NoticeFields fields = SomePackage();
  fields.is_diff = true;
  fields.sign_by = NoticeDigest::kSha256;
  fields.module = "MCU";
  fields.tags = {{"key1", "value1"}, {"a.b", "\xE4\xB8\xAD/\"x\""}};
  fields.udi = R"({"k":{"n":1}})";
  CHECK(UpgradeNotice(fields, 7) ==
        R"({"code":"1000","data":{"size":300000,"version":"2.0.0","isDiff":1,)"
        R"("url":"http://127.0.0.1/d/abc?e=1&s=x/y","md5":"2099ff73580e2411a2782d9eb76f2f50",)"
        R"("sign":"9efe01c6efeb2934a567aaa9cd00234cc82651b8ff54fb7c59de95d296b2e0e7",)"
        R"("signMethod":"SHA256","module":"MCU","extData":{"key1":"value1","a.b":")"
        "\xE4\xB8\xAD"
        R"(/\"x\"","_package_udi":"{\"k\":{\"n\":1}}"}},"id":7,"message":"success"})");
}

TEST_CASE("digests go out in lower case, however they came in", "[notice]") {
  NoticeFields fields = SomePackage();
  fields.md5_hex = "2099FF73580E2411A2782D9EB76F2F50";
  fields.sha256_hex = "9EFE01C6EFEB2934A567AAA9CD00234CC82651B8FF54FB7C59DE95D296B2E0E7";
  for (NoticeDigest digest : {NoticeDigest::kMd5, NoticeDigest::kSha256}) {
    fields.sign_by = digest;
    std::string notice = UpgradeNotice(fields, 1);
    CHECK(NoticeField(notice, "md5") == kMd5);
    CHECK(NoticeField(notice, "sign") == (digest == NoticeDigest::kMd5 ? kMd5 : kSha256));
  }
}

TEST_CASE("the default module is not named", "[notice]") {
  NoticeFields fields = SomePackage();
  for (std::string module : {"", "default"}) {
    fields.module = module;
    CHECK(UpgradeNotice(fields, 1).find("\"module\"") == std::string::npos);
  }
  fields.module = "Default";
  CHECK(NoticeField(UpgradeNotice(fields, 1), "module") == "Default");
}

TEST_CASE("a pull is answered with the same data and its own id", "[notice]") {
  const std::string data =
      R"({"size":300000,"version":"2.0.0",)"
      R"("url":"http://127.0.0.1/d/abc?e=1&s=x/y","md5":"2099ff73580e2411a2782d9eb76f2f50",)"
      R"("sign":"2099ff73580e2411a2782d9eb76f2f50","signMethod":"Md5"})";
  CHECK(PullReply("\"123\"", SomePackage()) == R"({"id":"123","code":200,"data":)" + data + "}");
  CHECK(PullReply("123", SomePackage()) == R"({"id":123,"code":200,"data":)" + data + "}");
  CHECK(PullReply("", SomePackage()) == R"({"code":200,"data":)" + data + "}");
  CHECK(EmptyPullReply("\"123\"") == R"({"id":"123","code":200,"data":{}})");
  CHECK(EmptyPullReply("4294967295") == R"({"id":4294967295,"code":200,"data":{}})");
  CHECK(EmptyPullReply("") == R"({"code":200,"data":{}})");
}

TEST_CASE("text that is not UTF-8 still makes a notice that is JSON", "[notice]") {
  NoticeFields fields = SomePackage();
  fields.tags = {{"k", "\x80\xFF"}};
  CHECK(nlohmann::json::accept(UpgradeNotice(fields, 1)));
}

TEST_CASE("a client that searches text finds every field of every notice", "[notice]") {
  NoticeFields fields = SomePackage();
  fields.module = "mcu";
  // Values that look like keys, and a Udi that holds every key: behind the real ones and escaped.
  fields.tags = {{"k1", "module"}, {"k2", "url"}, {"k3", "{}"}};
  fields.udi = R"({"size":7,"version":"9","url":"http://evil/","module":"x","isDiff":1})";
  REQUIRE(HasSafeBraces(fields.udi));
  const std::string notice = UpgradeNotice(fields, 1507707025123);
  CHECK(NoticeField(notice, "size") == "300000");
  CHECK(NoticeField(notice, "version") == "2.0.0");
  CHECK(NoticeField(notice, "url") == fields.url);
  CHECK(NoticeField(notice, "sign") == kMd5);
  CHECK(NoticeField(notice, "signMethod") == "Md5");
  CHECK(NoticeField(notice, "module") == "mcu");
  CHECK(NoticeField(notice, "k3") == "{}");
  CHECK(NoticeField(notice, "extData").has_value());

  fields.module = "default";
  CHECK_FALSE(NoticeField(UpgradeNotice(fields, 1), "module").has_value());
  CHECK_FALSE(NoticeField(UpgradeNotice(fields, 1), "isDiff").has_value());
}

TEST_CASE("the reserved names are those that a searching client would mistake", "[notice]") {
  NoticeFields fields = SomePackage();
  fields.tags = {{"module", "other"}};
  CHECK(NoticeField(UpgradeNotice(fields, 1), "module") == "other");
  fields = SomePackage();
  fields.version = "url";
  CHECK_FALSE(NoticeField(UpgradeNotice(fields, 1), "url").has_value());

  for (std::string name :
       {"size",     "version",      "url",         "sign",       "signMethod", "md5",
        "module",   "extData",      "isDiff",      "digestsign", "message",    "files",
        "fileSize", "fileName",     "fileUrl",     "fileMd5",    "fileSign",   "dProtocol",
        "streamId", "streamFileId", "_package_udi"}) {
    CAPTURE(name);
    CHECK(IsReservedName(name));
  }
  for (std::string name : {"", "default", "mcu", "Size", "sizes", "siz", "1.0.0", "barcode"}) {
    CAPTURE(name);
    CHECK_FALSE(IsReservedName(name));
  }
}

TEST_CASE("braces that would end the data early are refused", "[notice]") {
  for (std::string safe : {"", "text", "{}", "{{}{}}", R"({"a":{"b":"[("}})"}) {
    CAPTURE(safe);
    CHECK(HasSafeBraces(safe));
  }
  for (std::string unsafe : {"{", "}", "}{", "{}}", "{{}", R"({"a":"}"})", R"({"a":"{"})"}) {
    CAPTURE(unsafe);
    CHECK_FALSE(HasSafeBraces(unsafe));
  }
  CHECK(HasSafeBraces(std::string(250, '{') + std::string(250, '}')));
  CHECK_FALSE(HasSafeBraces(std::string(251, '{') + std::string(251, '}')));

  NoticeFields fields = SomePackage();
  fields.tags = {{"k1", "}"}, {"k2", "{"}};
  CHECK(NoticeField(UpgradeNotice(fields, 1), "extData") != R"({"k1":"}","k2":"{"})");
}

}  // namespace updraft
