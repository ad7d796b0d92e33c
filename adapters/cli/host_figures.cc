// What the host tells of itself: figures, and why it is not ready.
#include <fmt/format.h>

#include "adapters/cli/host.h"

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
  figures_->AddSource([this](std::vector<FigureSample>& out) {
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
    if (mqtt_) AddMqtt(mqtt_->Stats(), out);
    if (broker_) {
      out.push_back(Counter("updraft_broker_restarts_total", "Times that the private broker died",
                            broker_->restarts()));
    }
  });
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
