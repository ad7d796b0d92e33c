#include "adapters/http/downloads.h"

#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "adapters/http/server.h"
#include "tests/http/memory.h"
#include "tests/http/raw_client.h"
#include "tests/http/temporary_file.h"

namespace updraft {
namespace {

constexpr std::string_view kEtag = "ba7816bf8f01cfea414140de5dae2223";

// Serves one file below /d/ to those who have the token.
struct Served {
  explicit Served(std::string_view content, HttpServerOptions options = {})
      : file(content), size(content.size()), server(options) {
    server.RouteBelow("/d/", {"GET"},
                      ServeDownloads([this](auto path, auto query) { return Open(path, query); }));
    server.Route("/", {"GET"},
                 AnswerCalls(
                     [](HttpRequest, HttpRespond respond) {
                       respond({200, {}, "other"});
                     },
                     0));
    port = *server.Start();
  }

  Result<DownloadFile> Open(std::string_view path, std::string_view query) {
    if (query != "token") return Status(StatusCode::kPermissionDenied, "forged");
    if (path == "/d/broken") return Status(StatusCode::kInternal, "the disk is gone");
    if (path != "/d/f") return Status(StatusCode::kNotFound, "no such file");
    return DownloadFile{file.Open(), size, std::string(kEtag)};
  }

  TemporaryFile file;
  uint64_t size;
  HttpServer server;
  uint16_t port = 0;
};

std::string Get(std::string_view headers, std::string_view target = "/d/f?token",
                std::string_view method = "GET") {
  return fmt::format("{} {} HTTP/1.1\r\nHost: h\r\n{}\r\n", method, target, headers);
}

// Each slow reader costs three: its socket, the server's and the file.
void AllowManyDescriptors() {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Bytes of which no two chunks are the same.
std::string Content(size_t size) {
  std::string content(size, '\0');
  uint32_t state = 1;
  for (char& c : content) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return content;
}

}  // namespace

TEST_CASE("a whole file's head has exactly these bytes", "[http][downloads]") {
  Served served("0123456789");
  CHECK(RawClient(served.port).Ask(Get("")) ==
        "HTTP/1.1 200 OK\r\n"
        "Content-Length: 10\r\n"
        "Content-Type: application/octet-stream\r\n"
        "Accept-Ranges: bytes\r\n"
        "ETag: \"ba7816bf8f01cfea414140de5dae2223\"\r\n"
        "\r\n0123456789");
}

TEST_CASE("a part's head has exactly these bytes", "[http][downloads]") {
  Served served("0123456789");
  // As the vendor's C SDK asks, which sends a length with its GET.
  CHECK(RawClient(served.port)
            .Ask("GET /d/f?token HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html, "
                 "application/xhtml+xml, application/xml;q=0.9, */*;q=0.8\r\n"
                 "Range: bytes=0-\r\nContent-Length: 0\r\n\r\n") ==
        "HTTP/1.1 206 Partial Content\r\n"
        "Content-Length: 10\r\n"
        "Content-Type: application/octet-stream\r\n"
        "Accept-Ranges: bytes\r\n"
        "ETag: \"ba7816bf8f01cfea414140de5dae2223\"\r\n"
        "Content-Range: bytes 0-9/10\r\n"
        "\r\n0123456789");
}

TEST_CASE("a client that takes gzip gets the bytes as they are", "[http][downloads]") {
  Served served("0123456789");
  std::string answer = RawClient(served.port).Ask(Get("Accept-Encoding: gzip, deflate\r\n"));
  CHECK(answer.find("Encoding") == answer.npos);
  CHECK(BodyOf(answer) == "0123456789");
}

TEST_CASE("parts are exactly what was asked for", "[http][downloads]") {
  Served served("0123456789");
  RawClient client(served.port);
  auto part = [&](std::string_view headers) {
    std::string answer = client.Ask(Get(headers));
    return std::pair(StatusOf(answer), BodyOf(answer));
  };
  const std::string k206 = "HTTP/1.1 206 Partial Content", k200 = "HTTP/1.1 200 OK";
  CHECK(part("Range: bytes=3-5\r\n") == std::pair(k206, std::string("345")));
  CHECK(part("Range: bytes=7-\r\n") == std::pair(k206, std::string("789")));
  CHECK(part("Range: bytes=-2\r\n") == std::pair(k206, std::string("89")));
  CHECK(part("Range: bytes=1-2,4-5\r\n") == std::pair(k200, std::string("0123456789")));
  CHECK(part("Range: lines=1-2\r\n") == std::pair(k200, std::string("0123456789")));
  CHECK(part(fmt::format("Range: bytes=9-\r\nIf-Range: \"{}\"\r\n", kEtag)) ==
        std::pair(k206, std::string("9")));
  CHECK(part("Range: bytes=9-\r\nIf-Range: \"other\"\r\n") ==
        std::pair(k200, std::string("0123456789")));
}

TEST_CASE("a range past the end is told the file's size", "[http][downloads]") {
  Served served("0123456789");
  CHECK(RawClient(served.port).Ask(Get("Range: bytes=10-\r\n")) ==
        "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n"
        "Content-Range: bytes */10\r\n\r\n");
}

TEST_CASE("HEAD tells of the whole file and sends nothing", "[http][downloads]") {
  Served served("0123456789");
  RawClient client(served.port);
  client.Send(Get("Range: bytes=3-5\r\n", "/d/f?token", "HEAD") + Get(""));
  std::string head = client.ReadHead();
  CHECK(StatusOf(head) == "HTTP/1.1 200 OK");
  CHECK(head.find("\r\nContent-Length: 10\r\n") != head.npos);
  CHECK(BodyOf(client.ReadAnswer()) == "0123456789");
}

TEST_CASE("an error has no body", "[http][downloads]") {
  Served served("0123456789");
  RawClient client(served.port);
  CHECK(client.Ask(Get("", "/d/f?forged")) ==
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  CHECK(client.Ask(Get("", "/d/../../etc/passwd?token")) ==
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  CHECK(client.Ask(Get("", "/d/%2e%2e/f?token")) ==
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  CHECK(client.Ask(Get("", "/d/broken?token")) ==
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("an empty file is sent as such", "[http][downloads]") {
  Served served("");
  std::string answer = RawClient(served.port).Ask(Get(""));
  CHECK(StatusOf(answer) == "HTTP/1.1 200 OK");
  CHECK(answer.find("\r\nContent-Length: 0\r\n") != answer.npos);
}

TEST_CASE("files of every size around a chunk arrive whole", "[http][downloads]") {
  for (size_t size : {65535, 65536, 65537, 131072, 1'000'000}) {
    CAPTURE(size);
    std::string content = Content(size);
    Served served(content);
    RawClient client(served.port);
    CHECK(BodyOf(client.Ask(Get(""))) == content);
    CHECK(BodyOf(client.Ask(Get("Range: bytes=65530-\r\n"))) == content.substr(65530));
  }
}

TEST_CASE("a file that is not in the system's cache arrives whole", "[http][downloads]") {
  std::string content = Content(1'000'000);
  Served served(content);
  OwnedFd fd = served.file.Open();
  REQUIRE(fsync(fd.get()) == 0);
  REQUIRE(posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED) == 0);
  CHECK(BodyOf(RawClient(served.port).Ask(Get(""))) == content);
}

TEST_CASE("a file that is shorter than was told breaks the connection", "[http][downloads]") {
  Served served(Content(100'000));
  served.size = 200'000;
  std::string answer = RawClient(served.port).Ask(Get(""));
  CHECK(BodyOf(answer).size() == 100'000);
}

TEST_CASE("a client that takes nothing for too long is given up", "[http][downloads]") {
  Served served(Content(20'000'000), {.stall_timeout = std::chrono::milliseconds(100)});
  RawClient client(served.port, /*receive_buffer_bytes=*/4096);
  client.Send(Get(""));
  CHECK(StatusOf(client.ReadHead()) == "HTTP/1.1 200 OK");
  while (served.server.stats().connections_open > 0) std::this_thread::yield();
  CHECK(client.ReadToClose().size() < 20'000'000);
}

TEST_CASE("many slow readers hold up nobody, and each gets its file", "[http][downloads]") {
  const std::string content = Content(8'000'000);
  AllowManyDescriptors();
  Served served(content);
  uint64_t before = ResidentBytes();
  std::vector<RawClient> slow;
  for (int i = 0; i < 500; ++i) {
    slow.emplace_back(served.port, /*receive_buffer_bytes=*/4096);
    slow.back().Send(Get(""));
    REQUIRE(StatusOf(slow.back().ReadHead()) == "HTTP/1.1 200 OK");
  }
  // All of them wait for room now, and others are served.
  RawClient other(served.port);
  CHECK(BodyOf(other.Ask(Get("", "/"))) == "other");
  CHECK(BodyOf(other.Ask(Get(""))) == content);
  if (kMemoryIsPlain) CHECK(ResidentBytes() - before < 100 * 1'048'576);
  while (slow.size() > 10) slow.pop_back();
  for (RawClient& client : slow) CHECK(client.ReadExactly(content.size()) == content);
}

}  // namespace updraft
