// What a client can send on a connection: any bytes, cut anywhere, to the server's own code over a
// pipe in memory. Behind it a download, an upload and a call. The first byte says in how large
// pieces the rest arrives.
#include <algorithm>
#include <string>

#include <fcntl.h>
#include <kj/async-io.h>

#include "adapters/http/connection.h"
#include "adapters/http/downloads.h"
#include "adapters/http/server.h"
#include "adapters/http/uploads.h"
#include "events/base/assert.h"
#include "tests/fuzz/fuzz.h"

namespace updraft {
namespace {

constexpr uint64_t kUploadBytesMax = 4096;
constexpr size_t kBodyBytesMax = 4096;
constexpr std::string_view kContent = "0123456789abcdefghij";

class Sink final : public UploadSink {
 public:
  Status Write(std::string_view bytes) override {
    size_ += bytes.size();
    Assert(size_ <= kUploadBytesMax, "an upload is bounded");
    return OkStatus();
  }
  Status Finish() override { return OkStatus(); }

 private:
  uint64_t size_ = 0;
};

Result<DownloadFile> OpenDownloadOf(std::string_view path) {
  static const MemoryFile content(kContent);
  if (path != "/d/f") return Status(StatusCode::kNotFound, "only one file is here");
  return DownloadFile{OwnedFd(open(content.path().c_str(), O_RDONLY | O_CLOEXEC)), kContent.size(),
                      "0a1b"};
}

// Says how much it was told, and none of it, so that an answer's text is the server's own.
void Count(HttpRequest request, HttpRespond respond) {
  Assert(request.body.size() <= kBodyBytesMax, "a body is bounded");
  Assert(request.path.starts_with('/'), "a path begins with a slash");
  respond({200, {}, std::to_string(request.raw_query.size() + request.body.size())});
}

// A server but for its sockets, as long as the process lives.
struct Server {
  Server() {
    routes.Add("/", false, {"GET", "POST"}, AnswerCalls(Count, kBodyBytesMax));
    routes.Add("/d/", true, {"GET"}, ServeDownloads([](std::string_view path, std::string_view) {
                 return OpenDownloadOf(path);
               }));
    routes.Add("/upload", false, {"POST"},
               ServeUploads(
                   [](const UploadForm&) -> Result<UploadTarget> {
                     return UploadTarget{std::make_unique<Sink>(), kUploadBytesMax};
                   },
                   kUploadBytesMax));
  }

  kj::AsyncIoContext io = kj::setupAsyncIo();
  std::shared_ptr<LoopMailbox> mailbox = std::make_shared<LoopMailbox>();
  kj::Promise<void> mail = mailbox->RunTasks(io.unixEventPort).eagerlyEvaluate(nullptr);
  WorkerPool workers{1};
  Loop loop{io.provider->getTimer(), mailbox, workers};
  Routes routes;
  HttpStats stats;
  kj::Own<kj::HttpHeaderTable> table = kj::HttpHeaderTable::Builder().build();
  ConnectionContext context{
      .loop = loop,
      .routes = routes,
      .header_table = *table,
      .head_timeout = 15 * kj::SECONDS,
      .idle_timeout = 15 * kj::SECONDS,
      .body_timeout = 15 * kj::SECONDS,
      .stats = stats,
      .when_draining = [] { return kj::Promise<void>(kj::NEVER_DONE); },
  };
};

// Sends the text in pieces and hangs up.
kj::Promise<void> Send(kj::AsyncIoStream& to, std::string_view text, size_t piece) {
  if (text.empty()) {
    to.shutdownWrite();
    return kj::READY_NOW;
  }
  std::string_view now = text.substr(0, piece);
  return to.write(now.data(), now.size()).then([&to, text, piece]() mutable {
    text.remove_prefix(std::min(piece, text.size()));
    return Send(to, text, piece);
  });
}

void CheckAnswers(std::string_view answers) {
  Assert(answers.empty() || answers.starts_with("HTTP/1.1 "), "an answer is HTTP: {}",
         answers.substr(0, 40));
  Assert(answers.find("HTTP/1.1 500") == answers.npos, "no request is a fault of ours: {}",
         answers);
}

void Talk(std::string_view text, size_t piece) {
  // Never destroyed: its loop is the process's.
  static Server& server = *new Server;
  kj::TwoWayPipe pipe = kj::newTwoWayPipe();
  kj::AsyncIoStream& client = *pipe.ends[0];
  auto connection = kj::heap<Connection>(server.context, kj::mv(pipe.ends[1]), "127.0.0.1");
  auto sending = Send(client, text, piece).eagerlyEvaluate([](kj::Exception&&) {});
  auto reading = client.readAllText(1 << 20).eagerlyEvaluate(nullptr);
  connection->Serve().catch_([](kj::Exception&&) {}).wait(server.io.waitScope);
  sending = nullptr;  // The server may have left before it has heard all.
  connection = nullptr;
  kj::String answers = reading.wait(server.io.waitScope);
  CheckAnswers({answers.begin(), answers.size()});
}

}  // namespace
}  // namespace updraft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  std::string_view text = Text(data, size);
  size_t piece = TakeByte(text);
  Talk(text, piece < 16 ? piece + 1 : 1 << 16);
  return 0;
}
