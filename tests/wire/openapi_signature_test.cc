#include "adapters/wire/openapi_signature.h"

#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "events/base/bytes.h"

namespace updraft {
namespace {

constexpr std::string_view kSecret = "testsecret";

// Both captures are of one call of the JavaScript SDK, whose parameters are odd on purpose.
const std::string kQuery =
    "FirmwareId=F%201&MaximumPerMinute=1000&NeedPush=true&ProductKey=pk"
    "&ScheduleTime=1577808000000&SrcVersion.1=1.0&Tag.1.Key=k.1"
    "&Tag.1.Value=v!%27()*~%20%2B%E4%B8%AD&TargetDeviceName.1=a&TargetDeviceName.2=b"
    "&TargetSelection=SPECIFIC";
const Parameters kParameters = {{"FirmwareId", "F 1"},
                                {"MaximumPerMinute", "1000"},
                                {"NeedPush", "true"},
                                {"ProductKey", "pk"},
                                {"ScheduleTime", "1577808000000"},
                                {"SrcVersion.1", "1.0"},
                                {"Tag.1.Key", "k.1"},
                                {"Tag.1.Value", "v!'()*~ +\xE4\xB8\xAD"},
                                {"TargetDeviceName.1", "a"},
                                {"TargetDeviceName.2", "b"},
                                {"TargetSelection", "SPECIFIC"}};
constexpr int64_t kTimeMs = 1795405543000;  // 2026-11-23T03:45:43Z

const std::string kSignedHeaders =
    "host;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;"
    "x-acs-signature-nonce;x-acs-version";
const std::string kAcs3Signature =
    "75365e1ac074fb2feec05bf70521a3ddb3f8d04f596dfb338f567d0ab83a2606";

HttpRequest Acs3Request() {
  return HttpRequest{
      .method = "POST",
      .path = "/",
      .raw_query = kQuery,
      .headers = {{"accept", "application/json"},
                  {"authorization", "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=" +
                                        kSignedHeaders + ",Signature=" + kAcs3Signature},
                  {"host", "127.0.0.1:43617"},
                  {"x-acs-action", "CreateOTAStaticUpgradeJob"},
                  {"x-acs-content-sha256",
                   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                  {"x-acs-credentials-provider", "static_ak"},
                  {"x-acs-date", "2026-11-23T03:45:43Z"},
                  {"x-acs-signature-nonce", "928096283839c51c539f4ec200ce5a2e"},
                  {"x-acs-version", "2018-01-20"}},
      .body = "",
      .peer = ""};
}

const std::string kRpcQuery =
    "Action=CreateOTAStaticUpgradeJob&Format=json&Version=2018-01-20"
    "&Timestamp=2026-11-23T03%3A45%3A43Z&SignatureNonce=f767a7394f64ae7c2398c02f89ef325c"
    "&FirmwareId=F%201&MaximumPerMinute=1000&NeedPush=true&ProductKey=pk"
    "&ScheduleTime=1577808000000&SrcVersion.1=1.0&Tag.1.Key=k.1"
    "&Tag.1.Value=v!%27()*~%20%2B%E4%B8%AD&TargetDeviceName.1=a&TargetDeviceName.2=b"
    "&TargetSelection=SPECIFIC&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0"
    "&AccessKeyId=testid&Signature=p3rDTcnlJr5gCPpySHHBwgC%2FTp8%3D";

HttpRequest RpcRequest() {
  // The SDK sends two of the other scheme's headers along; the query decides.
  return HttpRequest{.method = "POST",
                     .path = "/",
                     .raw_query = kRpcQuery,
                     .headers = {{"host", "127.0.0.1:43617"},
                                 {"x-acs-action", "CreateOTAStaticUpgradeJob"},
                                 {"x-acs-version", "2018-01-20"}},
                     .body = "",
                     .peer = ""};
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The value of a header, which is added where there is none.
std::string& Value(HttpRequest& request, const std::string& name) {
  for (HttpHeader& header : request.headers) {
    if (header.name == name) return header.value;
  }
  return request.headers.emplace_back(HttpHeader{name, ""}).value;
}

void Drop(HttpRequest& request, const std::string& name) {
  std::erase_if(request.headers, [&](const HttpHeader& header) { return header.name == name; });
}

// "verified", "not verified" or the code of the refusal.
std::string Outcome(const HttpRequest& request, std::string_view secret = kSecret) {
  Result<SignedCall> call = ParseSignedCall(request);
  if (!call.ok()) return std::string(call.status().reason());
  return VerifySignature(*call, secret) ? "verified" : "not verified";
}

std::string OutcomeOfQuery(const std::string& query) {
  HttpRequest request = RpcRequest();
  request.raw_query = query;
  return Outcome(request);
}

}  // namespace

TEST_CASE("the SDK's captured ACS3 call is understood and verified", "[openapi]") {
  Result<SignedCall> call = ParseSignedCall(Acs3Request());
  REQUIRE(call.ok());
  CHECK(call->scheme == SignatureScheme::kAcs3HmacSha256);
  CHECK(call->action == "CreateOTAStaticUpgradeJob");
  CHECK(call->version == "2018-01-20");
  CHECK(call->access_key_id == "testid");
  CHECK(call->nonce == "928096283839c51c539f4ec200ce5a2e");
  CHECK(call->timestamp_ms == kTimeMs);
  CHECK(call->parameters == kParameters);
  CHECK(HexLower(call->signature) == kAcs3Signature);
  CHECK(VerifySignature(*call, kSecret));
  CHECK_FALSE(VerifySignature(*call, "testsecres"));
  CHECK_FALSE(VerifySignature(*call, ""));
}

TEST_CASE("the SDK's captured HMAC-SHA1 call is understood and verified", "[openapi]") {
  Result<SignedCall> call = ParseSignedCall(RpcRequest());
  REQUIRE(call.ok());
  CHECK(call->scheme == SignatureScheme::kRpcHmacSha1);
  CHECK(call->action == "CreateOTAStaticUpgradeJob");
  CHECK(call->version == "2018-01-20");
  CHECK(call->access_key_id == "testid");
  CHECK(call->nonce == "f767a7394f64ae7c2398c02f89ef325c");
  CHECK(call->timestamp_ms == kTimeMs);
  CHECK(call->parameters == kParameters);
  CHECK(VerifySignature(*call, kSecret));
  CHECK_FALSE(VerifySignature(*call, "testsecres"));
  CHECK_FALSE(VerifySignature(*call, ""));
}

TEST_CASE("the manual's sample of an HMAC-SHA1 call is verified", "[openapi]") {
  HttpRequest request{
      .method = "GET",
      .path = "/",
      .raw_query =
          "Action=Pub&MessageContent=aGVsbG93b3JsZA%3D&Timestamp=2017-10-02T09%3A39%3A41Z"
          "&SignatureVersion=1.0&ServiceCode=iot&Format=XML&Qos=0"
          "&SignatureNonce=0715a395-aedf-4a41-bab7-746b43d38d88&Version=2017-04-20"
          "&AccessKeyId=testid&Signature=Y9eWn4nF8QPh3c4zAFkM%2Fk%2Fu7eA%3D"
          "&SignatureMethod=HMAC-SHA1&RegionId=cn-shanghai&ProductKey=12345abcdeZ"
          "&TopicFullName=%2FproductKey%2Ftestdevice%2Fget",
      .headers = {},
      .body = "",
      .peer = ""};
  CHECK(Outcome(request) == "verified");
  request.method = "POST";
  CHECK(Outcome(request) == "not verified");
}

TEST_CASE("more of the SDK's captured calls are verified, in both schemes", "[openapi]") {
  const std::string batch =
      "FirmwareId=FW%201&MaximumPerMinute=10&NeedPush=true&OverwriteMode=2&ProductKey=pk"
      "&RetryCount=1&RetryInterval=60&SrcVersion.1=1.0.0&SrcVersion.2=1.0%201&Tag.1.Key=k"
      "&Tag.1.Value=v&TargetDeviceName.1=d1&TargetDeviceName.2=%E8%AE%BE%E5%A4%872"
      "&TargetSelection=SPECIFIC&TimeoutInMinutes=60";
  const std::string package =
      "DestVersion=2.0.0&FirmwareName=%E5%9B%BA%E4%BB%B6%20a&FirmwareSign=abc&FirmwareSize=5"
      "&FirmwareUrl=http%3A%2F%2Fh%2Fx%3Fa%3D1%26b%3D2&ModuleName=default"
      "&MultiFiles.1.FileMd5=m&MultiFiles.1.Name=a&MultiFiles.1.SignValue=s&MultiFiles.1.Size=1"
      "&MultiFiles.1.Url=u&NeedToVerify=true&ProductKey=pk&SignMethod=MD5&Type=0";
  struct Row {
    std::string action;
    std::string query;
    std::string acs3_nonce;
    std::string acs3_signature;
    std::string rpc_nonce;
    std::string rpc_signature;
  };
  const std::vector<Row> rows = {
      {"CreateOTAStaticUpgradeJob", batch, "76be9081a1411d92dc2f69e15350bb1f",
       "1cceeb7938e8ae698b42d2654bcaebccbaf7c10ba9dd50afb963f498eb27f674",
       "80433d661b6436779111ac09d807155d", "B2rJiTVV8eUW1C5usXD6JPmqsII%3D"},
      {"CreateOTAFirmware", package, "2d8c5f31a0a14538abf05777392431a5",
       "13913b327992a4691d57bab9bb104e1ee6cb828568998076797c74064227bc79",
       "70eb81d7198549c9a10ef6df7a6bc6ba", "wfnCjGS3QU3pqL00noih9ahkYjg%3D"},
      {"ListOTAFirmware", "CurrentPage=1&PageSize=10", "a5d2b0b559156835660506553e484f66",
       "06adc911c7557955e03348dad102efceb5f14e2950460727559f49bede7407dc",
       "d497aad0454d882a4e9b046714be7e42", "n%2F3crpcqpy96mhQrebM8tqLlPD8%3D"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.action);
    HttpRequest acs3 = Acs3Request();
    acs3.raw_query = row.query;
    Value(acs3, "host") = "127.0.0.1:44495";
    Value(acs3, "x-acs-action") = row.action;
    Value(acs3, "x-acs-date") = "2026-11-23T04:20:41Z";
    Value(acs3, "x-acs-signature-nonce") = row.acs3_nonce;
    Value(acs3, "authorization") =
        "ACS3-HMAC-SHA256 Credential=AKID,SignedHeaders=" + kSignedHeaders +
        ",Signature=" + row.acs3_signature;
    CHECK(Outcome(acs3, "AKSECRET") == "verified");

    const std::string query = "Action=" + row.action +
                              "&Format=json&Version=2018-01-20&Timestamp=2026-11-23T04%3A20%3A41Z"
                              "&SignatureNonce=" +
                              row.rpc_nonce + "&" + row.query +
                              "&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&AccessKeyId=AKID"
                              "&Signature=" +
                              row.rpc_signature;
    HttpRequest rpc = RpcRequest();
    rpc.raw_query = query;
    CHECK(Outcome(rpc, "AKSECRET") == "verified");
    CHECK(ParseSignedCall(rpc)->parameters == ParseSignedCall(acs3)->parameters);
  }
}

TEST_CASE("nothing that an ACS3 signature covers can be changed", "[openapi]") {
  struct Row {
    std::string what;
    std::function<void(HttpRequest&)> change;
    std::string outcome;
  };
  const std::vector<Row> rows = {
      {"nothing", [](HttpRequest&) {}, "verified"},
      {"an unsigned header", [](HttpRequest& r) { Value(r, "accept") = "x"; }, "verified"},
      {"the same query in another spelling",
       [](HttpRequest& r) {
         r.raw_query =
             "TargetSelection=SPECIFIC&TargetDeviceName.2=%62&TargetDeviceName.1=a"
             "&Tag.1.Value=v%21%27%28%29%2A%7E+%2b%e4%b8%ad&Tag.1.Key=k%2E1&SrcVersion.1=1.0"
             "&ScheduleTime=1577808000000&ProductKey=pk&NeedPush=true&MaximumPerMinute=1000"
             "&FirmwareId=F+1";
       },
       "verified"},
      {"the method", [](HttpRequest& r) { r.method = "GET"; }, "not verified"},
      {"the path", [](HttpRequest& r) { r.path = "/x"; }, "not verified"},
      {"a parameter less", [](HttpRequest& r) { r.raw_query = kQuery.substr(17); }, "not verified"},
      {"no parameters", [](HttpRequest& r) { r.raw_query = ""; }, "not verified"},
      {"the port", [](HttpRequest& r) { Value(r, "host") = "127.0.0.1:43618"; }, "not verified"},
      {"the action", [](HttpRequest& r) { Value(r, "x-acs-action") = "DeleteDevice"; },
       "not verified"},
      {"the version", [](HttpRequest& r) { Value(r, "x-acs-version") = "2018-01-21"; },
       "not verified"},
      {"the nonce", [](HttpRequest& r) { Value(r, "x-acs-signature-nonce") = "1"; },
       "not verified"},
      {"the time", [](HttpRequest& r) { Value(r, "x-acs-date") = "2026-11-23T03:45:44Z"; },
       "not verified"},
      {"the body alone", [](HttpRequest& r) { r.body = "Extra=1"; }, "SignatureDoesNotMatch"},
      {"the hash alone",
       [](HttpRequest& r) { Value(r, "x-acs-content-sha256") = std::string(64, '0'); },
       "SignatureDoesNotMatch"},
      {"body and hash",
       [](HttpRequest& r) {
         r.body = "Extra=1";
         Hash256 hash = Sha256(r.body);
         Value(r, "x-acs-content-sha256") = HexLower(hash);
       },
       "not verified"},
      {"the key's id, which is not covered: the key's secret is another",
       [](HttpRequest& r) {
         Value(r, "authorization") =
             Replaced(Value(r, "authorization"), "Credential=testid", "Credential=other");
       },
       "verified"},
      {"the list of signed headers",
       [](HttpRequest& r) {
         Value(r, "authorization") = Replaced(Value(r, "authorization"), "host;", "");
       },
       "not verified"},
      {"the signature's case",
       [](HttpRequest& r) {
         Value(r, "authorization") =
             Replaced(Value(r, "authorization"), "75365e1ac0", "75365E1AC0");
       },
       "verified"},
      {"the signature",
       [](HttpRequest& r) {
         Value(r, "authorization") =
             Replaced(Value(r, "authorization"), "75365e1ac0", "75365e1ac1");
       },
       "not verified"},
      {"the signature's end",
       [](HttpRequest& r) {
         Value(r, "authorization").resize(Value(r, "authorization").size() - 2);
       },
       "not verified"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    HttpRequest request = Acs3Request();
    row.change(request);
    CHECK(Outcome(request) == row.outcome);
  }
}

TEST_CASE("an ACS3 call that lacks something is refused by name", "[openapi]") {
  for (std::string header : {"x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce",
                             "x-acs-content-sha256"}) {
    CAPTURE(header);
    HttpRequest request = Acs3Request();
    Drop(request, header);
    CHECK(Outcome(request) == "MissingParameter");
    Value(request, header) = "";
    CHECK(Outcome(request) == "MissingParameter");

    // Sent but unsigned, it could be anybody's.
    request = Acs3Request();
    Value(request, "authorization") = Replaced(Value(request, "authorization"), header, "accept");
    CHECK(Outcome(request) == "IncompleteSignature");
  }
  HttpRequest request = Acs3Request();
  Drop(request, "host");
  CHECK(Outcome(request) == "not verified");
}

TEST_CASE("header names may come in any case", "[openapi]") {
  HttpRequest request = Acs3Request();
  for (HttpHeader& header : request.headers) header.name[0] -= 'a' - 'A';
  CHECK(Outcome(request) == "verified");
  Result<std::string> authorization = SignAcs3(request, "testid", kSecret);
  REQUIRE(authorization.ok());
  CHECK(*authorization == Value(request, "Authorization"));
}

TEST_CASE("at most 64 headers are signed", "[openapi]") {
  std::string names = kSignedHeaders;
  for (size_t count = 7; count < kSignedHeadersMax; ++count) names += ";accept";
  HttpRequest request = Acs3Request();
  Value(request, "authorization") =
      Replaced(Value(request, "authorization"), kSignedHeaders, names);
  CHECK(Outcome(request) == "not verified");
  Value(request, "authorization") =
      Replaced(Value(request, "authorization"), names, names + ";accept");
  CHECK(Outcome(request) == "IncompleteSignature");
}

TEST_CASE("a malformed Authorization is refused", "[openapi]") {
  const std::string headers = "SignedHeaders=" + kSignedHeaders;
  for (std::string value :
       {std::string("ACS3-HMAC-SHA256"), std::string("ACS3-HMAC-SHA256 "),
        std::string("ACS3-HMAC-SHA256 x"), std::string("ACS3-HMAC-SHA256 ,,,"),
        std::string("ACS3-HMAC-SHA256 Credential=testid"),
        "ACS3-HMAC-SHA256 " + headers + ",Signature=00",
        "ACS3-HMAC-SHA256 Credential=," + headers + ",Signature=00",
        std::string("ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=,Signature=00"),
        std::string("ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=;;,Signature=00"),
        "ACS3-HMAC-SHA256 Credential=testid," + headers,
        "ACS3-HMAC-SHA256 Credential=testid," + headers + ",Signature=",
        "ACS3-HMAC-SHA256 Credential=testid," + headers + ",Signature=0",
        "ACS3-HMAC-SHA256 Credential=testid," + headers + ",Signature=zz",
        "ACS3-HMAC-SHA256-X Credential=testid," + headers + ",Signature=00"}) {
    CAPTURE(value);
    HttpRequest request = Acs3Request();
    Value(request, "authorization") = value;
    CHECK(Outcome(request) == "IncompleteSignature");
  }
  HttpRequest request = Acs3Request();
  Value(request, "authorization") = "ACS3-HMAC-SHA256  Signature=" + kAcs3Signature +
                                    ", Credential=testid,  Unknown=1, " + headers;
  CHECK(Outcome(request) == "verified");

  Value(request, "authorization") = "Bearer token";
  CHECK(Outcome(request) == "MissingParameter");
  Drop(request, "authorization");
  CHECK(Outcome(request) == "MissingParameter");
}

TEST_CASE("a time in any form but one is refused", "[openapi]") {
  for (std::string date :
       {"2026-11-23T03:45:43", "2026-11-23 03:45:43Z", "2026-11-23T03:45:43.000Z",
        "2026-11-23T03:45:43+00:00", "2026-11-31T03:45:43Z", "2026-13-01T03:45:43Z",
        "2026-00-01T03:45:43Z", "2026-11-00T03:45:43Z", "2025-02-29T03:45:43Z",
        "2026-11-23T24:00:00Z", "2026-11-23T03:60:43Z", "2026-11-23T03:45:60Z",
        "-026-11-23T03:45:43Z", "2026-11-23T-3:45:43Z", "2026-11-23T 3:45:43Z",
        "2026-1a-23T03:45:43Z", "1795405543000", "Mon, 23 Nov 2026 03:45:43 GMT"}) {
    CAPTURE(date);
    HttpRequest request = Acs3Request();
    Value(request, "x-acs-date") = date;
    CHECK(Outcome(request) == "InvalidTimeStamp.Format");
    CHECK(OutcomeOfQuery(Replaced(kRpcQuery, "2026-11-23T03%3A45%3A43Z", PercentEncode(date))) ==
          "InvalidTimeStamp.Format");
  }
  for (auto [date, time_ms] : {std::pair<std::string, int64_t>{"1970-01-01T00:00:00Z", 0},
                               {"2024-02-29T23:59:59Z", 1709251199000},
                               {"9999-12-31T23:59:59Z", 253402300799000}}) {
    HttpRequest request = Acs3Request();
    Value(request, "x-acs-date") = date;
    Result<SignedCall> call = ParseSignedCall(request);
    REQUIRE(call.ok());
    CHECK(call->timestamp_ms == time_ms);
  }
}

TEST_CASE("an HMAC-SHA1 call may come in the query, in the body or in both", "[openapi]") {
  const std::string& whole = kRpcQuery;
  const std::string front = whole.substr(0, whole.find("&FirmwareId"));
  const std::string back = whole.substr(front.size() + 1);

  HttpRequest request = RpcRequest();
  request.raw_query = "";
  request.body = whole;
  CHECK(Outcome(request) == "verified");
  Value(request, "content-type") = "application/x-www-form-urlencoded; charset=UTF-8";
  CHECK(Outcome(request) == "verified");
  request.raw_query = front;
  request.body = back;
  CHECK(Outcome(request) == "verified");
  request.body = whole;
  CHECK(Outcome(request) == "DuplicateParameter");

  request.body = back;
  Value(request, "content-type") = "application/json";
  CHECK(Outcome(request) == "UnsupportedMediaType");
}

TEST_CASE("nothing that an HMAC-SHA1 signature covers can be changed", "[openapi]") {
  const std::string& good = kRpcQuery;
  CHECK(OutcomeOfQuery(good) == "verified");
  CHECK(OutcomeOfQuery(good + "&") == "verified");
  CHECK(OutcomeOfQuery(good + "&Extra=1") == "not verified");
  CHECK(OutcomeOfQuery(Replaced(good, "&NeedPush=true", "")) == "not verified");
  for (std::string name : {"Action", "Format", "Version", "SignatureNonce", "FirmwareId",
                           "AccessKeyId", "Tag.1.Value"}) {
    CAPTURE(name);
    CHECK(OutcomeOfQuery(Replaced(good, name + "=", name + "=x")) == "not verified");
  }
  CHECK(OutcomeOfQuery(Replaced(good, "03%3A45%3A43Z", "03%3A45%3A44Z")) == "not verified");
  CHECK(OutcomeOfQuery(Replaced(good, "p3rD", "p3rE")) == "not verified");

  HttpRequest request = RpcRequest();
  request.method = "GET";
  CHECK(Outcome(request) == "not verified");
}

TEST_CASE("an HMAC-SHA1 call that lacks something is refused by name", "[openapi]") {
  const std::string& good = kRpcQuery;
  for (std::string name : {"Action", "Version", "Timestamp", "SignatureNonce", "SignatureMethod",
                           "SignatureVersion", "AccessKeyId", "Signature"}) {
    CAPTURE(name);
    CHECK(OutcomeOfQuery(Replaced("&" + good, "&" + name + "=", "&x" + name + "=")) ==
          "MissingParameter");
  }
  CHECK(OutcomeOfQuery("") == "MissingParameter");
  CHECK(OutcomeOfQuery(Replaced(good, "p3rDTcnlJr5gCPpySHHBwgC%2FTp8%3D", "")) ==
        "MissingParameter");
  CHECK(OutcomeOfQuery(Replaced(good, "HMAC-SHA1", "HMAC-SHA256")) == "IncompleteSignature");
  CHECK(OutcomeOfQuery(Replaced(good, "SignatureVersion=1.0", "SignatureVersion=2.0")) ==
        "IncompleteSignature");
  CHECK(OutcomeOfQuery(Replaced(good, "p3rD", "****")) == "IncompleteSignature");
  CHECK(OutcomeOfQuery(Replaced(good, "p3rD", "p3r")) == "IncompleteSignature");
}

TEST_CASE("malformed parameters are refused before any signature", "[openapi]") {
  HttpRequest request = Acs3Request();
  request.raw_query = "a=%";
  CHECK(Outcome(request) == "MalformedEscape");
  request.raw_query = "a=%FF";
  CHECK(Outcome(request) == "MalformedUtf8");
  request.raw_query = "a=1&a=2";
  CHECK(Outcome(request) == "DuplicateParameter");
}

TEST_CASE("a call signed here is verified here, in both schemes", "[openapi]") {
  HttpRequest request{.method = "POST",
                      .path = "/",
                      .raw_query = "JobId=J%2A1&Empty=",
                      .headers = {{"content-type", "application/x-www-form-urlencoded"},
                                  {"host", "localhost"},
                                  {"user-agent", "updraft"},
                                  {"x-acs-action", "QueryOTAJob"},
                                  {"x-acs-date", "2026-11-23T03:45:43Z"},
                                  {"x-acs-security-token", "token"},
                                  {"x-acs-signature-nonce", "n1"},
                                  {"x-acs-version", "2018-01-20"}},
                      .body = "MessageContent=a%2Bb+c",
                      .peer = ""};
  CHECK(SignAcs3(request, "testid", kSecret).status().reason() == "MissingParameter");
  Value(request, "x-acs-content-sha256") = HexLower(Sha256(request.body));
  Result<std::string> authorization = SignAcs3(request, "testid", kSecret);
  REQUIRE(authorization.ok());
  Value(request, "authorization") = *authorization;
  CHECK(Outcome(request) == "verified");
  CHECK(Outcome(request, "other") == "not verified");
  CHECK(ParseSignedCall(request)->parameters ==
        Parameters{{"Empty", ""}, {"JobId", "J*1"}, {"MessageContent", "a+b c"}});
  Value(request, "user-agent") = "another";
  CHECK(Outcome(request) == "verified");
  Value(request, "x-acs-security-token") = "another";
  CHECK(Outcome(request) == "not verified");

  Value(request, "authorization") = *SignAcs3(request, "testid", "");
  CHECK(Outcome(request, "") == "not verified");

  HttpRequest captured = Acs3Request();
  CHECK(*SignAcs3(captured, "testid", kSecret) == Value(captured, "authorization"));

  Parameters parameters;
  REQUIRE(AddParameters(kRpcQuery, parameters).ok());
  std::string signature = parameters["Signature"];
  parameters.erase("Signature");
  CHECK(SignRpc("POST", parameters, kSecret) == signature);
}

}  // namespace updraft
