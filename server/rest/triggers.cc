// Triggers: which there are, changing and firing them.
#include "server/operations/triggers.h"

#include <algorithm>

#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/moments.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;

Result<TriggerId> IdOf(const Call& call) {
  const auto number = call.NumberParam("trigger", UINT32_MAX);
  if (!number.has_value()) return std::unexpected(number.error());
  return TriggerId(static_cast<uint32_t>(*number));
}

kj::Promise<http::Response> List(const Operations& operations, const Call& call) {
  return ReplyNow(
      operations.triggers.List(call.caller(), call.Asked("definition"), call.AskedFlag("removed")),
      [](const std::vector<TriggerStatus>& all) {
        Array triggers;
        for (const TriggerStatus& status : all) triggers.emplace_back(ToJson(status));
        return http::Json(200, Object{{"triggers", std::move(triggers)}});
      });
}

kj::Promise<http::Response> Get(const Operations& operations, const Call& call) {
  const auto id = IdOf(call);
  if (!id.has_value()) return Refuse(id.error());
  return ReplyNow(operations.triggers.Get(call.caller(), *id), AsJson());
}

kj::Promise<http::Response> Add(const Operations& operations, const Call& call) {
  return Reply(
      operations.triggers.Add(call.caller(), call.Text("definition"), *call.Find("trigger")),
      [](const TriggerStatus& status) {
        return http::Created(fmt::format("{}/triggers/{}", kPrefix, status.id.value),
                             ToJson(status));
      });
}

kj::Promise<http::Response> Change(const Operations& operations, const Call& call,
                                   model::TriggerState state) {
  const auto id = IdOf(call);
  if (!id.has_value()) return Refuse(id.error());
  return Reply(operations.triggers.Change(call.caller(), *id, state, call.Text("reason")),
               AsJson());
}

kj::Promise<http::Response> Fire(const Operations& operations, const Call& call) {
  const auto id = IdOf(call);
  if (!id.has_value()) return Refuse(id.error());
  const Value* input = call.Find("input");
  return Reply(operations.triggers.Fire(call.caller(), *id, call.Text("key"),
                                        input == nullptr ? Value() : *input),
               [](const std::optional<InstanceId>& instance) {
                 return http::Json(
                     200,
                     Object{{"instance", instance.has_value() ? Whole(instance->value) : Value()}});
               });
}

kj::Promise<http::Response> Backfill(const Operations& operations, const Call& call) {
  const auto id = IdOf(call);
  if (!id.has_value()) return Refuse(id.error());
  const TimeUs now = operations.desk.Now();
  const auto from = GivenMoment(call, "from", now);
  if (!from.has_value()) return Refuse(from.error());
  const auto to = GivenMoment(call, "to", now);
  if (!to.has_value()) return Refuse(to.error());
  return Reply(operations.triggers.Backfill(call.caller(), *id, *from, *to ? *to : now),
               [](const triggers::Backfilled& filled) {
                 return http::Json(
                     200, Object{{"fired", Whole(filled.fired)}, {"known", Whole(filled.known)}});
               });
}

Route Changing(const Operations& operations, Method method, const std::string& word, std::string id,
               std::string summary, model::TriggerState state) {
  return {
      .method = method,
      .pattern = "/triggers/{trigger}" + word,
      .id = std::move(id),
      .summary = std::move(summary),
      .permission = Permission::kTrigger,
      .body = method == Method::kPost ? ObjectOf("Reason") : Body(),
      .answers = {{200, "it is durable", "Trigger"}},
      .handle = [operations, state](const Call& call) { return Change(operations, call, state); }};
}

std::vector<Route> ReadingRoutes(const Operations& operations) {
  return {{.method = Method::kGet,
           .pattern = "/triggers",
           .id = "listTriggers",
           .summary = "Which there are.",
           .permission = Permission::kReadDefinitions,
           .parameters = {Text("definition", "of that one alone"),
                          Flag("removed", "those that were removed, too")},
           .answers = {{200, "they are", "TriggerList"}},
           .handle = [operations](const Call& call) { return List(operations, call); }},
          {.method = Method::kGet,
           .pattern = "/triggers/{trigger}",
           .id = "getTrigger",
           .summary = "One of them.",
           .permission = Permission::kReadDefinitions,
           .answers = {{200, "it is", "Trigger"}},
           .handle = [operations](const Call& call) { return Get(operations, call); }}};
}

std::vector<Route> FiringRoutes(const Operations& operations) {
  return {{.method = Method::kPost,
           .pattern = "/triggers",
           .id = "addTrigger",
           .summary = "Adds one to a definition, beside those that it declares.",
           .permission = Permission::kTrigger,
           .body = ObjectOf("AddTrigger"),
           .answers = {{201, "it is durable", "Trigger"}},
           .handle = [operations](const Call& call) { return Add(operations, call); }},
          {.method = Method::kPost,
           .pattern = "/triggers/{trigger}/fire",
           .id = "fireTrigger",
           .summary = "Fires it now, once for a key.",
           .permission = Permission::kTrigger,
           .body = ObjectOf("FireTrigger"),
           .answers = {{200, "it is durable", "Fired"}},
           .handle = [operations](const Call& call) { return Fire(operations, call); }},
          {.method = Method::kPost,
           .pattern = "/triggers/{trigger}/backfill",
           .id = "backfillTrigger",
           .summary = "Fires the moments of a schedule that have started nothing.",
           .permission = Permission::kTrigger,
           .body = ObjectOf("Backfill"),
           .answers = {{200, "it is durable", "Backfilled"}},
           .handle = [operations](const Call& call) { return Backfill(operations, call); }}};
}

std::vector<Component> Shapes() {
  using Others = Component::Others;
  return {
      {"Trigger",
       "What starts a definition by itself.",
       {{"id", "number", ""},
        {"definition", "text", ""},
        {"name", "text|null", ""},
        {"kind", "text", "\"schedule\", \"webhook\", \"event\", …"},
        {"state", "=active,paused,removed", ""},
        {"reason", "text|null", "of its last change of state"},
        {"declared", "flag", "by its definition; not by hand"},
        {"config", "any", "as it was given"},
        {"path", "text|null", "of a webhook"},
        {"next", "time|null", "of a schedule, when it can be told"},
        {"fired", "count", ""},
        {"last_outcome", "text|null", ""},
        {"last_time", "time|null", "that it fired for"}}},
      {"TriggerList", "", {{"triggers", "[Trigger]", "by number"}}},
      {"AddTrigger",
       "",
       {{"definition", "name", ""},
        {"trigger", "object", "an entry as in a definition's triggers; docs/triggers.md"}},
       Others::kRefused},
      {"FireTrigger",
       "",
       {{"key?", "key|null", "once for a key; none is always a new one"}, {"input?", "any", ""}},
       Others::kRefused},
      {"Fired", "", {{"instance", "number|null", "null: it starts later"}}},
      {"Backfill",
       "",
       {{"from", "moment", "or as queries write moments"},
        {"to?", "moment|null", "not with it; now unless given"}},
       Others::kRefused},
      {"Backfilled",
       "",
       {{"fired", "count", ""}, {"known", "count", "started or waiting already"}}}};
}

}  // namespace

Resource TriggersResource(const Operations& operations) {
  std::vector<Route> routes = ReadingRoutes(operations);
  for (Route& route : FiringRoutes(operations)) routes.push_back(std::move(route));
  routes.push_back(Changing(operations, Method::kPost, "/pause", "pauseTrigger",
                            "It does not fire, and does not make up for it.",
                            model::TriggerState::kPaused));
  routes.push_back(Changing(operations, Method::kPost, "/resume", "resumeTrigger",
                            "A paused one fires again.", model::TriggerState::kActive));
  routes.push_back(Changing(operations, Method::kDelete, "", "removeTrigger",
                            "It never fires again.", model::TriggerState::kRemoved));
  return {.name = "triggers",
          .about = "What starts definitions by itself.",
          .routes = std::move(routes),
          .components = Shapes()};
}

}  // namespace stele::server::rest
