// GET /events: the stream of committed events, for formal keys. Signed as a call of FollowEvents:
//   /events?Action=FollowEvents&From=SEQ&AccessKeyId=…&Signature=…
// A reader that comes back says where it stood in Last-Event-ID.
#include <charconv>

#include <fmt/format.h>

#include "adapters/cli/host.h"
#include "adapters/http/request_head.h"
#include "events/log/event_log.h"

namespace updraft {
namespace {

std::optional<uint64_t> ReadNumber(std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The event behind which a reader wants to begin; nothing when that cannot be told.
std::optional<uint64_t> ReadPosition(const Parameters& parameters, const std::string& last_id) {
  if (!last_id.empty()) return ReadNumber(last_id);
  auto from = parameters.find("From");
  if (from == parameters.end()) return 0;
  std::optional<uint64_t> first = ReadNumber(from->second);
  if (first && *first > 0) --*first;
  return first;
}

}  // namespace

void Host::Follow(HttpRequest request, std::shared_ptr<EventFeed> feed) {
  std::string last_id(request.Header("Last-Event-ID"));
  auto admitted = [this, feed, last_id](KeyId key, const Parameters& parameters) {
    std::optional<uint64_t> after = ReadPosition(parameters, last_id);
    if (!after) {
      return feed->Refuse(ErrorResponse(
          400, "InvalidParameter", "From and Last-Event-ID are numbers of events, such as 1."));
    }
    // A reader who is ahead has followed another log: what it missed of this one is unknown.
    Seq last = engine_->log().head().last;
    if (*after > last.value()) {
      return feed->Refuse(ErrorResponse(
          409, "PositionAhead",
          fmt::format("The log ends at event {}; event {} is of another log, or not there yet.",
                      last.value(), *after)));
    }
    stream_->Add({.key = key, .sent = Seq(*after), .joined = last, .feed = feed});
  };
  api_->Follow(std::move(request), std::move(admitted),
               [feed](HttpResponse response) { feed->Refuse(std::move(response)); });
}

}  // namespace updraft
