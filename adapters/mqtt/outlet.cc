#include "adapters/mqtt/outlet.h"

#include <utility>

#include "adapters/wire/gate_topics.h"
#include "adapters/wire/signed_url.h"
#include "adapters/wire/topics.h"
#include "adapters/wire/upgrade_notice.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

std::string TopicTo(MqttPath path, DownlinkKind kind, std::string_view product_key,
                    std::string_view device_name) {
  std::string topic = TopicName(kind, product_key, device_name);
  if (path == MqttPath::kDirect) return topic;
  return MakeGateDownTopic({product_key, device_name, topic});
}

Result<NoticeFields> FieldsOf(const OutletOptions& options, const Notice& notice) {
  NoticeFields fields;
  ASSIGN_OR_RETURN(fields.url, MakeDownloadUrl(options.link_key, options.public_url, notice.file,
                                               notice.time_ms + kLinkLifeMs));
  fields.size_bytes = notice.size_bytes;
  fields.version = notice.version;
  fields.is_diff = notice.diff;
  fields.md5_hex = HexLower(notice.md5);
  fields.sha256_hex = HexLower(notice.sha256);
  fields.sign_by = notice.sign_with_sha256 ? NoticeDigest::kSha256 : NoticeDigest::kMd5;
  fields.module = notice.module;
  for (const auto& [key, value] : notice.tags) fields.tags.push_back({key, value});
  fields.udi = notice.udi;
  return fields;
}

}  // namespace

Result<OutMessage> RenderPush(const OutletOptions& options, const Notice& notice) {
  ASSIGN_OR_RETURN(NoticeFields fields, FieldsOf(options, notice));
  return OutMessage{
      TopicTo(options.path, DownlinkKind::kUpgrade, notice.product_key, notice.device_name),
      UpgradeNotice(fields, static_cast<uint64_t>(notice.time_ms))};
}

Result<std::optional<OutMessage>> RenderPullAnswer(const OutletOptions& options,
                                                   const PullReturn& pull,
                                                   const PulledNotice& pulled) {
  if (!pulled.notice && pull.legacy) return std::optional<OutMessage>();
  OutMessage message;
  message.topic = TopicTo(
      options.path, pull.legacy ? DownlinkKind::kLegacyRequest : DownlinkKind::kFirmwareGetReply,
      pull.product_key, pull.device_name);
  if (!pulled.notice) {
    message.payload = EmptyPullReply(pull.id_json);
    return std::optional(std::move(message));
  }
  ASSIGN_OR_RETURN(NoticeFields fields, FieldsOf(options, *pulled.notice));
  message.payload = pull.legacy
                        ? UpgradeNotice(fields, static_cast<uint64_t>(pulled.notice->time_ms))
                        : PullReply(pull.id_json, fields);
  return std::optional(std::move(message));
}

}  // namespace updraft
