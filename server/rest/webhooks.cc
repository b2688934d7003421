// Requests of strangers to webhooks. Whether they may is the webhooks' own matter: a signature with
// a secret. So strangers are told what became of a request, but neither texts of filters nor names
// of secrets or definitions.
#include <array>

#include "engine/triggers/limits.h"
#include "server/http/status.h"
#include "server/operations/triggers.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;

constexpr std::string_view kActor = "webhook";

// Of a refusal whose own sentence may say more than a stranger should know; empty: it does not.
std::string_view GeneralReason(int status) {
  switch (status) {
    case 400:
    case 401:
    case 404:
    case 405:
    case 413:
      return {};
    case 422:
      return "Expected a request that the webhook can make an input from but found none";
    default:
      return "Expected a webhook that can start something now but found that it cannot; try again "
             "later";
  }
}

Error ForStrangers(const triggers::WebhookRefused& refused) {
  const std::string_view general = GeneralReason(refused.status);
  return {refused.error.code, general.empty() ? refused.error.message : std::string(general)};
}

Object Shown(const triggers::Delivered& delivered) {
  Object shown{{"trigger", Whole(delivered.trigger.value)}};
  if (const auto* fired = std::get_if<triggers::Delivered::Fired>(&delivered.verdict)) {
    shown.Set("verdict", "fired");
    shown.Set("instance", fired->instance.has_value() ? Whole(fired->instance->value) : Value());
  } else if (const auto* refused = std::get_if<triggers::WebhookRefused>(&delivered.verdict)) {
    shown.Set("verdict", "refused");
    shown.Set("reason", ForStrangers(*refused).message);
  } else {
    shown.Set("verdict", "ignored");
  }
  return shown;
}

http::Response ResponseOf(const triggers::Delivery& delivery) {
  if (delivery.refusal.has_value())
    return http::Problem(delivery.refusal->status, ForStrangers(*delivery.refusal));
  Array all;
  for (const triggers::Delivered& delivered : delivery.triggers) all.emplace_back(Shown(delivered));
  return http::Json(202, Object{{"triggers", std::move(all)}});
}

kj::Promise<http::Response> Deliver(const Operations& operations, const Call& call,
                                    const std::string& path) {
  const http::Request& request = call.request();
  return Reply(
      operations.triggers.Deliver({.method = http::MethodName(request.method),
                                   .path = path,
                                   .query = request.query.parameters(),
                                   .headers = request.headers.fields(),
                                   .body = request.body},
                                  model::KeptAsker{std::string(kActor), call.caller().source}),
      ResponseOf);
}

// A path of the server's own, under which paths of webhooks stand, and one that takes any.
struct Place {
  std::string id;
  std::string pattern;
  bool outside = false;
  std::string before;  // of the path of the webhook, what the pattern does not take
};

constexpr std::array kMethods{Method::kPost, Method::kPut, Method::kPatch, Method::kGet,
                              Method::kDelete};

}  // namespace

Resource WebhooksResource(const Operations& operations) {
  std::vector<Route> routes;
  const Place places[] = {{"deliverToWebhook", "/webhook/{path*}", true, "/webhook/"},
                          {"deliverToHook", "/hooks/{path*}", true, "/hooks/"},
                          {"deliverToPath", "/webhook/{path*}", false, "/"}};
  for (const Place& place : places)
    for (const Method method : kMethods)
      routes.push_back({.method = method,
                        .pattern = place.pattern,
                        .id = fmt::format("{}By{}", place.id, http::MethodName(method)),
                        .summary = "A request to the webhooks of that path.",
                        .permission = std::nullopt,
                        .body = Raw({"application/json"}),
                        .answers = {{202, "what each trigger made of it", "Delivered"}},
                        .handle =
                            [operations, before = place.before](const Call& call) {
                              return Deliver(operations, call, before + call.param("path"));
                            },
                        .anybody = true,
                        .outside = place.outside,
                        .max_body = triggers::kMaxWebhookBodyBytes});
  return {.name = "webhooks",
          .about = "Requests of other systems that start definitions.",
          .routes = std::move(routes),
          .components = {{"Delivered", "", {{"triggers", "[DeliveredTo]", ""}}},
                         {"DeliveredTo",
                          "",
                          {{"trigger", "number", ""},
                           {"verdict", "=fired,ignored,refused", ""},
                           {"instance?", "number|null", "of one that fired; null: it starts later"},
                           {"reason?", "text", "of a refusal"}}}}};
}

}  // namespace stele::server::rest
