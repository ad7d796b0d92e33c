#include "adapters/http/event_feed.h"

#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace updraft {
namespace {

constexpr std::string_view kComment = ":\n\n";

kj::Duration Kj(std::chrono::milliseconds time) { return time.count() * kj::MILLISECONDS; }

}  // namespace

std::string FormatEvent(const FeedEvent& event) {
  std::string text = fmt::format("id: {}\n", event.id);
  if (!event.type.empty()) text += fmt::format("event: {}\n", event.type);
  std::string_view left = event.data;
  while (true) {
    size_t end = left.find_first_of("\r\n");
    text += fmt::format("data: {}\n", left.substr(0, end));
    if (end == left.npos) break;
    left.remove_prefix(left.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
  return text + "\n";
}

// What the producer's thread and the server's share of one feed.
class EventFeed::Queue {
 public:
  enum class State {
    kNew,
    kRefused,
    kOpen,
    kDropped,  // The reader was too slow.
    kEnded,    // By the producer.
  };

  // What there is to do for the reader.
  struct Batch {
    State state = State::kOpen;
    std::string text;
    uint64_t last_id = 0;  // Of the text's last event, or of one before when there is none.
    HttpResponse refusal;
  };

  void Refuse(HttpResponse answer) {
    std::lock_guard lock(mutex_);
    if (next_.state != State::kNew) return;
    next_.refusal = std::move(answer);
    Change(State::kRefused);
  }

  void Open(uint64_t last_id) {
    std::lock_guard lock(mutex_);
    if (next_.state != State::kNew) return;
    taken_id_ = next_.last_id = last_id;
    Change(State::kOpen);
  }

  bool Push(const FeedEvent& event) {
    std::string text = FormatEvent(event);
    std::lock_guard lock(mutex_);
    if (next_.state != State::kOpen || reader_gone_) return false;
    if (next_.text.size() + text.size() > kQueueBytesMax) {
      DropLocked();
      return false;
    }
    next_.text += text;
    next_.last_id = event.id;
    Change(State::kOpen);
    return true;
  }

  bool HasRoom() const {
    std::lock_guard lock(mutex_);
    return next_.text.size() < kRoomBytes;
  }

  void NotifyRoom(std::function<void()> on_room) {
    std::lock_guard lock(mutex_);
    on_room_ = std::move(on_room);
  }

  void Drop() {
    std::lock_guard lock(mutex_);
    if (next_.state == State::kOpen) DropLocked();
  }

  void End() {
    NotifyRoom(nullptr);
    Refuse(ErrorResponse(500, "InternalError", "The feed was not opened."));
    std::lock_guard lock(mutex_);
    if (next_.state == State::kOpen) Change(State::kEnded);
  }

  void ReaderGone() {
    std::lock_guard lock(mutex_);
    reader_gone_ = true;
    next_.text = std::string();
    if (on_room_) on_room_();
  }

  // Done when there is something to take. On the server's thread.
  kj::Promise<void> WhenChanged(Loop& loop) {
    std::lock_guard lock(mutex_);
    if (changed_) return kj::READY_NOW;
    auto change = NewRemotePromise<bool>(loop.mailbox);
    waiting_ = std::move(change.fulfiller);
    return change.promise.ignoreResult();
  }

  // What has come since the last call; no text when nothing has.
  Batch Take() {
    std::lock_guard lock(mutex_);
    changed_ = false;
    taken_id_ = next_.last_id;
    if (on_room_ && !next_.text.empty()) on_room_();
    return Batch{next_.state, std::exchange(next_.text, ""), next_.last_id, next_.refusal};
  }

 private:
  // With mutex_ held.
  void Change(State state) {
    next_.state = state;
    changed_ = true;
    if (auto waiting = std::exchange(waiting_, nullptr)) waiting->Fulfill(true);
  }

  // With mutex_ held.
  void DropLocked() {
    next_.text = std::string();
    next_.last_id = taken_id_;
    Change(State::kDropped);
  }

  mutable std::mutex mutex_;  // Guards all of these.
  Batch next_{State::kNew, "", 0, {}};
  uint64_t taken_id_ = 0;  // The last id that Take() has given out.
  bool changed_ = false;
  bool reader_gone_ = false;
  std::function<void()> on_room_;
  std::shared_ptr<RemoteFulfiller<bool>> waiting_;
};

EventFeed::~EventFeed() { queue_->End(); }

void EventFeed::Refuse(HttpResponse answer) { queue_->Refuse(std::move(answer)); }

void EventFeed::Open(uint64_t last_id) { queue_->Open(last_id); }

bool EventFeed::Push(const FeedEvent& event) { return queue_->Push(event); }

bool EventFeed::HasRoom() const { return queue_->HasRoom(); }

void EventFeed::NotifyRoom(std::function<void()> on_room) {
  queue_->NotifyRoom(std::move(on_room));
}

void EventFeed::Drop() { queue_->Drop(); }

namespace {

using Queue = EventFeed::Queue;

// One reader's answer. On the server's thread.
class FeedAnswer {
 public:
  FeedAnswer(Exchange& exchange, std::shared_ptr<Queue> queue, kj::Duration quiet)
      : exchange_(exchange), queue_(std::move(queue)), quiet_(quiet) {}
  ~FeedAnswer() noexcept(false) { queue_->ReaderGone(); }

  kj::Promise<void> Run() {
    return queue_->WhenChanged(exchange_.loop()).then([this]() -> kj::Promise<void> {
      Queue::Batch first = queue_->Take();
      if (first.state == Queue::State::kRefused) {
        return exchange_.Respond(std::move(first.refusal));
      }
      const HttpResponse head{
          200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}}, ""};
      output_ = exchange_.Begin(head, std::nullopt);
      // The head goes out with the first bytes behind it.
      first.text.insert(0, kComment);
      return Send(std::move(first));
    });
  }

 private:
  kj::Promise<void> Send(Queue::Batch batch) {
    if (batch.state == Queue::State::kDropped) {
      batch.text += FormatEvent({batch.last_id, "dropped", fmt::format("{}", batch.last_id)});
    }
    auto text = kj::heap(std::move(batch.text));
    auto written = output_->write(text->data(), text->size());
    return written.attach(kj::mv(text)).then([this, state = batch.state]() -> kj::Promise<void> {
      if (state == Queue::State::kOpen) return Follow();
      output_ = nullptr;
      return kj::READY_NOW;
    });
  }

  kj::Promise<void> Follow() {
    // What there is to send is taken behind the join, which drops what the slower branch holds.
    return queue_->WhenChanged(exchange_.loop())
        .exclusiveJoin(exchange_.loop().timer.afterDelay(quiet_))
        .then([this] {
          Queue::Batch batch = queue_->Take();
          if (batch.state == Queue::State::kOpen && batch.text.empty()) batch.text = kComment;
          return Send(std::move(batch));
        });
  }

  Exchange& exchange_;
  const std::shared_ptr<Queue> queue_;
  const kj::Duration quiet_;
  kj::Own<kj::AsyncOutputStream> output_;
};

}  // namespace

ExchangeHandler ServeFeeds(FeedHandler handler, std::chrono::milliseconds quiet) {
  return [handler = std::move(handler), quiet](Exchange& exchange) {
    auto queue = std::make_shared<Queue>();
    auto answer = kj::heap<FeedAnswer>(exchange, queue, Kj(quiet));
    handler(std::move(exchange.request()), std::make_unique<EventFeed>(queue));
    auto run = answer->Run().exclusiveJoin(exchange.WhenDraining());
    return run.attach(kj::mv(answer));
  };
}

}  // namespace updraft
