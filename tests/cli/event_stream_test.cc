// The stream of events over the real HTTP server and a log in memory.
#include "adapters/cli/event_stream.h"

#include <future>
#include <regex>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "adapters/http/server.h"
#include "engine/clock.h"
#include "events/log/memory_log.h"
#include "tests/http/raw_client.h"

namespace updraft {
namespace {

using std::chrono::milliseconds;

// An engine whose commits are streamed; a reader says behind which event it begins.
struct Streamed {
  explicit Streamed(milliseconds patience = EventStream::kPatience) : server(HttpServerOptions{}) {
    EngineOptions options;
    options.on_commit = [this](Seq last, uint32_t, size_t, int64_t) {
      if (EventStream* to = stream_is_there.load()) to->OnCommit(last);
    };
    engine = *Engine::OpenWith(std::move(options), std::make_unique<MemoryLog>(), SystemClock());
    stream = std::make_unique<EventStream>(engine->log(), patience);
    stream_is_there = stream.get();
    server.Route("/events", {"GET"},
                 ServeFeeds([this](HttpRequest request, std::unique_ptr<EventFeed> feed) {
                   stream->Add({.key = key,
                                .sent = Seq(std::stoull(request.raw_query)),
                                .joined = engine->log().head().last,
                                .feed = std::move(feed)});
                 }));
    port = *server.Start();
    product =
        std::get<CreatedProduct>(Ask(CreateProduct{.name = "street_lamp"}).answer).product_key;
  }
  ~Streamed() {
    server.Stop();
    engine->Stop();
  }

  Outcome Ask(Command command) {
    std::promise<Outcome> answer;
    REQUIRE(
        engine->Submit(std::move(command), [&](const Outcome& o) { answer.set_value(o); }).ok());
    return answer.get_future().get();
  }
  void Register(int count) {
    for (; count > 0; count -= 500) {
      REQUIRE(Ask(RegisterDevices{product, std::vector<NewDevice>(std::min(count, 500))}).ok());
    }
  }
  uint64_t last() const { return engine->log().head().last.value(); }
  RawClient Reader(uint64_t after, int buffer_bytes = 0) {
    RawClient client(port, buffer_bytes);
    client.Send(fmt::format("GET /events?{} HTTP/1.1\r\nConnection: close\r\n\r\n", after));
    return client;
  }

  std::atomic<EventStream*> stream_is_there = nullptr;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<EventStream> stream;
  HttpServer server;
  uint16_t port = 0;
  std::string product;
  KeyId key;  // Of the readers that come.
};

// The numbers behind `id: ` in a text, in their order. Chunk borders may cut a line: they are taken
// out first.
std::vector<uint64_t> IdsIn(const std::string& answer) {
  static const std::regex kId("id: ([0-9]+)\n");
  std::string text = std::regex_replace(answer, std::regex("\r\n[0-9a-f]+\r\n"), "");
  std::vector<uint64_t> ids;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), kId); it != std::sregex_iterator();
       ++it) {
    ids.push_back(std::stoull((*it)[1]));
  }
  return ids;
}

bool IsRun(const std::vector<uint64_t>& ids, uint64_t first) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != first + i) return false;
  }
  return !ids.empty();
}

}  // namespace

TEST_CASE("a reader who keeps up gets a history larger than any queue", "[event_stream]") {
  Streamed streamed;
  streamed.Register(80'000);
  RawClient reader = streamed.Reader(0);
  std::string text = reader.ReadUntil(fmt::format("id: {}\n", streamed.last()));
  CHECK(text.size() > 2 * EventFeed::kQueueBytesMax);
  CHECK(IsRun(IdsIn(text), 1));
  CHECK(text.find("event: dropped") == std::string::npos);
}

TEST_CASE("a reader that comes back goes on behind what it had", "[event_stream]") {
  Streamed streamed;
  streamed.Register(3);
  uint64_t half = streamed.last();
  streamed.Reader(0).ReadUntil(fmt::format("id: {}\n", half));
  streamed.Register(3);
  std::string text = streamed.Reader(half).ReadUntil(fmt::format("id: {}\n", streamed.last()));
  CHECK(IdsIn(text).front() == half + 1);
}

TEST_CASE("a key that is disabled or deleted follows no more", "[event_stream]") {
  for (bool deleted : {false, true}) {
    CAPTURE(deleted);
    Streamed streamed;
    REQUIRE(streamed.Ask(CreateKey{.formal = true, .access_key_id = "UDfirst"}).ok());
    Outcome made = streamed.Ask(CreateKey{.formal = true, .access_key_id = "UDsecond"});
    // What became of it before is no reason.
    REQUIRE(streamed.Ask(ChangeKey{.access_key_id = "UDsecond", .enabled = false}).ok());
    REQUIRE(streamed.Ask(ChangeKey{.access_key_id = "UDsecond", .enabled = true}).ok());
    RawClient other = streamed.Reader(streamed.last());
    streamed.key = std::get<CreatedKey>(made.answer).key;
    RawClient reader = streamed.Reader(0);
    std::string text = reader.ReadUntil(fmt::format("id: {}\n", streamed.last()));
    const Outcome ended =
        deleted ? streamed.Ask(DeleteKey{"UDsecond"})
                : streamed.Ask(ChangeKey{.access_key_id = "UDsecond", .enabled = false});
    REQUIRE(ended.ok());
    const uint64_t end = streamed.last();
    streamed.Register(3);
    CHECK(IdsIn(text + reader.ReadToClose()).back() == end);
    other.ReadUntil(fmt::format("id: {}\n", streamed.last()));
  }
}

TEST_CASE("a reader who takes nothing is dropped with its position, and others go on",
          "[event_stream]") {
  Streamed streamed(milliseconds(200));
  streamed.Register(20'000);
  RawClient lazy = streamed.Reader(0, /*buffer_bytes=*/4096);
  RawClient keen = streamed.Reader(streamed.last());
  while (streamed.stream->stats().dropped == 0) {
    streamed.Register(1);  // The engine goes on.
    keen.ReadUntil(fmt::format("id: {}\n", streamed.last()));
  }
  std::string text = lazy.ReadToClose();
  std::vector<uint64_t> ids = IdsIn(text);
  size_t dropped = text.find("event: dropped");
  REQUIRE(dropped != std::string::npos);
  uint64_t stood = ids.back();
  ids.pop_back();
  CHECK(IsRun(ids, 1));
  CHECK(ids.back() == stood);
  CHECK(stood < streamed.last());
  std::string rest = streamed.Reader(stood).ReadUntil(fmt::format("id: {}\n", streamed.last()));
  CHECK(IsRun(IdsIn(rest), stood + 1));
}

TEST_CASE("a stream that was stopped takes no readers", "[event_stream]") {
  Streamed streamed;
  streamed.stream->Stop();
  CHECK(StatusOf(streamed.Reader(0).ReadToClose()) == "HTTP/1.1 500 Internal Server Error");
}

}  // namespace updraft
