// Server-sent events: an answer that stays open and gets events pushed to it by another thread.
//
//   server.Route("/events", {"GET"}, ServeFeeds([&](HttpRequest request, auto feed) {
//     uint64_t after = PositionOf(request.Header("Last-Event-ID"));
//     followers.Add(after, std::move(feed));   // Open()s it, then Push()es until false.
//   }));
//
// A reader that does not keep up is dropped: when more than kQueueBytesMax wait for it, or when the
// producer says so, they are thrown away, it is sent `event: dropped` with the id of the last event
// it was sent, and the answer ends. It comes back with that id as its Last-Event-ID and misses
// nothing. A producer that can wait, because its events lie somewhere, asks HasRoom() first.
// Readers who have gone are noticed by a comment that is sent to quiet ones.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/http/exchange.h"

namespace updraft {

struct FeedEvent {
  uint64_t id = 0;   // Rises from event to event.
  std::string type;  // Of one line; empty for the default, "message".
  std::string data;  // Of any number of lines.
};

// The event as it goes over the wire.
std::string FormatEvent(const FeedEvent& event);

// The producer's end of one answer. Thread-safety: any thread, one at a time. Its destructor ends
// the answer; when it was neither opened nor refused, with 500.
class EventFeed {
 public:
  static constexpr size_t kQueueBytesMax = 1'048'576;
  static constexpr size_t kRoomBytes = 262'144;  // While less than this waits there is room.

  class Queue;
  explicit EventFeed(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}
  ~EventFeed();

  // Answers with something else, instead of opening.
  void Refuse(HttpResponse answer);
  // Sends the answer's head. `last_id` is where the reader stands before the first event.
  void Open(uint64_t last_id);
  // Never waits. False when the reader has gone or was dropped; there is nobody to push to any
  // more.
  bool Push(const FeedEvent& event);

  // Whether the reader has taken enough of what was pushed; true also when it has gone.
  bool HasRoom() const;
  // `on_room` is called whenever the reader has taken something or has gone: on the server's
  // thread, not after this feed's end; it must be quick and not call the feed.
  void NotifyRoom(std::function<void()> on_room);
  // Drops the reader, as when it does not keep up.
  void Drop();

 private:
  std::shared_ptr<Queue> queue_;
};

// Takes one reader. On the server's thread; must not block.
using FeedHandler = std::function<void(HttpRequest request, std::unique_ptr<EventFeed> feed)>;

// For GET. A comment is sent whenever there was nothing to send for `quiet`.
ExchangeHandler ServeFeeds(FeedHandler handler,
                           std::chrono::milliseconds quiet = std::chrono::seconds(15));

}  // namespace updraft
