#include "tests/fleet/download.h"

#include <string>
#include <thread>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "events/base/bytes.h"
#include "events/base/owned_fd.h"

namespace updraft {
namespace {

TEST_CASE("a head is taken as the C SDKs take it") {
  auto head = ReadDownloadHead("HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\n\r\n", 5);
  CHECK(head.acceptable);
  CHECK(head.content_bytes == 12);
  CHECK(ReadDownloadHead("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", 0).acceptable);
}

TEST_CASE("a head that a fielded client cannot read is refused") {
  std::string length = "Content-Length: 12\r\n";
  std::string long_line = "X: " + std::string(124, 'x') + "\r\n";  // 129 bytes with its end.
  std::string many;
  for (int i = 0; i < 20; ++i) many += "X-Header: " + std::string(40, 'x') + "\r\n";
  auto head = GENERATE_COPY(std::string("HTTP/1.0 200 OK\r\n") + length + "\r\n",
                            "HTTP/1.1 404 Not Found\r\n" + length,
                            std::string("HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n"),
                            std::string("HTTP/1.1 200 OK\r\nContent-Length:12\r\n\r\n"),
                            std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                            "HTTP/1.1 200 OK\r\n" + length + long_line + "\r\n",
                            "HTTP/1.1 200 OK\r\n" + length + many + "\r\n");
  CHECK_FALSE(ReadDownloadHead(head, 0).acceptable);
}

TEST_CASE("a download that was begun before is not taken up by the whole file") {
  CHECK_FALSE(ReadDownloadHead("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", 5).acceptable);
}

// Gives each connection the next answer, then closes it; keeps what it was asked.
class Server {
 public:
  explicit Server(std::vector<std::string> answers)
      : listener_(socket(AF_INET, SOCK_STREAM, 0)), answers_(std::move(answers)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(listen(listener_.get(), 8) == 0);
    socklen_t size = sizeof(address);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/f";
    thread_ = std::thread([this] {
      for (const std::string& answer : answers_) {
        OwnedFd client(accept(listener_.get(), nullptr, nullptr));
        std::string request;
        char byte;
        while (!request.ends_with("\r\n\r\n") && read(client.get(), &byte, 1) == 1) {
          request += byte;
        }
        requests_.push_back(request);
        if (write(client.get(), answer.data(), answer.size()) < 0) return;
      }
    });
  }
  ~Server() {
    if (thread_.joinable()) thread_.join();
  }

  const std::string& url() const { return url_; }
  const std::vector<std::string>& Requests() {
    thread_.join();
    return requests_;
  }

 private:
  OwnedFd listener_;
  std::vector<std::string> answers_;
  std::string url_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

struct Listener : Download::User {
  std::vector<int> percents;
  std::optional<Download::Result> result;
  uint64_t bytes = 0;

  void OnPercent(int percent) override { percents.push_back(percent); }
  void OnResult(Download::Result r, uint64_t b) override {
    result = r;
    bytes = b;
  }
};

ReceivedNotice Notice(const std::string& url, const std::string& file) {
  return {.size_bytes = file.size(),
          .version = "2",
          .url = url,
          .sha256 = true,
          .sign = HexLower(Sha256(file))};
}

void RunToEnd(Loop& loop, Listener& listener) {
  bool late = false;
  loop.After(20'000, [&] { late = true; });
  loop.RunUntil([&] { return late || listener.result; });
  REQUIRE_FALSE(late);
}

TEST_CASE("a download tells of every twentieth and checks the digest") {
  std::string file(1'003, 'x');
  Server server({"HTTP/1.1 206 Partial Content\r\nContent-Length: 1003\r\n\r\n" + file});
  Loop loop;
  Listener listener;
  Download download(loop, Notice(server.url(), file), 0, listener);
  RunToEnd(loop, listener);
  CHECK(listener.result == Download::Result::kDone);
  CHECK(listener.bytes == 1'003);
  REQUIRE(listener.percents.size() == 21);
  for (int i = 0; i <= 20; ++i) CHECK(listener.percents[i] == i * 5);
}

TEST_CASE("a file that is another is seen by its digest") {
  std::string file(100, 'x'), other(100, 'y');
  Server server({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + other});
  Loop loop;
  Listener listener;
  Download download(loop, Notice(server.url(), file), 0, listener);
  RunToEnd(loop, listener);
  CHECK(listener.result == Download::Result::kWrongDigest);
}

TEST_CASE("a download that was cut goes on where it was") {
  std::string file(60, 'x');
  file += std::string(40, 'y');
  // Thirty bytes are whole twentieths; two more are not.
  Server server({"HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\n\r\n" + file.substr(0, 30),
                 "HTTP/1.1 206 Partial Content\r\nContent-Length: 70\r\n\r\n" + file.substr(30)});
  Loop loop;
  Listener listener;
  Download download(loop, Notice(server.url(), file), 0, listener);
  RunToEnd(loop, listener);
  CHECK(listener.result == Download::Result::kDone);
  CHECK(download.requests() == 2);
  const auto& requests = server.Requests();
  CHECK(requests[0].find("\r\nRange: bytes=0-\r\n") != std::string::npos);
  CHECK(requests[1].find("\r\nRange: bytes=30-\r\n") != std::string::npos);
}

TEST_CASE("an answer of another length is refused") {
  std::string file(100, 'x');
  Server server({"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + file});
  Loop loop;
  Listener listener;
  Download download(loop, Notice(server.url(), file), 0, listener);
  RunToEnd(loop, listener);
  CHECK(listener.result == Download::Result::kRefused);
}

}  // namespace
}  // namespace updraft
