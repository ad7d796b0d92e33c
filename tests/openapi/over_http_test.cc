// The API behind the real HTTP server, from sockets that send exact bytes: what hostile and broken
// clients try, and that nobody else notices.
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "adapters/http/server.h"
#include "tests/http/raw_client.h"
#include "tests/openapi/console.h"

namespace updraft {
namespace {

struct Served {
  explicit Served(HttpServerOptions options = {}) : server(options) {
    server.Route("/", {"GET", "POST"},
                 AnswerCalls(
                     [this](HttpRequest request, HttpRespond respond) {
                       console.api->Handle(std::move(request), std::move(respond));
                     },
                     1 << 20));
    server.RouteBelow("/device-lists/", {"GET"},
                      AnswerCalls(
                          [this](HttpRequest request, HttpRespond respond) {
                            console.api->HandleDeviceLists(std::move(request), std::move(respond));
                          },
                          1 << 20));
    port = *server.Start();
  }

  // A good call, as it is sent.
  std::string Bytes(const std::string& action, const Parameters& parameters = {},
                    const std::string& more_headers = "") {
    return BytesOf(console.Sign(action, parameters), more_headers);
  }
  static std::string BytesOf(const HttpRequest& request, const std::string& more_headers = "") {
    std::string text =
        fmt::format("{} {}?{} HTTP/1.1\r\n", request.method, request.path, request.raw_query);
    for (const HttpHeader& header : request.headers) {
      text += fmt::format("{}: {}\r\n", header.name, header.value);
    }
    return text + fmt::format("Content-Length: {}\r\n{}\r\n{}", request.body.size(), more_headers,
                              request.body);
  }
  bool ServesOthers() {
    std::string answer = RawClient(port).Ask(Bytes("ListAccessKeys"));
    return StatusOf(answer) == "HTTP/1.1 200 OK" &&
           BodyOf(answer).find("\"Success\":true") != std::string::npos;
  }

  Console console;
  HttpServer server;
  uint16_t port = 0;
};

// The answer's code; "" of a success and of an answer without a body.
std::string CodeIn(const std::string& answer) {
  Json json = Json::parse(BodyOf(answer), nullptr, false);
  return json.is_object() ? json.value("Code", "") : "";
}

}  // namespace

TEST_CASE("a call goes through, in both signatures", "[openapi_http]") {
  Served served;
  served.console.scheme = GENERATE(Console::Scheme::kAcs3, Console::Scheme::kRpc);
  CHECK(served.ServesOthers());
}

TEST_CASE("broken heads are refused, counted, and nobody else notices", "[openapi_http]") {
  Served served;
  const std::string call = served.Bytes("ListAccessKeys");
  const std::string head = call.substr(0, call.size() - 2);  // Without the line that ends it.
  const std::string smuggled = served.Bytes("ListAccessKeys");
  struct Case {
    const char* what;
    std::string bytes;
    std::string status;
  };
  std::string many;
  for (int i = 0; i < 101; ++i) many += fmt::format("X-{}: 1\r\n", i);
  for (const Case& c : std::vector<Case>{
           {"two lengths", head + "Content-Length: 0\r\n\r\n" + smuggled, "400 Bad Request"},
           {"two unlike lengths", head + "Content-Length: 5\r\n\r\n" + smuggled, "400 Bad Request"},
           {"a length and chunks", head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
            "400 Bad Request"},
           {"a coding by a trick", head + "Transfer-Encoding: xchunked\r\n\r\n" + smuggled,
            "400 Bad Request"},
           {"a coding in a folded line", head + "Transfer-Encoding:\r\n chunked\r\n\r\n" + smuggled,
            "400 Bad Request"},
           {"a blank before the colon", head + "Content-Length : 9\r\n\r\n" + smuggled,
            "400 Bad Request"},
           {"a NUL in a header", head + "A: b" + std::string(1, '\0') + "c\r\n\r\n",
            "400 Bad Request"},
           {"too many headers", head + many + "\r\n", "431 Request Header Fields Too Large"},
           {"a large header", head + "A: " + std::string(40'000, 'x') + "\r\n\r\n",
            "431 Request Header Fields Too Large"},
           {"an enormous query", "POST /?" + std::string(70'000, 'q') + " HTTP/1.1\r\n\r\n",
            "414 URI Too Long"},
           {"a huge length", "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "400 Bad Request"},
           {"a length past the bound", "POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n",
            "413 Payload Too Large"},
           {"a path of another", "GET /../../etc/passwd HTTP/1.1\r\n\r\n", "404 Not Found"},
           {"a path upwards", "GET /device-lists/../../../etc/passwd HTTP/1.1\r\n\r\n",
            "404 Not Found"},
           {"a path upwards, encoded", "GET /device-lists/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n\r\n",
            "404 Not Found"},
       }) {
    CAPTURE(c.what);
    const int status = std::stoi(c.status);
    const uint64_t before = served.server.stats().refusals.at(status - 400);
    RawClient client(served.port);
    client.Send(c.bytes);
    client.ShutdownWrite();
    std::string answers = client.ReadToClose();
    CHECK(StatusOf(answers) == "HTTP/1.1 " + c.status);
    CHECK(answers.find("\"Success\":true") == std::string::npos);  // Nothing was smuggled.
    CHECK(served.server.stats().refusals.at(status - 400) == before + 1);
  }
  CHECK(served.ServesOthers());
}

// Both are allowed to a server; what matters is that head and body end where the client says.
TEST_CASE("bare line feeds and folded lines end a head where they should", "[openapi_http]") {
  Served served;
  std::string lf = served.Bytes("ListAccessKeys");
  for (size_t at; (at = lf.find('\r')) != lf.npos;) lf.erase(at, 1);
  RawClient client(served.port);
  std::string first = client.Ask(lf);
  CHECK((StatusOf(first) == "HTTP/1.1 200 OK" || StatusOf(first) == "HTTP/1.1 400 Bad Request"));
  CHECK(served.ServesOthers());
}

TEST_CASE("broken calls are refused with their codes, which are counted", "[openapi_http]") {
  Served served;
  Console& console = served.console;
  auto rpc = [&](Parameters more) {
    console.scheme = Console::Scheme::kRpc;
    std::string bytes = served.Bytes("ListAccessKeys", more);
    console.scheme = Console::Scheme::kAcs3;
    return bytes;
  };
  auto with_query = [&](const std::string& query) {
    HttpRequest request = console.Sign("ListAccessKeys", {});
    request.raw_query = query;
    return Served::BytesOf(request);
  };
  auto authorized = [](const std::string& value) {
    return fmt::format("POST / HTTP/1.1\r\nAuthorization: {}\r\n\r\n", value);
  };
  HttpRequest form = console.Sign("ListAccessKeys", {});
  form.raw_query = "PageSize=1";
  form.body = "PageSize=2";
  struct Case {
    std::string bytes;
    std::string status, code;
  };
  for (const Case& c : std::vector<Case>{
           {with_query("A=%FF%FE"), "400 Bad Request", "MalformedUtf8"},
           {with_query("A=%C0%AF"), "400 Bad Request", "MalformedUtf8"},
           {with_query("A=%ED%A0%80"), "400 Bad Request", "MalformedUtf8"},
           {with_query("A=%4"), "400 Bad Request", "MalformedEscape"},
           {with_query("A=%zz"), "400 Bad Request", "MalformedEscape"},
           {with_query("A=1&A=1"), "400 Bad Request", "DuplicateParameter"},
           {Served::BytesOf(form), "400 Bad Request", "DuplicateParameter"},
           {with_query("PageSize=5"), "403 Forbidden", "SignatureDoesNotMatch"},
           {with_query(std::string(60'000, 'q')), "403 Forbidden", "SignatureDoesNotMatch"},
           {rpc({{"PageSize", "99999999999999999999"}}), "200 OK", "iot.common.InvalidPageParams"},
           {rpc({{"PageSize", "-1"}}), "200 OK", "iot.common.InvalidPageParams"},
           {rpc({{"PageSize", "1e3"}}), "200 OK", "iot.common.InvalidPageParams"},
           {rpc({{"SignatureMethod", "HMAC-SHA256"}}), "400 Bad Request", "IncompleteSignature"},
           {rpc({{"SignatureVersion", "2.0"}}), "400 Bad Request", "IncompleteSignature"},
           {rpc({{"Timestamp", "yesterday"}}), "400 Bad Request", "InvalidTimeStamp.Format"},
           {rpc({{"Timestamp", "2026-11-23T03:30:42Z"}}), "400 Bad Request",
            "InvalidTimeStamp.Expired"},
           {authorized("ACS3-HMAC-SM3 Credential=a,SignedHeaders=host,Signature=00"),
            "400 Bad Request", "IncompleteSignature"},
           {authorized("ACS3-HMAC-SHA256"), "400 Bad Request", "IncompleteSignature"},
           {authorized("Bearer abc"), "400 Bad Request", "MissingParameter"},
           {"GET / HTTP/1.1\r\n\r\n", "400 Bad Request", "MissingParameter"},
       }) {
    CAPTURE(c.bytes.substr(0, 300), c.code);
    const uint64_t before = console.api->Refusals()[c.code];
    std::string answer = RawClient(served.port).Ask(c.bytes);
    CHECK(StatusOf(answer) == "HTTP/1.1 " + c.status);
    CHECK(CodeIn(answer) == c.code);
    CHECK(console.api->Refusals()[c.code] == before + 1);
  }
  CHECK(served.ServesOthers());
}

TEST_CASE("a NUL and control characters in a parameter are a text like any other, or refused",
          "[openapi_http]") {
  Served served;
  std::string name("a\0b\r\nInjected: 1", 15);
  std::string answer =
      RawClient(served.port)
          .Ask(served.Bytes("CreateProduct", {{"NodeType", "0"}, {"ProductName", name}}));
  CHECK(CodeIn(answer) == "iot.prod.InvalidFormattedProductName");
  CHECK(answer.find("\r\nInjected") == std::string::npos);
}

TEST_CASE("a call that was listened to is taken once", "[openapi_http]") {
  Served served;
  std::string bytes = served.Bytes("ListAccessKeys");
  CHECK(CodeIn(RawClient(served.port).Ask(bytes)) == "");
  CHECK(CodeIn(RawClient(served.port).Ask(bytes)) == "SignatureNonceUsed");
}

TEST_CASE("a security token is tolerated, in a signed header and as a parameter",
          "[openapi_http]") {
  Served served;
  HttpRequest request = served.console.Sign("ListAccessKeys", {});
  CHECK(CodeIn(RawClient(served.port)
                   .Ask(Served::BytesOf(request, "x-acs-security-token: abc\r\n"))) == "");
  served.console.scheme = Console::Scheme::kRpc;
  CHECK(CodeIn(RawClient(served.port)
                   .Ask(served.Bytes("ListAccessKeys", {{"SecurityToken", "abc"}}))) == "");
}

TEST_CASE("a key over its rate is throttled, and another key is not", "[openapi_http]") {
  Served served;
  Console& console = served.console;
  console.options.rate_factor = 1;
  console.api = std::make_unique<OpenApi>(*console.engine, console.files, console.options);
  const Parameters page = {{"CurrentPage", "1"}, {"PageSize", "1"}};
  RawClient client(served.port);
  for (int i = 0; i < 10; ++i)
    CHECK(CodeIn(client.Ask(served.Bytes("QueryProductList", page))) == "");
  std::string answer = client.Ask(served.Bytes("QueryProductList", page));
  CHECK(StatusOf(answer) == "HTTP/1.1 429 Too Many Requests");
  CHECK(CodeIn(answer) == "Throttling");
  std::swap(console.access_key_id, console.guest_id);
  std::swap(console.secret, console.guest_secret);
  CHECK(CodeIn(client.Ask(served.Bytes("QueryProductList", page))) == "");
}

TEST_CASE("slow clients of every kind do not hold the server", "[openapi_http]") {
  Served served;
  std::vector<RawClient> slow;
  std::string body(1'000, 'x');
  for (int i = 0; i < 300; ++i) {
    slow.emplace_back(served.port, /*receive_buffer_bytes=*/4096);
    switch (i % 4) {
      case 0:  // Holds its head back.
        slow.back().Send("POST / HTTP/1.1\r\nX: ");
        break;
      case 1:  // Holds its body back.
        slow.back().Send("POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\nx");
        break;
      case 2:  // Asks and does not read the answers.
        for (int j = 0; j < 20; ++j) {
          slow.back().Send("GET /device-lists/template.csv HTTP/1.1\r\n\r\n");
        }
        break;
      default:  // Connects and says nothing.
        break;
    }
    if (i % 100 == 99) CHECK(served.ServesOthers());
  }
  CHECK(served.ServesOthers());
  CHECK(served.server.stats().connections_open >= 300);
}

TEST_CASE("clients who keep the server waiting lose their connections", "[openapi_http]") {
  using std::chrono::milliseconds;
  Served served({.head_timeout = milliseconds(50),
                 .idle_timeout = milliseconds(50),
                 .body_timeout = milliseconds(50)});
  RawClient head(served.port), body(served.port), idle(served.port);
  head.Send("POST / HTTP/1.1\r\nX: ");
  body.Send("POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\nx");
  CHECK(head.ReadToClose() == "");
  CHECK(StatusOf(body.ReadToClose()) == "HTTP/1.1 408 Request Timeout");
  CHECK(idle.ReadToClose() == "");
  CHECK(served.ServesOthers());
}

}  // namespace updraft
