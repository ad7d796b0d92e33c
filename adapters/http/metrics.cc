#include "adapters/http/metrics.h"

#include <utility>

#include <nlohmann/json.hpp>
#include <prometheus/text_serializer.h>

namespace updraft {
namespace {

HttpResponse Json(int status, const nlohmann::ordered_json& body) {
  return {status, {{"Content-Type", "application/json"}}, body.dump()};
}

}  // namespace

HttpHandler AnswerMetrics(std::shared_ptr<prometheus::Collectable> figures) {
  return [figures = std::move(figures)](HttpRequest, HttpRespond respond) {
    respond({200,
             {{"Content-Type", "text/plain; version=0.0.4"}},
             prometheus::TextSerializer().Serialize(figures->Collect())});
  };
}

HttpHandler AnswerHealth() {
  return [](HttpRequest, HttpRespond respond) { respond(Json(200, {{"status", "ok"}})); };
}

HttpHandler AnswerReadiness(std::function<std::vector<std::string>()> reasons_not_ready) {
  return [reasons_not_ready = std::move(reasons_not_ready)](HttpRequest, HttpRespond respond) {
    std::vector<std::string> reasons = reasons_not_ready();
    respond(Json(reasons.empty() ? 200 : 503, {{"ready", reasons.empty()}, {"reasons", reasons}}));
  };
}

}  // namespace updraft
