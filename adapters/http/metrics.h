// What those who watch the service ask: its figures, whether it runs, and whether it is of use.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <prometheus/collectable.h>

#include "adapters/wire/http_message.h"

namespace updraft {

// /metrics: all figures in Prometheus' text format. Collected on the server's thread.
HttpHandler AnswerMetrics(std::shared_ptr<prometheus::Collectable> figures);

// /healthz: 200 for as long as the server's thread runs; who gets no answer may restart the
// process.
HttpHandler AnswerHealth();

// /readyz: {"ready":true,"reasons":[]} with 200, or 503 with the reasons why not.
// `reasons_not_ready` is called on the server's thread and must not block.
HttpHandler AnswerReadiness(std::function<std::vector<std::string>()> reasons_not_ready);

}  // namespace updraft
