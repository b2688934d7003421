#include "server/observation/routes.h"

#include "server/http/response.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"

namespace stele::server {

namespace {

using http::Method;
using rest::Call;
using rest::Route;

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

kj::Promise<http::Response> AnswerMetrics(Figures& figures) {
  return rest::Reply(figures.Read(), [&figures](const std::shared_ptr<const Reading>& reading) {
    return http::Text(200, kMetricsType, figures.Write(*reading));
  });
}

kj::Promise<http::Response> AnswerHealth(Health& health) {
  return rest::Reply(health.Look(), [](const HealthReport& report) {
    return http::Json(report.is_ready() ? 200 : 503, ToJson(report));
  });
}

// Less than AnswerHealth says, since a balancer asks often and reads the status alone.
kj::Promise<http::Response> AnswerReady(Health& health) {
  return rest::Reply(health.Look(), [](const HealthReport& report) {
    return http::Json(report.is_ready() ? 200 : 503, Object{{"status", report.status}});
  });
}

Route HealthRoute(const char* pattern, const char* id, const char* summary) {
  return {.method = Method::kGet,
          .pattern = pattern,
          .id = id,
          .summary = summary,
          .permission = {},
          .anybody = true,
          .always = true,
          .outside = true};
}

}  // namespace

rest::Resource ObservationResource(Figures& figures, Health& health, bool open_metrics) {
  Figures* const read = &figures;
  Health* const look = &health;
  Route metrics{.method = Method::kGet,
                .pattern = "/metrics",
                .id = "getMetrics",
                .summary = "Figures, as Prometheus reads them.",
                .permission = Permission::kReadFigures,
                .answers = {{200, "they are", "", kMetricsType}},
                .handle = [read](const Call&) { return AnswerMetrics(*read); },
                .anybody = open_metrics,
                .always = true,
                .outside = true};
  Route whole = HealthRoute("/health", "getHealth", "Whether the parts of the server work.");
  whole.answers = {{200, "it serves", "Health"}, {503, "it should be asked nothing", "Health"}};
  whole.handle = [look](const Call&) { return AnswerHealth(*look); };
  Route ready = HealthRoute("/health/ready", "getReady", "Whether to send it requests.");
  ready.answers = {{200, "yes", "HealthStatus"}, {503, "no", "HealthStatus"}};
  ready.handle = [look](const Call&) { return AnswerReady(*look); };
  Route live = HealthRoute("/health/live", "getLive", "Whether it should be left running.");
  live.answers = {{200, "its loop turns", "HealthStatus"}};
  live.handle = [](const Call&) -> kj::Promise<http::Response> {
    return http::Json(200, Object{{"status", "alive"}});
  };
  return {
      .name = "observation",
      .about = "For whoever watches over the server; docs/observation.md.",
      .routes = {std::move(metrics), std::move(whole), std::move(ready), std::move(live)},
      .components = {{"Health",
                      "",
                      {{"status", "=healthy,degraded,starting,draining,unhealthy", ""},
                       {"checks", "HealthChecks", ""},
                       {"stats", "HealthStats", ""}}},
                     {"HealthChecks",
                      "",
                      {{"database", "=ok,slow,failed", "the log takes records"},
                       {"scheduler", "=ok,starting,stopping", "attempts and timers begin"},
                       {"executor", "=ok,full", "more attempts may wait"},
                       {"views", "=ok,building,failed", "questions are answered"}}},
                     {"HealthStats",
                      "",
                      {{"active_executions", "number|null", "instances that have not ended"},
                       {"queued_executions", "number|null", "of them: those that wait for a place"},
                       {"total_workflows", "number", "names of definitions"},
                       {"active_workflows", "number", "of them: those that can be started"}}},
                     {"HealthStatus",
                      "",
                      {{"status", "=alive,healthy,degraded,starting,draining,unhealthy", ""}}}}};
}

}  // namespace stele::server
