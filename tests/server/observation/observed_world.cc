#include "tests/server/observation/observed_world.h"

#include "base/json.h"
#include "server/http/target.h"
#include "server/observation/routes.h"
#include "tests/server/http/ask_route.h"

namespace stele::server {

ObservedWorld::ObservedWorld(bool open_metrics, kj::Duration kept)
    : figures(
          served.desk(), &requests,
          [](LoopFigures& loop) {
            loop.http_connections = 3;
            loop.rpc_connections = 2;
            loop.tracing = tracing::TracingFigures{.exported = 5, .dropped = 1, .queued = 2};
            rpc::CallFigures& start = loop.calls["Instances.start"];
            start.results = {7, 1};
            start.us.counts[20] = 8;
            start.us.sum = 8'000'000;
          },
          kept),
      health(served.desk(), figures),
      api_({served.desk(), served.instances(), served.definitions(), served.triggers(),
            served.questions(), served.histories(), served.events(), served.worker_operations(),
            served.forks()},
           {.authorize = [this](const http::Request&) -> Result<Caller> {
              if (who.has_value()) return *who;
              return Fail(ErrorCode::kUnauthenticated, "Expected a token but found none");
            },
            .still_valid = [](const Caller&) { return true; }}) {
  api_.Add(ObservationResource(figures, health, open_metrics));
  api_.AddTo(router_);
}

void ObservedWorld::Work() {
  served.Register("album", "{id: small, type: script}");
  served.Register("depot", "{id: fetch, type: 'custom:worker', config: {width: 3}}");
  served.Register("broken", "{id: fail_it, type: script}");
  for (const char* definition : {"album", "album", "depot", "broken"}) served.Start(definition);
  served.Settle();
}

Scrape ObservedWorld::Read() {
  served.CatchUp();
  const Answered answered = Get("/metrics");
  EXPECT_EQ(answered.status, 200) << answered.body;
  return Scrape::Of(answered.body);
}

std::string ObservedWorld::Answered::text(std::string_view first, std::string_view second) const {
  const Value* found = json.Find(first);
  if (found != nullptr && !second.empty()) found = found->Find(second);
  if (found == nullptr) return "nothing";
  return found->is_string() ? found->as_string() : stele::ToJson(*found);
}

ObservedWorld::Answered ObservedWorld::Get(std::string_view target) {
  const auto parsed = http::ParseTarget(std::string(target));
  EXPECT_TRUE(parsed.has_value());
  const auto matched = router_.Match(http::Method::kGet, *parsed);
  EXPECT_TRUE(matched.has_value()) << target;
  http::Request request{.method = http::Method::kGet,
                        .path = parsed->path,
                        .params = matched->params,
                        .query = http::Query(parsed->query),
                        .headers = {},
                        .body = {},
                        .source = "127.0.0.1",
                        .id = "test"};
  http::Response response = served.Await(http::AskRoute(*matched->route, request));
  Answered answered{
      .status = response.status, .content_type = response.content_type, .body = {}, .json = {}};
  if (auto* text = std::get_if<std::string>(&response.body)) answered.body = std::move(*text);
  if (auto* problem = std::get_if<http::ProblemDocument>(&response.body))
    answered.body = stele::ToJson(problem->members);
  answered.json = ParseJson(answered.body).value_or(Value());
  return answered;
}

}  // namespace stele::server
