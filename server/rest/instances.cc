// Starting instances, finding and looking at them.
#include <algorithm>

#include "base/check.h"
#include "projections/query.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/instance_shapes.h"
#include "server/rest/limits.h"
#include "server/rest/moments.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;

Result<StartRequest> StartRequestOf(const Call& call, TimeUs now) {
  const auto key = call.IdempotencyKey();
  if (!key.has_value()) return std::unexpected(key.error());
  const auto deadline = MomentToCome(call, "deadline", now);
  if (!deadline.has_value()) return std::unexpected(deadline.error());
  return StartRequest{.definition = call.Text("definition"),
                      .version = static_cast<uint32_t>(call.Number("version", 0)),
                      .input = call.Document("input"),
                      .variables = call.Variables("variables"),
                      .business_key = call.Text("business_key"),
                      .unique = call.Flag("unique"),
                      .idempotency_key = *key,
                      .tags = call.Texts("tags"),
                      .priority = static_cast<int32_t>(call.Number("priority", 0)),
                      .deadline = *deadline,
                      .paused = call.Flag("paused"),
                      .trace_parent = call.TraceParent()};
}

http::Response StartedResponse(const Started& started, const InstanceStatus* result) {
  Object shown{{"id", Whole(started.instance.value)},
               {"position", Whole(started.position.value)},
               {"known", started.known}};
  if (result != nullptr) shown.Set("result", ToJson(*result));
  const std::string location = fmt::format("{}/instances/{}", kPrefix, started.instance.value);
  if (!started.known) return http::Created(location, shown);
  http::Response response = http::Json(200, shown);
  response.headers.Add("Location", location);
  return response;
}

// What is told of a start that is durable, with the instance at its end when that is asked for. One
// that the caller may start and not look at has started all the same.
kj::Promise<http::Response> Tell(Instances& instances, const Caller& caller, const Started& started,
                                 int64_t wait_us) {
  if (wait_us == 0) return StartedResponse(started, nullptr);
  return instances.Wait(caller, started.instance, wait_us)
      .then([started](Result<InstanceStatus> result) {
        return StartedResponse(started, result.has_value() ? &*result : nullptr);
      });
}

kj::Promise<http::Response> Start(const Operations& operations, const Call& call) {
  auto request = StartRequestOf(call, operations.desk.Now());
  if (!request.has_value()) return Refuse(request.error());
  const auto wait = AskedWait(call, "wait");
  if (!wait.has_value()) return Refuse(wait.error());
  Instances& instances = operations.instances;
  return instances.Start(call.caller(), *std::move(request))
      .then([&instances, caller = call.caller(),
             wait = *wait](Result<Started> started) -> kj::Promise<http::Response> {
        if (!started.has_value()) return Refuse(started.error());
        return Tell(instances, caller, *started, wait);
      });
}

// The query, and what parameters of their own add to it.
std::string QueryOf(const Call& call) {
  projections::Query narrowed;
  projections::AddCondition(narrowed, "status", call.AllAsked("status"));
  projections::AddCondition(narrowed, "definition", call.AllAsked("definition"));
  projections::AddCondition(narrowed, "key", call.AllAsked("business_key"));
  for (const std::string& tag : call.AllAsked("tag"))
    projections::AddCondition(narrowed, "tag", {tag});
  const std::string query = call.Asked("query");
  return narrowed.conditions.empty() ? query : query + " " + projections::ToText(narrowed);
}

kj::Promise<http::Response> Find(const Operations& operations, const Call& call) {
  const auto freshness = AskedFreshness(call, operations.desk.Now());
  if (!freshness.has_value()) return Refuse(freshness.error());
  return Reply(operations.questions.Instances(call.caller(), {.query = QueryOf(call),
                                                              .sort = call.Asked("sort"),
                                                              .cursor = call.Asked("cursor"),
                                                              .limit = AskedLimit(call),
                                                              .freshness = *freshness}),
               [](const Found<projections::InstanceRow>& found) {
                 Array rows;
                 for (const projections::InstanceRow& row : found.page.rows)
                   rows.push_back(projections::ToJson(row, found.now));
                 return http::Json(200, PageOf(found.page.position, "instances", std::move(rows),
                                               found.page.next));
               });
}

kj::Promise<http::Response> Get(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  const auto wait = AskedWait(call, "wait");
  if (!wait.has_value()) return Refuse(wait.error());
  const auto seq = call.AskedNumber("seq");
  const auto at = AskedMoment(call, "at", operations.desk.Now());
  if (!at.has_value()) return Refuse(at.error());
  if ((seq.has_value() ? 1 : 0) + (*at ? 1 : 0) + (*wait > 0 ? 1 : 0) > 1)
    return Refuse({ErrorCode::kBadRequest, "Expected one of seq, at and wait but found several"});
  if (seq.has_value() || *at)
    return Reply(
        operations.histories.At(call.caller(), *id,
                                {.seq = Seq(static_cast<uint64_t>(seq.value_or(0))), .time = *at}),
        [](const Object& state) { return http::Json(200, state); });
  if (*wait > 0) return Reply(operations.instances.Wait(call.caller(), *id, *wait), AsJson());
  return Reply(operations.instances.Get(call.caller(), *id), AsJson());
}

std::vector<Parameter> FindParameters() {
  return Together(
      {{Text("query", "as docs/queries.md has it"), Texts("status", "one of those"),
        Texts("definition", "one of those"), Texts("business_key", "one of those"),
        Texts("tag", "all of those"), Text("sort", "a field, \"-\" before it: the latest first")},
       PageParameters(),
       FreshnessParameters()});
}

}  // namespace

Resource InstancesResource(const Operations& operations) {
  const Parameter wait = Text("wait", "answers at its end, or so much later: \"5s\"");
  return {
      .name = "instances",
      .about = "Executions of definitions.",
      .routes = {{.method = Method::kPost,
                  .pattern = "/instances",
                  .id = "startInstance",
                  .summary = "Starts an instance; it is durable when this answers.",
                  .permission = Permission::kStart,
                  .parameters = {wait, Header("Idempotency-Key", "the same as idempotency_key")},
                  .body = ObjectOf("StartInstance"),
                  .answers = {{201, "it was started", "Started"},
                              {200, "its key had started it before", "Started"}},
                  .handle = [operations](const Call& call) { return Start(operations, call); }},
                 {.method = Method::kGet,
                  .pattern = "/instances",
                  .id = "findInstances",
                  .summary = "Finds instances, page by page.",
                  .permission = Permission::kRead,
                  .parameters = FindParameters(),
                  .answers = {{200, "a page", "InstancePage"}},
                  .handle = [operations](const Call& call) { return Find(operations, call); }},
                 {.method = Method::kGet,
                  .pattern = "/instances/{id}",
                  .id = "getInstance",
                  .summary = "An instance as it is, at its end, or as it was at a moment.",
                  .permission = Permission::kRead,
                  .parameters = {wait, Number("seq", 1, INT64_MAX, "as it was behind that event"),
                                 Text("at", "as it was at that time")},
                  .answers = {{200, "it is", "Instance"}},
                  .handle = [operations](const Call& call) { return Get(operations, call); },
                  .waits = true}},
      .components = InstanceShapes()};
}

}  // namespace stele::server::rest
