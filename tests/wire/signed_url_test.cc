#include "adapters/wire/signed_url.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace updraft {
namespace {

const std::string kKey = "a key of thirty-two bytes, secret";
const std::string kFile = "9efe01c6efeb2934a567aaa9cd00234cc82651b8ff54fb7c59de95d296b2e0e7";
constexpr int64_t kNowMs = 1795405543123;
constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;

std::string UrlOf(const std::string& base_url, const std::string& file_id = kFile) {
  Result<std::string> url = MakeDownloadUrl(kKey, base_url, file_id, kNowMs + kDayMs);
  return url.ok() ? *url : std::string(url.status().reason());
}

// What follows the base URL, as the server gets it.
struct Target {
  std::string path;
  std::string raw_query;
};

Target TargetOf(const std::string& url, const std::string& base_url) {
  REQUIRE(url.starts_with(base_url));
  size_t question = url.find('?');
  REQUIRE(question != std::string::npos);
  return {url.substr(base_url.size(), question - base_url.size()), url.substr(question + 1)};
}

LinkState StateOf(const Target& target, int64_t now_ms = kNowMs, const std::string& key = kKey) {
  return CheckDownload(key, target.path, target.raw_query, now_ms).state;
}

}  // namespace

TEST_CASE("a download URL names its file and its end, and proves both", "[signed_url]") {
  const std::string url = UrlOf("http://192.168.0.1:8080");
  CHECK(url.starts_with("http://192.168.0.1:8080/d/" + kFile + "?e=1795491943&s="));
  Target target = TargetOf(url, "http://192.168.0.1:8080");
  CHECK(target.raw_query.size() == std::string("e=1795491943&s=").size() + 32);

  DownloadLink link = CheckDownload(kKey, target.path, target.raw_query, kNowMs);
  CHECK(link.state == LinkState::kOk);
  CHECK(link.file_id == kFile);
}

TEST_CASE("the public URL may have a path, and ends with or without a slash", "[signed_url]") {
  for (std::string base_url : {"https://ota.example.com", "https://ota.example.com/fw/eu"}) {
    CHECK(UrlOf(base_url) == UrlOf(base_url + "/"));
    CHECK(StateOf(TargetOf(UrlOf(base_url), base_url)) == LinkState::kOk);
  }
  for (std::string base_url : {"", "ota.example.com", "ftp://ota.example.com", "http://",
                               "http:///path", "https:/x", "http://h/?a=b", "http://h/#x"}) {
    CAPTURE(base_url);
    CHECK(UrlOf(base_url) == "bad_base_url");
  }
}

TEST_CASE("behind the port no colon follows, which an old client would take for one",
          "[signed_url]") {
  std::string url = UrlOf("http://10.0.0.1:80/a:b", "id:with/odd signs");
  CHECK(url.starts_with("http://10.0.0.1:80/a%3Ab/d/id%3Awith%2Fodd%20signs?e="));
  Target target = TargetOf(url, "http://10.0.0.1:80/a%3Ab");
  CHECK(CheckDownload(kKey, target.path, target.raw_query, kNowMs).file_id == "id:with/odd signs");
}

TEST_CASE("a download URL has at most 254 bytes", "[signed_url]") {
  const std::string base_url = "http://h/";
  const size_t rest = UrlOf(base_url).size();
  const std::string longest = base_url + std::string(kDownloadUrlMaxBytes - rest - 1, 'p');
  CHECK(UrlOf(longest + "/").size() == UrlOf(longest).size());
  CHECK(UrlOf(longest).size() == 254);
  CHECK(UrlOf(longest + "p") == "url_too_long");
}

TEST_CASE("a download URL ends after the second it names", "[signed_url]") {
  Target target = TargetOf(UrlOf("http://h"), "http://h");
  constexpr int64_t kEndMs = 1795491943000;
  CHECK(StateOf(target, 0) == LinkState::kOk);
  CHECK(StateOf(target, kEndMs) == LinkState::kOk);
  CHECK(StateOf(target, kEndMs + 999) == LinkState::kOk);
  CHECK(StateOf(target, kEndMs + 1000) == LinkState::kExpired);
  CHECK(CheckDownload(kKey, target.path, target.raw_query, kEndMs + 1000).file_id == kFile);
}

TEST_CASE("a download URL that was changed anywhere is forged", "[signed_url]") {
  const Target good = TargetOf(UrlOf("http://h"), "http://h");
  REQUIRE(StateOf(good) == LinkState::kOk);
  CHECK(StateOf(good, kNowMs, "another key") == LinkState::kForged);

  for (size_t i = 0; i < good.path.size(); ++i) {
    Target changed = good;
    changed.path[i] = changed.path[i] == '0' ? '1' : '0';
    CAPTURE(changed.path);
    CHECK(StateOf(changed) == LinkState::kForged);
  }
  for (size_t i = 0; i < good.raw_query.size(); ++i) {
    Target changed = good;
    changed.raw_query[i] = changed.raw_query[i] == '0' ? '1' : '0';
    CAPTURE(changed.raw_query);
    CHECK(StateOf(changed) == LinkState::kForged);
    CHECK(StateOf({good.path, good.raw_query.substr(0, i)}) == LinkState::kForged);
  }
  CHECK(CheckDownload(kKey, "/d/x", good.raw_query, kNowMs).file_id.empty());
}

TEST_CASE("what is no download URL at all is forged", "[signed_url]") {
  for (const Target& target : std::vector<Target>{{"", ""},
                                                  {"/", ""},
                                                  {"/d/", ""},
                                                  {"/d/x", ""},
                                                  {"/d/x", "e=1"},
                                                  {"/d/x", "s=00"},
                                                  {"/d/x", "e=&s="},
                                                  {"/d/x", "e=-1&s=00"},
                                                  {"/d/x", "e=99999999999999999999&s=00"},
                                                  {"/d/x", "e=1&s=zz"},
                                                  {"/d/x", "e=1&e=1&s=00"},
                                                  {"/d/%", "e=1&s=00"},
                                                  {"/d/x", "e=%&s=00"}}) {
    CAPTURE(target.path, target.raw_query);
    CHECK(StateOf(target) == LinkState::kForged);
  }
}

TEST_CASE("an upload ticket comes back as it was given", "[signed_url]") {
  for (UploadKind kind : {UploadKind::kPackageFile, UploadKind::kDeviceList}) {
    UploadPolicy policy = SignUploadTicket(
        kKey, {.object_key = "ota/a b.bin", .kind = kind, .expires_ms = kNowMs + 60000});
    UploadTicket ticket;
    CHECK(CheckUploadPolicy(kKey, policy, kNowMs, ticket) == LinkState::kOk);
    CHECK(ticket.object_key == "ota/a b.bin");
    CHECK(ticket.kind == kind);
    CHECK(ticket.expires_ms == kNowMs + 60000);

    CHECK(CheckUploadPolicy(kKey, policy, kNowMs + 60000, ticket) == LinkState::kOk);
    CHECK(CheckUploadPolicy(kKey, policy, kNowMs + 60001, ticket) == LinkState::kExpired);
    CHECK(CheckUploadPolicy("another key", policy, kNowMs, ticket) == LinkState::kForged);
  }
}

TEST_CASE("an upload ticket that was changed anywhere is forged", "[signed_url]") {
  const UploadPolicy good =
      SignUploadTicket(kKey, {.object_key = "ota/a.bin", .expires_ms = kNowMs});
  UploadTicket ticket;
  for (std::string UploadPolicy::*field : {&UploadPolicy::policy, &UploadPolicy::signature}) {
    for (size_t i = 0; i < (good.*field).size(); ++i) {
      UploadPolicy changed = good;
      char& letter = (changed.*field)[i];
      letter = letter == 'A' ? 'B' : 'A';
      CAPTURE(changed.*field);
      CHECK(CheckUploadPolicy(kKey, changed, kNowMs, ticket) == LinkState::kForged);
    }
    UploadPolicy changed = good;
    (changed.*field).clear();
    CHECK(CheckUploadPolicy(kKey, changed, kNowMs, ticket) == LinkState::kForged);
  }
  // The same ticket for the other kind of file.
  UploadPolicy other = SignUploadTicket(
      kKey, {.object_key = "ota/a.bin", .kind = UploadKind::kDeviceList, .expires_ms = kNowMs});
  CHECK(CheckUploadPolicy(kKey, {other.policy, good.signature}, kNowMs, ticket) ==
        LinkState::kForged);
  CHECK(ticket.object_key.empty());
}

}  // namespace updraft
