// GET /events: the stream of committed events, for formal keys. Signed as an RPC call:
//   /events?Action=FollowEvents&From=SEQ&AccessKeyId=…&Signature=…
// A reader that comes back says where it stood in Last-Event-ID.
#include <charconv>

#include "adapters/cli/host.h"
#include "adapters/wire/openapi_signature.h"
#include "engine/clock.h"
#include "projections/side_values.h"
#include "projections/world.h"

namespace updraft {
namespace {

constexpr int64_t kClockSkewMaxMs = 15 * 60'000;

struct KeySight {
  KeyId id;
  bool good = false;  // Formal and enabled.
};

std::optional<uint64_t> ReadNumber(std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

HttpResponse Refusal(int status, std::string_view code) {
  return {
      status, {{"Content-Type", "application/json"}}, "{\"Code\":\"" + std::string(code) + "\"}"};
}

}  // namespace

void Host::Follow(HttpRequest request, std::shared_ptr<EventFeed> feed) {
  Result<SignedCall> call = ParseSignedCall(request);
  if (!call.ok()) return feed->Refuse(Refusal(400, call.status().reason()));
  int64_t skew_ms = SystemClock().WallUs() / 1'000 - call->timestamp_ms;
  if (std::abs(skew_ms) > kClockSkewMaxMs) {
    return feed->Refuse(Refusal(400, "InvalidTimeStamp.Expired"));
  }
  auto from = call->parameters.find("From");
  std::optional<uint64_t> first =
      ReadNumber(from == call->parameters.end() ? "1" : std::string_view(from->second));
  std::string_view last_id = request.Header("Last-Event-ID");
  std::optional<uint64_t> after = !last_id.empty()      ? ReadNumber(last_id)
                                  : first && *first > 0 ? std::optional(*first - 1)
                                                        : first;
  if (!after) return feed->Refuse(Refusal(400, "InvalidParameter"));

  Status asked = engine_->Read([this, feed, call = *call, after](const World& world) {
    KeySight sight{world.FindKey(call.access_key_id)};
    sight.good = sight.id && world.keys()[sight.id].formal && world.keys()[sight.id].enabled;
    return [this, feed, call, after, sight](const Status& durable) {
      Result<std::string> secret = sight.id ? engine_->log().ReadSide(SideKeyOfKey(sight.id))
                                            : Result<std::string>(std::string());
      if (!durable.ok() || !secret.ok() || !VerifySignature(call, *secret)) {
        return feed->Refuse(Refusal(403, "SignatureDoesNotMatch"));
      }
      if (!sight.good) return feed->Refuse(Refusal(403, "AuthActionPermissionDeny"));
      stream_->Add(Seq(*after), feed);
    };
  });
  if (!asked.ok()) feed->Refuse(Refusal(503, asked.reason()));
}

}  // namespace updraft
