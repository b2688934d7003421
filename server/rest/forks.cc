// Forks and resets: another instance, from what one was behind an event.
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/forking.h"
#include "server/rest/instance_shapes.h"
#include "server/rest/moments.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;
using Others = Component::Others;

Result<ForkRequest> ForkRequestOf(const Call& call, TimeUs now) {
  const auto place = GivenPlace(call, now);
  if (!place.has_value()) return std::unexpected(place.error());
  const auto deadline = MomentToCome(call, "deadline", now);
  if (!deadline.has_value()) return std::unexpected(deadline.error());
  const auto key = call.IdempotencyKey();
  if (!key.has_value()) return std::unexpected(key.error());
  const auto version = static_cast<uint32_t>(call.Number("version", 0));
  auto plan = GivenPlan(call, version != 0);
  if (!plan.has_value()) return std::unexpected(plan.error());
  return ForkRequest{.at = *place,
                     .variables = call.Variables("variables"),
                     .version = version,
                     .plan = *std::move(plan),
                     .business_key = call.Text("business_key"),
                     .unique = call.Flag("unique"),
                     .idempotency_key = *key,
                     .deadline = *deadline,
                     .paused = call.Flag("paused"),
                     .reason = call.Text("reason"),
                     .trace_parent = call.TraceParent()};
}

http::Response ForkedResponse(const Forked& forked) {
  const Started& started = forked.started;
  const Object shown{{"id", Whole(started.instance.value)},
                     {"position", Whole(started.position.value)},
                     {"known", started.known},
                     {"at", Whole(forked.at.value)}};
  const std::string location = fmt::format("{}/instances/{}", kPrefix, started.instance.value);
  if (!started.known) return http::Created(location, shown);
  http::Response response = http::Json(200, shown);
  response.headers.Add("Location", location);
  return response;
}

kj::Promise<http::Response> Fork(const Operations& operations, const Call& call, bool resets) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  auto request = ForkRequestOf(call, operations.desk.Now());
  if (!request.has_value()) return Refuse(request.error());
  request->resets = resets;
  return Reply(operations.forks.Fork(call.caller(), *id, *std::move(request)), ForkedResponse);
}

Route RouteOf(const Operations& operations, const std::string& word, std::string id,
              std::string summary, bool resets) {
  return {
      .method = Method::kPost,
      .pattern = "/instances/{id}/" + word,
      .id = std::move(id),
      .summary = std::move(summary),
      .permission = Permission::kOperate,
      .parameters = {Header("Idempotency-Key", "the same as idempotency_key")},
      .body = ObjectOf("Fork"),
      .answers = {{201, "it was begun", "Forked"}, {200, "its key had begun it before", "Forked"}},
      .handle = [operations, resets](const Call& call) { return Fork(operations, call, resets); }};
}

std::vector<Component> ForkShapes() {
  return {
      {"Fork",
       "Where another instance begins, and what is different in it.",
       {{"seq?", "number", "behind that event, with all of its record; this or at must be given"},
        {"at?", "moment|null", "the same by a time"},
        {"variables?", "object|null", "name to value; others are as they were"},
        {"version?", "version|null", "of its definition, to go on in"},
        {"plan?", "object", "as of a migration, to that version, which must be given"},
        {"business_key?", "key|null", "a reset keeps its own unless given"},
        {"unique?", "flag", "refused when an open instance has the same business key"},
        {"idempotency_key?", "key|null", "a fork with a key that was used gives that instance"},
        {"deadline?", "moment|null", "when it is terminated"},
        {"paused?", "flag", "nothing of it starts until it is resumed"},
        {"reason?", "text", "is kept with the history"}},
       Others::kRefused},
      {"Forked",
       "",
       {{"id", "number", "of the new instance"},
        {"position", "number", "of the record"},
        {"known", "flag", "its idempotency key had begun it before"},
        {"at", "number", "the last event of the first that is in it"}}},
  };
}

}  // namespace

Resource ForksResource(const Operations& operations) {
  return {.name = "forks",
          .about = "Instances that go on from what another one was.",
          .routes = {RouteOf(operations, "fork", "forkInstance",
                             "Begins another instance from an event of its past; it goes on, too.",
                             false),
                     RouteOf(operations, "reset", "resetInstance",
                             "The same, and this one is terminated.", true)},
          .components = ForkShapes()};
}

}  // namespace stele::server::rest
