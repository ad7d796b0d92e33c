#include "adapters/http/uploads.h"

#include <future>
#include <mutex>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "adapters/http/downloads.h"
#include "adapters/http/server.h"
#include "tests/http/memory.h"
#include "tests/http/raw_client.h"
#include "tests/http/temporary_file.h"

namespace updraft {
namespace {

constexpr uint64_t kServerMax = 200'000;  // Of any file.
constexpr uint64_t kTargetMax = 100'000;  // Of this one.

// What the server was given.
struct Received {
  UploadForm form;
  std::string content;
  bool finished = false;
  std::promise<void> gone;
  Status on_write, on_finish;  // What the sink answers.
};

class Sink final : public UploadSink {
 public:
  explicit Sink(Received& received) : received_(received) {}
  ~Sink() override { received_.gone.set_value(); }
  Status Write(std::string_view bytes) override {
    received_.content += bytes;
    return received_.on_write;
  }
  Status Finish() override {
    received_.finished = true;
    return received_.on_finish;
  }

 private:
  Received& received_;
};

struct Served {
  Served() : server(HttpServerOptions{}) {
    server.Route("/upload", {"POST"},
                 ServeUploads([this](const UploadForm& form) { return Begin(form); }, kServerMax));
    port = *server.Start();
  }

  Result<UploadTarget> Begin(const UploadForm& form) {
    received.form = form;
    if (form.signature != "good") {
      return Status(StatusCode::kPermissionDenied, "BAD_TICKET", "the ticket is forged");
    }
    return UploadTarget{std::make_unique<Sink>(received), kTargetMax};
  }

  std::string Post(const std::string& form) {
    return RawClient(port).Ask(
        fmt::format("{}Content-Length: {}\r\n\r\n{}", kHead, form.size(), form));
  }

  static constexpr std::string_view kHead =
      "POST /upload HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\n";

  Received received;
  HttpServer server;
  uint16_t port = 0;
};

std::string Field(std::string_view name, std::string_view value) {
  return fmt::format("--B\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n", name,
                     value);
}

std::string FileHead() {
  return "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"fw.bin\"\r\n"
         "Content-Type: application/octet-stream\r\n\r\n";
}

std::string Form(std::string_view content, std::string_view status = "200") {
  return Field("key", "k.bin") + Field("policy", "p") + Field("OSSAccessKeyId", "id") +
         Field("Signature", "good") + Field("success_action_status", status) +
         Field("x-unknown", "u") + FileHead() + std::string(content) + "\r\n--B--\r\n";
}

}  // namespace

TEST_CASE("a posted form's fields and file arrive", "[http][uploads]") {
  Served served;
  CHECK(served.Post(Form("content")) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  CHECK(served.received.form.key == "k.bin");
  CHECK(served.received.form.policy == "p");
  CHECK(served.received.form.access_key_id == "id");
  CHECK(served.received.form.signature == "good");
  CHECK(served.received.form.file_name == "fw.bin");
  CHECK(served.received.content == "content");
  CHECK(served.received.finished);
}

TEST_CASE("a device list's form names its key field otherwise", "[http][uploads]") {
  Served served;
  served.Post(Field("AccessKeyId", "id") + Field("signature", "good") + FileHead() + "x\r\n--B--");
  CHECK(served.received.form.access_key_id == "id");
  CHECK(served.received.finished);
}

TEST_CASE("a good upload is answered as its form asks", "[http][uploads]") {
  struct Case {
    std::string_view asked, status;
  };
  for (const Case& c : {Case{"200", "HTTP/1.1 200 OK"}, Case{"201", "HTTP/1.1 201 Created"},
                        Case{"204", "HTTP/1.1 204 No Content"}, Case{"", "HTTP/1.1 204 No Content"},
                        Case{"500", "HTTP/1.1 204 No Content"}}) {
    CAPTURE(c.asked);
    Served served;
    CHECK(StatusOf(served.Post(Form("x", c.asked))) == c.status);
  }
}

TEST_CASE("a connection is kept after an upload", "[http][uploads]") {
  Served served;
  std::string form = Form("x");
  RawClient client(served.port);
  std::string request =
      fmt::format("{}Content-Length: {}\r\n\r\n{}", Served::kHead, form.size(), form);
  CHECK(StatusOf(client.Ask(request)) == "HTTP/1.1 200 OK");
  CHECK(StatusOf(client.Ask("GET /none HTTP/1.1\r\n\r\n")) == "HTTP/1.1 404 Not Found");
}

TEST_CASE("a chunked upload arrives", "[http][uploads]") {
  Served served;
  std::string form = Form("chunks");
  std::string request = fmt::format("{}Transfer-Encoding: chunked\r\n\r\n", Served::kHead);
  for (char c : form) request += fmt::format("1\r\n{}\r\n", c);
  CHECK(StatusOf(RawClient(served.port).Ask(request + "0\r\n\r\n")) == "HTTP/1.1 200 OK");
  CHECK(served.received.content == "chunks");
}

TEST_CASE("a file is taken up to its bound and not past it", "[http][uploads]") {
  std::string most(kTargetMax, 'x');
  {
    Served served;
    CHECK(StatusOf(served.Post(Form(most))) == "HTTP/1.1 200 OK");
    CHECK(served.received.content.size() == kTargetMax);
  }
  {
    Served served;
    std::string answer = served.Post(Form(most + "x"));
    CHECK(StatusOf(answer) == "HTTP/1.1 413 Payload Too Large");
    CHECK(BodyOf(answer) ==
          R"({"Code":"FILE_TOO_LARGE","Message":"the file has more than 100000 bytes"})");
    CHECK(served.received.content.empty());  // Known before its first byte.
  }
  {
    Served served;
    std::string chunked =
        fmt::format("{0}Transfer-Encoding: chunked\r\n\r\n{2:x}\r\n{1}\r\n0\r\n\r\n", Served::kHead,
                    Form(most + "x"), Form(most + "x").size());
    CHECK(StatusOf(RawClient(served.port).Ask(chunked)) == "HTTP/1.1 413 Payload Too Large");
    CHECK_FALSE(served.received.finished);
  }
}

TEST_CASE("an upload that is too large for any file is refused unread", "[http][uploads]") {
  Served served;
  RawClient client(served.port);
  client.Send(fmt::format("{}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", Served::kHead,
                          kServerMax + 64 * 1024 + 1));
  CHECK(StatusOf(client.ReadToClose()) == "HTTP/1.1 413 Payload Too Large");
}

TEST_CASE("a client that waits to be asked is asked", "[http][uploads]") {
  Served served;
  std::string form = Form("x");
  RawClient client(served.port);
  client.Send(fmt::format("{}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", Served::kHead,
                          form.size()));
  CHECK(client.ReadHead() == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(StatusOf(client.Ask(form)) == "HTTP/1.1 200 OK");
}

TEST_CASE("a bad ticket is refused when the file begins", "[http][uploads]") {
  Served served;
  RawClient client(served.port);
  client.Send(fmt::format("{}Content-Length: 90000\r\n\r\n{}{}", Served::kHead,
                          Field("signature", "forged"), FileHead() + std::string(20'000, 'x')));
  std::string answer = client.ReadAnswer();
  CHECK(StatusOf(answer) == "HTTP/1.1 403 Forbidden");
  CHECK(BodyOf(answer) == R"({"Code":"BAD_TICKET","Message":"the ticket is forged"})");
}

TEST_CASE("forms that are not as they should be are refused", "[http][uploads]") {
  const std::string good = Field("signature", "good");
  for (const std::string& form : std::vector<std::string>{
           "",
           "--B--",
           good + "--B--",
           good + FileHead() + "cut off",
           good + FileHead() + "x\r\n" + Field("key", "after the file") + "--B--",
           good + FileHead() + "x\r\n" + FileHead() + "y\r\n--B--",
           good + good + FileHead() + "x\r\n--B--",
           Field("key", std::string(8 * 1024 + 1, 'k')) + good + FileHead() + "x\r\n--B--",
           Field("other", std::string(8 * 1024 + 1, 'k')) + good + FileHead() + "x\r\n--B--",
       }) {
    CAPTURE(form.substr(0, 200));
    Served served;
    std::string answer = served.Post(form);
    CHECK(StatusOf(answer) == "HTTP/1.1 400 Bad Request");
    CHECK(answer.find("MALFORMED_FORM") != answer.npos);
    CHECK_FALSE(served.received.finished);
  }
}

TEST_CASE("a form's fields are taken up to their bounds and not past them", "[http][uploads]") {
  auto post = [](size_t fields, size_t value_bytes) {
    Served served;
    std::string form = Field("signature", "good");
    for (size_t i = 1; i < fields; ++i) form += Field("x", std::string(value_bytes, 'v'));
    return StatusOf(served.Post(form + FileHead() + "x\r\n--B--"));
  };
  CHECK(post(32, 1) == "HTTP/1.1 204 No Content");
  CHECK(post(33, 1) == "HTTP/1.1 400 Bad Request");
  CHECK(post(2, 8 * 1024) == "HTTP/1.1 204 No Content");
  CHECK(post(2, 8 * 1024 + 1) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("a body that is no form is refused", "[http][uploads]") {
  Served served;
  std::string answer = RawClient(served.port)
                           .Ask(
                               "POST /upload HTTP/1.1\r\nContent-Type: application/zip\r\n"
                               "Content-Length: 1\r\n\r\nx");
  CHECK(StatusOf(answer) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("what goes wrong with the file is answered, and what is inside stays inside",
          "[http][uploads]") {
  struct Case {
    Status on_write, on_finish;
    std::string status, body;
  };
  for (const Case& c : std::vector<Case>{
           {Status(StatusCode::kUnavailable, "DISK_FULL", "cannot write /data/x"), OkStatus(),
            "503 Service Unavailable",
            R"({"Code":"DISK_FULL","Message":"the file cannot be stored now"})"},
           {OkStatus(), Status(StatusCode::kInternal, "cannot sync /data/x"),
            "500 Internal Server Error",
            R"({"Code":"INTERNAL","Message":"the file cannot be stored"})"},
           {OkStatus(), Status(StatusCode::kInvalidArgument, "FILE_EMPTY", "the file is empty"),
            "400 Bad Request", R"({"Code":"FILE_EMPTY","Message":"the file is empty"})"},
       }) {
    Served served;
    served.received.on_write = c.on_write;
    served.received.on_finish = c.on_finish;
    std::string answer = served.Post(Form("x"));
    CHECK(StatusOf(answer) == "HTTP/1.1 " + c.status);
    CHECK(BodyOf(answer) == c.body);
  }
}

TEST_CASE("an upload that breaks off is dropped", "[http][uploads]") {
  Served served;
  {
    RawClient client(served.port);
    client.Send(fmt::format("{}Content-Length: 90000\r\n\r\n{}{}{}", Served::kHead,
                            Field("signature", "good"), FileHead(), std::string(40'000, 'x')));
  }
  served.received.gone.get_future().get();
  CHECK_FALSE(served.received.finished);
}

TEST_CASE("a hundred megabytes go up and down in constant memory", "[http][uploads]") {
  constexpr size_t kPieces = 1600, kPieceBytes = 65'536;
  // Writes to a file of its own, which is then served.
  struct ToFile final : UploadSink {
    explicit ToFile(TemporaryFile& file) : fd(file.Open()) {}
    Status Write(std::string_view bytes) override {
      bool ok = write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
      return ok ? OkStatus() : Status(StatusCode::kUnavailable, "no room");
    }
    Status Finish() override { return OkStatus(); }
    OwnedFd fd;
  };
  TemporaryFile file("");
  HttpServer server(HttpServerOptions{});
  server.Route("/upload", {"POST"},
               ServeUploads(
                   [&](const UploadForm&) {
                     return Result<UploadTarget>(
                         UploadTarget{std::make_unique<ToFile>(file), kPieces * kPieceBytes});
                   },
                   kPieces * kPieceBytes));
  server.RouteBelow("/d/", {"GET"}, ServeDownloads([&](auto, auto) -> Result<DownloadFile> {
                      return DownloadFile{file.Open(), kPieces * kPieceBytes, "e"};
                    }));
  RawClient client(*server.Start());
  uint64_t before = ResidentBytes();

  auto piece = [](size_t i) { return std::string(kPieceBytes, static_cast<char>(i * 31)); };
  std::string head = FileHead(), end = "\r\n--B--\r\n";
  client.Send(fmt::format("{}Content-Length: {}\r\n\r\n{}", Served::kHead,
                          head.size() + kPieces * kPieceBytes + end.size(), head));
  for (size_t i = 0; i < kPieces; ++i) REQUIRE(client.Send(piece(i)));
  CHECK(StatusOf(client.Ask(end)) == "HTTP/1.1 204 No Content");

  client.Send("GET /d/f HTTP/1.1\r\n\r\n");
  CHECK(StatusOf(client.ReadHead()) == "HTTP/1.1 200 OK");
  bool same = true;
  for (size_t i = 0; i < kPieces; ++i) same = same && client.ReadExactly(kPieceBytes) == piece(i);
  CHECK(same);
  if (kMemoryIsPlain) CHECK(ResidentBytes() - before < 8 * 1'048'576);
}

}  // namespace updraft
