#include "adapters/cli/event_follower.h"

#include <charconv>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <kj/async-io.h>
#include <kj/compat/http.h>

#include "engine/clock.h"

namespace updraft {
namespace {

constexpr int64_t kRetryMs = 300;
constexpr auto kHeadTimeout = 10 * kj::SECONDS;
// The service comments on a quiet stream more often than this, so a longer silence is a dead link.
constexpr int64_t kSilenceUs = 60'000'000;

// A rule's refusal is HTTP 200 as well, and JSON.
bool IsStream(const kj::HttpHeaders& headers) {
  KJ_IF_MAYBE (type, headers.get(kj::HttpHeaderId::CONTENT_TYPE)) {
    return type->startsWith("text/event-stream");
  }
  return false;
}

int64_t NowUs() { return SystemClock().MonotonicUs(); }

}  // namespace

// One answer that stays open, being read in the background of this thread's event loop.
class EventFollower::Connection {
 public:
  // INVALID_ARGUMENT when the service refuses; UNAVAILABLE when nobody answers.
  Status Open(const ApiClient& client, Seq last) {
    kj::HttpHeaderTable::Builder builder;
    kj::HttpHeaderId last_id = builder.add("Last-Event-ID");
    table_ = builder.build();
    kj::Timer& timer = io_.provider->getTimer();
    http_ = kj::newHttpClient(timer, *table_, io_.provider->getNetwork(), nullptr);
    kj::HttpHeaders headers(*table_);
    headers.set(last_id, kj::str(last.value()));
    std::string url = fmt::format("http://{}/events?{}", client.host_port(),
                                  EncodeParameters(client.Sign("GET", "FollowEvents", {})));
    try {
      auto request =
          http_->request(kj::HttpMethod::GET, kj::StringPtr(url.c_str(), url.size()), headers);
      auto response =
          timer.timeoutAfter(kHeadTimeout, kj::mv(request.response)).wait(io_.waitScope);
      body_ = kj::mv(response.body);
      if (response.statusCode != 200 || !IsStream(*response.headers)) {
        kj::String text =
            timer.timeoutAfter(kHeadTimeout, body_->readAllText()).wait(io_.waitScope);
        return client.RefusalIn(std::string(text.begin(), text.size()));
      }
    } catch (const kj::Exception& e) {
      return Status(
          StatusCode::kUnavailable,
          fmt::format("nobody answers at {}: {}", client.host_port(), e.getDescription().cStr()));
    }
    heard_us_ = NowUs();
    reading_ = Read().eagerlyEvaluate([this](kj::Exception&&) { End(); });
    return OkStatus();
  }

  // Waits until there is text, the stream ends, or the time is over. Appends to `text`.
  void Wait(int64_t wait_ms, std::string& text) {
    if (arrived_.empty() && !ended_) {
      auto news = kj::newPromiseAndFulfiller<void>();
      news_ = kj::mv(news.fulfiller);
      news.promise.exclusiveJoin(io_.provider->getTimer().afterDelay(wait_ms * kj::MILLISECONDS))
          .wait(io_.waitScope);
      news_ = nullptr;
    }
    text += std::exchange(arrived_, "");
    if (NowUs() - heard_us_ > kSilenceUs) ended_ = true;
  }

  bool ended() const { return ended_; }

 private:
  kj::Promise<void> Read() {
    return body_->tryRead(buffer_, 1, sizeof(buffer_))
        .then([this](size_t got) -> kj::Promise<void> {
          heard_us_ = NowUs();
          if (got == 0) {
            End();
            return kj::READY_NOW;
          }
          arrived_.append(buffer_, got);
          if (news_.get() != nullptr) news_->fulfill();
          return Read();
        });
  }

  void End() {
    ended_ = true;
    if (news_.get() != nullptr) news_->fulfill();
  }

  kj::AsyncIoContext& io_ = IoOfThisThread();
  kj::Own<kj::HttpHeaderTable> table_;
  kj::Own<kj::HttpClient> http_;
  kj::Own<kj::AsyncInputStream> body_;
  char buffer_[16 * 1024];
  std::string arrived_;
  bool ended_ = false;
  int64_t heard_us_ = 0;
  kj::Own<kj::PromiseFulfiller<void>> news_;
  kj::Promise<void> reading_ = nullptr;  // Last: it uses the others.
};

EventFollower::EventFollower(const ApiClient& client, Seq first)
    : client_(client), last_(first.value() == 0 ? 0 : first.value() - 1), away_since_us_(NowUs()) {}

EventFollower::~EventFollower() = default;

Status EventFollower::Connect() {
  connection_ = nullptr;
  auto connection = std::make_unique<Connection>();
  RETURN_IF_ERROR(connection->Open(client_, last_));
  connection_ = std::move(connection);
  text_.clear();
  dropped_ = false;
  ever_connected_ = true;
  return OkStatus();
}

Result<std::vector<FollowedEvent>> EventFollower::Next(int64_t wait_ms) {
  if (connection_ == nullptr) {
    Status status = Connect();
    if (!status.ok()) {
      bool wait = status.code() == StatusCode::kUnavailable && ever_connected_ &&
                  NowUs() - away_since_us_ < kPatienceMs * 1'000;
      if (!wait) return status;
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min(wait_ms, kRetryMs)));
      return std::vector<FollowedEvent>();
    }
  }
  connection_->Wait(wait_ms, text_);
  std::vector<FollowedEvent> events = TakeEvents();
  if (connection_->ended() || dropped_) {
    connection_ = nullptr;
    away_since_us_ = NowUs();
  }
  return events;
}

std::vector<FollowedEvent> EventFollower::TakeEvents() {
  std::vector<FollowedEvent> events;
  size_t from = 0;
  for (size_t end; (end = text_.find("\n\n", from)) != std::string::npos; from = end + 2) {
    FollowedEvent event;
    std::string_view left = std::string_view(text_).substr(from, end + 1 - from);
    while (!left.empty()) {
      std::string_view line = left.substr(0, left.find('\n'));
      left.remove_prefix(line.size() + 1);
      if (line.starts_with("id: ")) {
        uint64_t number = 0;
        std::from_chars(line.data() + 4, line.data() + line.size(), number);
        event.seq = Seq(number);
      } else if (line == "event: dropped") {
        dropped_ = true;
      } else if (line.starts_with("data: ")) {
        event.json += line.substr(6);
      }
    }
    if (dropped_) break;
    if (event.seq <= last_) continue;  // A comment, or what came before.
    last_ = event.seq;
    events.push_back(std::move(event));
  }
  text_.erase(0, from);
  return events;
}

}  // namespace updraft
