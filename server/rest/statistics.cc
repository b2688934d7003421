// Figures of definitions, errors, workers and views.
#include "projections/views/read_statistics.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/moments.h"
#include "server/rest/resources.h"
#include "server/rest/statistics_shapes.h"

namespace stele::server::rest {

namespace {

using http::Method;

Result<projections::StatisticsScope> ScopeOf(const Operations& operations, const Call& call) {
  const TimeUs now = operations.desk.Now();
  const auto from = AskedMoment(call, "from", now);
  if (!from.has_value()) return std::unexpected(from.error());
  const auto to = AskedMoment(call, "to", now);
  if (!to.has_value()) return std::unexpected(to.error());
  projections::StatisticsScope scope;
  scope.definition = call.request().params.contains("definition") ? call.param("definition")
                                                                  : call.Asked("definition");
  scope.from = *from;
  scope.to = *to;
  return scope;
}

kj::Promise<http::Response> Statistics(const Operations& operations, const Call& call) {
  auto scope = ScopeOf(operations, call);
  if (!scope.has_value()) return Refuse(scope.error());
  scope->version = static_cast<uint32_t>(call.AskedNumber("version").value_or(0));
  if (scope->version != 0 && scope->definition.empty())
    return Refuse({ErrorCode::kBadRequest, "Expected a definition beside version but found none"});
  const auto freshness = AskedFreshness(call, operations.desk.Now());
  if (!freshness.has_value()) return Refuse(freshness.error());
  return Reply(operations.questions.Statistics(call.caller(), *scope, *freshness), AsJson());
}

kj::Promise<http::Response> Series(const Operations& operations, const Call& call) {
  const auto scope = ScopeOf(operations, call);
  if (!scope.has_value()) return Refuse(scope.error());
  const auto freshness = AskedFreshness(call, operations.desk.Now());
  if (!freshness.has_value()) return Refuse(freshness.error());
  const auto resolution = projections::FindResolution(call.Asked("by"));
  return Reply(
      operations.questions.Series(call.caller(), *scope,
                                  resolution.value_or(projections::Resolution::kHour), *freshness),
      AsJson());
}

kj::Promise<http::Response> Each(const Operations& operations, const Call& call) {
  return Reply(
      operations.questions.Definitions(call.caller(), call.Asked("cursor"), AskedLimit(call)),
      AsJson());
}

kj::Promise<http::Response> Errors(const Operations& operations, const Call& call) {
  const TimeUs now = operations.desk.Now();
  const auto since = AskedMoment(call, "since", now);
  if (!since.has_value()) return Refuse(since.error());
  const auto freshness = AskedFreshness(call, now);
  if (!freshness.has_value()) return Refuse(freshness.error());
  return Reply(operations.questions.Errors(call.caller(),
                                           {.definition = call.Asked("definition"),
                                            .step = call.Asked("step"),
                                            .kind = call.Asked("kind"),
                                            .since = *since,
                                            .since_text = call.Asked("since")},
                                           AskedLimit(call), call.Asked("cursor"), *freshness),
               AsJson());
}

kj::Promise<http::Response> Views(const Operations& operations, const Call& call) {
  return ReplyNow(operations.questions.Views(call.caller()),
                  [](const std::vector<projections::ViewState>& states) {
                    Array views;
                    for (const projections::ViewState& state : states)
                      views.emplace_back(projections::ToJson(state));
                    return http::Json(200, Object{{"views", std::move(views)}});
                  });
}

std::vector<Parameter> Window() {
  return {Text("from", "the first moment"), Text("to", "the first moment that is not in it")};
}

std::vector<Route> StatisticsRoutes(const Operations& operations) {
  const Parameter definition = Text("definition", "of that one alone");
  const Parameter version = Number("version", 1, UINT32_MAX, "of that version alone");
  const auto figures = [operations](const Call& call) { return Statistics(operations, call); };
  return {{.method = Method::kGet,
           .pattern = "/statistics",
           .id = "getStatistics",
           .summary = "Figures of all definitions together, or of one.",
           .permission = Permission::kRead,
           .parameters = Together({{definition, version}, Window(), FreshnessParameters()}),
           .answers = {{200, "they are", "Statistics"}},
           .handle = figures},
          {.method = Method::kGet,
           .pattern = "/statistics/{definition}",
           .id = "getDefinitionStatistics",
           .summary = "Figures of a definition and its steps.",
           .permission = Permission::kRead,
           .parameters = Together({{version}, Window(), FreshnessParameters()}),
           .answers = {{200, "they are", "Statistics"}},
           .handle = figures},
          {.method = Method::kGet,
           .pattern = "/statistics/series",
           .id = "getSeries",
           .summary = "What happened by minute, hour or day.",
           .permission = Permission::kRead,
           .parameters =
               Together({{Choice("by", {"minute", "hour", "day"}, "hour unless given"), definition},
                         Window(),
                         FreshnessParameters()}),
           .answers = {{200, "it is", "Series"}},
           .handle = [operations](const Call& call) { return Series(operations, call); }},
          {.method = Method::kGet,
           .pattern = "/statistics/definitions",
           .id = "listStatistics",
           .summary = "Each definition in short, by name.",
           .permission = Permission::kRead,
           .parameters = PageParameters(),
           .answers = {{200, "a page", "DefinitionFiguresPage"}},
           .handle = [operations](const Call& call) { return Each(operations, call); }}};
}

}  // namespace

Resource StatisticsResource(const Operations& operations) {
  std::vector<Route> routes = StatisticsRoutes(operations);
  routes.push_back(
      {.method = Method::kGet,
       .pattern = "/errors",
       .id = "listErrors",
       .summary = "What goes wrong, the latest first.",
       .permission = Permission::kRead,
       .parameters = Together(
           {{Text("definition", "of that one alone"), Text("step", "of that one alone"),
             Text("kind", "of that kind alone"), Text("since", "that occurred since then")},
            PageParameters(),
            FreshnessParameters()}),
       .answers = {{200, "a page", "ErrorPage"}},
       .handle = [operations](const Call& call) { return Errors(operations, call); }});
  routes.push_back({.method = Method::kGet,
                    .pattern = "/workers",
                    .id = "listWorkers",
                    .summary = "Who has done tasks, how many, and when last.",
                    .permission = Permission::kReadFigures,
                    .answers = {{200, "they are", "WorkerList"}},
                    .handle = [operations](const Call& call) {
                      return Reply(operations.questions.Workers(call.caller()), AsJson());
                    }});
  routes.push_back({.method = Method::kGet,
                    .pattern = "/views",
                    .id = "listViews",
                    .summary = "How far behind the log each view is.",
                    .permission = Permission::kReadFigures,
                    .answers = {{200, "they are", "ViewList"}},
                    .handle = [operations](const Call& call) { return Views(operations, call); }});
  return {.name = "statistics",
          .about = "Figures, from the views; docs/statistics.md.",
          .routes = std::move(routes),
          .components = StatisticsShapes()};
}

}  // namespace stele::server::rest
