#include "adapters/http/metrics.h"

#include <catch2/catch.hpp>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

namespace updraft {
namespace {

HttpResponse Ask(const HttpHandler& handler) {
  HttpResponse answer;
  handler({}, [&](HttpResponse response) { answer = std::move(response); });
  return answer;
}

}  // namespace

TEST_CASE("figures are told in Prometheus' text", "[http][metrics]") {
  auto registry = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter()
      .Name("updraft_pushes_total")
      .Help("Notices sent.")
      .Register(*registry)
      .Add({{"kind", "retry"}})
      .Increment(3);
  HttpResponse answer = Ask(AnswerMetrics(registry));
  CHECK(answer.status == 200);
  CHECK(answer.headers[0].value == "text/plain; version=0.0.4");
  CHECK(answer.body ==
        "# HELP updraft_pushes_total Notices sent.\n# TYPE updraft_pushes_total counter\n"
        "updraft_pushes_total{kind=\"retry\"} 3\n");
}

TEST_CASE("a server that runs is healthy", "[http][metrics]") {
  HttpResponse answer = Ask(AnswerHealth());
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({"status":"ok"})");
}

TEST_CASE("a service is ready, or says why not", "[http][metrics]") {
  std::vector<std::string> reasons;
  HttpHandler handler = AnswerReadiness([&] { return reasons; });
  HttpResponse ready = Ask(handler);
  CHECK(ready.status == 200);
  CHECK(ready.body == R"({"ready":true,"reasons":[]})");
  reasons = {"no broker", "the log is being read"};
  HttpResponse waiting = Ask(handler);
  CHECK(waiting.status == 503);
  CHECK(waiting.body == R"({"ready":false,"reasons":["no broker","the log is being read"]})");
}

}  // namespace updraft
