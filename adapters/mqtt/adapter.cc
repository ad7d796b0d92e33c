#include "adapters/mqtt/adapter.h"

#include <utility>

#include <fmt/format.h>

#include "adapters/wire/signed_url.h"
#include "events/base/bytes.h"

namespace updraft {
namespace {

Status Check(const MqttOptions& options) {
  if (options.keepalive_seconds < 5 || options.push_window < 1) {
    return Status(StatusCode::kInvalidArgument,
                  "the keepalive is at least 5 seconds, the window of pushes at least 1");
  }
  // A file's id is 32 hex digits.
  Result<std::string> link =
      MakeDownloadUrl(options.link_key, options.public_url, std::string(32, '0'), /*expires_ms=*/0);
  return link.ok() ? OkStatus() : link.status();
}

LinkOptions LinkOptionsOf(const MqttOptions& options, const Clock& clock) {
  LinkOptions link;
  link.host = options.host;
  link.port = options.port;
  link.client.client_id = fmt::format("updraft-engine-{}", options.engine_number);
  link.client.user = options.user;
  link.client.password = options.password;
  link.client.keepalive_seconds = options.keepalive_seconds;
  link.session.outlet = {options.path, options.public_url, options.link_key};
  link.session.push_window = options.push_window;
  link.session.name = fmt::format("{:x}", clock.WallUs());
  return link;
}

}  // namespace

Result<std::unique_ptr<MqttAdapter>> MqttAdapter::Start(Engine& engine, const MqttOptions& options,
                                                        const Clock& clock) {
  RETURN_IF_ERROR(Check(options));
  std::unique_ptr<MqttAdapter> adapter(new MqttAdapter);
  if (!options.credentials_dir.empty()) {
    ASSIGN_OR_RETURN(adapter->credentials_,
                     CredentialsFeed::Start({.dir = options.credentials_dir}, engine));
  }
  ASSIGN_OR_RETURN(adapter->link_, BrokerLink::Start(LinkOptionsOf(options, clock), engine, clock));
  return adapter;
}

MqttAdapter::~MqttAdapter() { Stop(); }

void MqttAdapter::Stop() {
  if (link_) link_->Stop();
  if (credentials_) credentials_->Stop();
}

void MqttAdapter::OnCommit(Seq) {
  if (credentials_) credentials_->OnCommit();
}

MqttStats MqttAdapter::Stats() const {
  MqttStats stats;
  stats.link = link_->Stats();
  if (credentials_) {
    stats.credentials = credentials_->Stats();
    const GateCredentials& gate = stats.link.session.gate_credentials;
    stats.credentials_in_step = stats.credentials.generation != 0 &&
                                gate.generation == stats.credentials.generation &&
                                gate.position == stats.credentials.position;
  }
  return stats;
}

}  // namespace updraft
