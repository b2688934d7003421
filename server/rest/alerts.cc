#include "server/rest/alerts.h"

#include "server/rest/answers.h"
#include "server/rest/call.h"

namespace stele::server::rest {

namespace {

using alerts::Alerts;
using alerts::AlertStatus;
using http::Method;

http::Response ShowAll(const std::vector<AlertStatus>& all) {
  Array shown;
  for (const AlertStatus& status : all) shown.emplace_back(alerts::ToJson(status));
  return http::Json(200, Object{{"alerts", std::move(shown)}});
}

http::Response ShowSet(const AlertStatus& status) {
  Object shown = alerts::ToJson(status);
  shown.Set("position", Whole(status.position.value));
  return http::Json(200, std::move(shown));
}

std::vector<Component> Shapes() {
  const std::vector<ShapeMember> rule{
      {"condition", "text", "an expression over figures, \"failure_rate > 0.1\""},
      {"definition?", "text|null", "that is watched over; none: all of them together"},
      {"window?", "text|count|null", "that is counted, 5m unless given"},
      {"for?", "text|count|null", "how long the condition must hold"},
      {"message?", "text|null", "a template of what is said"},
      {"notify?", "object|null",
       "who is told: a configuration of the task types webhook or "
       "notification, with secrets as templates"}};
  std::vector<ShapeMember> alert{{"name", "text", ""}};
  alert.insert(alert.end(), rule.begin(), rule.end());
  alert.insert(alert.end(),
               {{"state", "=firing,pending,quiet,unknown", ""},
                {"since", "time|null", "it fires, or its condition holds"},
                {"looked", "time|null", "when it was looked at"},
                {"value", "object", "the figures of its condition, as far as they can be told"},
                {"fault", "text|null", "why it cannot be told"},
                {"delivery", "AlertDelivery|null", "the last one"},
                {"position?", "number", "of the record, when it was set"}});
  return {{"AlertRule", "docs/alerts.md.", rule, Component::Others::kRefused},
          {"Alert", "A rule, and how it is doing.", alert},
          {"AlertDelivery",
           "",
           {{"state", "=sending,retrying,delivered,failed", ""},
            {"position", "number", "of the alert's record"},
            {"attempts", "count", ""},
            {"time?", "time", "when it ended"},
            {"error?", "text", "of the last attempt"}}},
          {"AlertList", "", {{"alerts", "[Alert]", "by name"}}}};
}

}  // namespace

Resource AlertsResource(Alerts& given) {
  Alerts* const to = &given;
  return {.name = "alerts",
          .about = "Rules that watch over figures; docs/alerts.md.",
          .routes = {{.method = Method::kGet,
                      .pattern = "/alerts",
                      .id = "listAlerts",
                      .summary = "Every rule, and how it is doing.",
                      .permission = Permission::kReadFigures,
                      .answers = {{200, "they are", "AlertList"}},
                      .handle =
                          [to](const Call& call) {
                            return ReplyNow(to->List(call.caller()), ShowAll);
                          }},
                     {.method = Method::kGet,
                      .pattern = "/alerts/{name}",
                      .id = "getAlert",
                      .summary = "One of them.",
                      .permission = Permission::kReadFigures,
                      .answers = {{200, "it is", "Alert"}},
                      .handle =
                          [to](const Call& call) {
                            return ReplyNow(to->Get(call.caller(), call.param("name")),
                                            [](const AlertStatus& status) {
                                              return http::Json(200, alerts::ToJson(status));
                                            });
                          }},
                     {.method = Method::kPut,
                      .pattern = "/alerts/{name}",
                      .id = "setAlert",
                      .summary = "Sets a rule, in place of the one that there was.",
                      .permission = Permission::kAdminister,
                      .body = ObjectOf("AlertRule"),
                      .answers = {{200, "it is durable", "Alert"}},
                      .handle =
                          [to](const Call& call) {
                            return Reply(to->Set(call.caller(), call.param("name"), call.body()),
                                         ShowSet);
                          }},
                     {.method = Method::kDelete,
                      .pattern = "/alerts/{name}",
                      .id = "removeAlert",
                      .summary = "There is no such rule any more; what fires by it is over.",
                      .permission = Permission::kAdminister,
                      .answers = {{204, "it is durable", ""}},
                      .handle =
                          [to](const Call& call) {
                            return Reply(to->Remove(call.caller(), call.param("name")),
                                         [](const Written&) { return http::NoContent(); });
                          }}},
          .components = Shapes()};
}

}  // namespace stele::server::rest
