// What the host tells of itself: figures, and why it is not ready.
#include <fmt/format.h>

#include "adapters/cli/host.h"
#include "adapters/wire/object_ids.h"

namespace updraft {
namespace {

FigureSample Gauge(std::string name, std::string help, double value) {
  return {std::move(name), std::move(help), false, {}, value};
}
FigureSample Counter(std::string name, std::string help, double value,
                     std::vector<std::pair<std::string, std::string>> labels = {}) {
  return {std::move(name), std::move(help), true, std::move(labels), value};
}

void AddMqtt(const MqttStats& stats, std::vector<FigureSample>& out) {
  const LinkStats& link = stats.link;
  out.push_back(Gauge("updraft_mqtt_connected", "1 while the link to the broker stands",
                      link.connected ? 1 : 0));
  out.push_back(Counter("updraft_mqtt_connections_total", "Links so far",
                        static_cast<double>(link.connections)));
  out.push_back(Counter("updraft_mqtt_stalls_total", "Links closed because the disk took too long",
                        static_cast<double>(link.stalls)));
  out.push_back(Counter("updraft_mqtt_messages_total", "Messages taken from the broker",
                        static_cast<double>(link.session.messages)));
  out.push_back(Counter("updraft_mqtt_pushes_total", "Notices handed to the broker",
                        static_cast<double>(link.session.pushes)));
  out.push_back(Gauge("updraft_mqtt_pushes_open", "Notices that the broker has not confirmed",
                      link.session.pushes_open));
  for (const auto& [reason, count] : link.session.reasons) {
    out.push_back(Counter("updraft_messages_rejected_total",
                          "Messages that changed nothing, by reason", static_cast<double>(count),
                          {{"reason", reason}}));
  }
}

}  // namespace

void Host::AddFigures() {
  figures_->NameBatches(
      [ids = ObjectIds(installation_.KeyFor("object ids"), options_.engine_number)](BatchId batch) {
        return ids.Show(batch);
      });
  figures_->AddSource([this](std::vector<FigureSample>& out) {
    if (!up_) return;
    out.push_back(Gauge("updraft_inbox_depth", "Commands that wait",
                        static_cast<double>(engine_->inbox_size())));
    out.push_back(
        Gauge("updraft_log_failed", "1 after the log failed", engine_->health().ok() ? 0 : 1));
    const HttpStats& http = http_->stats();
    out.push_back(Gauge("updraft_http_connections", "Connections open",
                        static_cast<double>(http.connections_open.load())));
    for (size_t digit = 1; digit < http.answers.size(); ++digit) {
      out.push_back(Counter("updraft_http_answers_total", "Answers by the class of their status",
                            static_cast<double>(http.answers[digit].load()),
                            {{"status", fmt::format("{}xx", digit)}}));
    }
    for (size_t over = 0; over < http.refusals.size(); ++over) {
      uint64_t count = http.refusals[over].load();
      if (count == 0) continue;
      out.push_back(Counter("updraft_http_refusals_total", "Answers of 400 and above, by status",
                            static_cast<double>(count), {{"status", std::to_string(400 + over)}}));
    }
    out.push_back(Counter("updraft_http_connections_refused_total",
                          "Connections over the server's bounds",
                          static_cast<double>(http.connections_refused.load())));
    for (const auto& [code, count] : api_->Refusals()) {
      out.push_back(Counter("updraft_api_refusals_total", "Calls that were refused, by code",
                            static_cast<double>(count), {{"code", code}}));
    }
    out.push_back(Gauge("updraft_event_readers", "Who follows /events",
                        static_cast<double>(stream_->stats().readers.load())));
    out.push_back(Counter("updraft_event_readers_dropped_total",
                          "Readers of /events that took nothing for too long",
                          static_cast<double>(stream_->stats().dropped.load())));
    if (mqtt_) AddMqtt(mqtt_->Stats(), out);
    if (broker_) {
      out.push_back(Counter("updraft_broker_restarts_total", "Times that the private broker died",
                            broker_->restarts()));
    }
  });
}

// A device that was registered a moment ago may be refused for as long as the gate takes to hear of
// it, some milliseconds, and comes again. That is no reason: under a steady stream of registrations
// the gate is always a moment behind the log, and who routes by readiness must not see that
// flicker.
std::vector<std::string> Host::ReasonsNotReadyYet() const {
  if (!up_) return {"the service is starting"};
  return ReasonsNotReady();
}

std::vector<std::string> Host::ReasonsNotReady() const {
  std::vector<std::string> reasons;
  if (Status health = engine_->health(); !health.ok()) reasons.push_back(health.message());
  if (engine_->clock_held()) {
    reasons.push_back("the clock is far ahead of the log; check it, then call ConfirmClock");
  }
  if (mqtt_) {
    MqttStats stats = mqtt_->Stats();
    if (!stats.link.connected) {
      reasons.push_back("no connection to the broker: " + stats.link.last_error);
    }
    if (!stats.credentials_in_step) {
      reasons.push_back("the gate does not know the newest credentials yet");
    }
  }
  return reasons;
}

void Host::Tick() { Figures::Refresh(figures_, *engine_); }

}  // namespace updraft
