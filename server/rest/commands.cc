// What operators and other systems ask of instances: a route for each, which makes the command and
// sends it.
#include "base/check.h"
#include "base/json.h"
#include "engine/requests/operators.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/instance_shapes.h"
#include "server/rest/moments.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;

using Make = std::function<requests::MakeCommand(const Call&)>;

Handle Sending(const Operations& operations, Permission permission, Make make) {
  return [operations, permission,
          make = std::move(make)](const Call& call) -> kj::Promise<http::Response> {
    const auto id = call.Instance();
    if (!id.has_value()) return Refuse(id.error());
    return Reply(operations.instances.Send(call.caller(), permission, *id, make(call)),
                 [id = *id](const Written& written) {
                   return http::Json(200, Object{{"instance", Whole(id.value)},
                                                 {"position", Whole(written.position.value)}});
                 });
  };
}

class Commands {
 public:
  explicit Commands(const Operations& operations) : operations_(operations) {}

  void Add(Method method, const std::string& word, std::string id, std::string summary,
           Permission permission, std::string body, Make make) {
    routes_.push_back({.method = method,
                       .pattern = "/instances/{id}/" + word,
                       .id = std::move(id),
                       .summary = std::move(summary),
                       .permission = permission,
                       .body = ObjectOf(std::move(body)),
                       .answers = {{200, "it is durable", "Written"}},
                       .handle = Sending(operations_, permission, std::move(make))});
  }
  void Operate(const std::string& word, std::string id, std::string summary, std::string body,
               Make make) {
    Add(Method::kPost, word, std::move(id), std::move(summary), Permission::kOperate,
        std::move(body), std::move(make));
  }
  std::vector<Route> Take() { return std::move(routes_); }

 private:
  const Operations operations_;
  std::vector<Route> routes_;
};

std::string Reason(const Call& call) {
  return call.Text("reason");
}

void AddOperators(Commands& commands) {
  commands.Operate("pause", "pauseInstance", "Nothing new of it starts.", "Reason",
                   [](const Call& call) { return requests::Pause(Reason(call)); });
  commands.Operate(
      "resume", "resumeInstance", "A paused instance goes on.", "Resume", [](const Call& call) {
        return requests::Resume(Reason(call), static_cast<uint32_t>(call.Number("steps", 0)));
      });
  commands.Operate(
      "step", "stepInstance", "One held step of a paused instance starts, and it stays paused.",
      "Resume", [](const Call& call) {
        return requests::Resume(Reason(call), static_cast<uint32_t>(call.Number("steps", 1)));
      });
  commands.Operate(
      "cancel", "cancelInstance", "Its attempts are stopped, and it ends.", "Cancel",
      [](const Call& call) { return requests::Cancel(call.Flag("compensate"), Reason(call)); });
  commands.Operate("terminate", "terminateInstance", "It ends at once, and nothing is undone.",
                   "Reason", [](const Call& call) { return requests::Terminate(Reason(call)); });
}

void AddRepairs(Commands& commands, const model::Registry& registry) {
  commands.Operate("retry", "retryInstance", "A failed instance, or a step that waits, goes on.",
                   "Retry", [](const Call& call) {
                     const std::string step = call.Text("step");
                     return step.empty() ? requests::Retry(Reason(call))
                                         : requests::RetryStep(step, Reason(call));
                   });
  commands.Operate(
      "skip", "skipStep", "A step that is open is done without.", "Skip",
      [](const Call& call) { return requests::SkipStep(call.Text("step"), Reason(call)); });
  commands.Operate("rollback", "rollBackInstance", "It goes back to an earlier step.", "RollBack",
                   [](const Call& call) {
                     return requests::RollBack(call.Text("from"), call.Text("to"), Reason(call));
                   });
  commands.Operate("resolve", "resolveStep", "What becomes of a step that waits for an operator.",
                   "Resolve", [](const Call& call) {
                     return requests::Resolve(call.Text("step"), call.Text("resolution"),
                                              Reason(call));
                   });
  commands.Operate("migrate", "migrateInstance", "It goes on in another version.", "Migrate",
                   [&registry](const Call& call) {
                     const Value* plan = call.Find("plan");
                     return requests::Migrate(
                         registry, static_cast<uint32_t>(call.Number("version", 0)),
                         plan == nullptr ? "" : stele::ToJson(*plan), Reason(call));
                   });
  commands.Add(Method::kPut, "variables", "setVariables", "Sets variables of it.",
               Permission::kOperate, "SetVariables", [](const Call& call) {
                 return requests::AssignVariables(call.Variables("variables"), call.Text("scope"),
                                                  Reason(call));
               });
}

// A message or signal without a payload has none; null is one.
Payload PayloadOf(const Call& call) {
  const Value* payload = call.body().Find("payload");
  return payload == nullptr ? Payload() : Payload::FromValue(*payload);
}

kj::Promise<http::Response> Publish(const Operations& operations, const Call& call) {
  const auto expires = MomentToCome(call, "expires", operations.desk.Now());
  if (!expires.has_value()) return Refuse(expires.error());
  return Reply(operations.instances.Publish(call.caller(), {.name = call.Text("name"),
                                                            .key = call.Text("key"),
                                                            .payload = PayloadOf(call),
                                                            .expires = *expires,
                                                            .message_id = call.Text("id")}),
               [](const Written& written) {
                 return http::Json(200, Object{{"position", Whole(written.position.value)}});
               });
}

}  // namespace

Resource CommandsResource(const Operations& operations) {
  Commands commands(operations);
  AddOperators(commands);
  AddRepairs(commands, operations.desk.registry());
  commands.Add(Method::kPost, "signals", "signalInstance", "Sends it a signal.",
               Permission::kSignal, "Signal", [](const Call& call) {
                 return requests::Signal(call.Text("name"), PayloadOf(call));
               });
  std::vector<Route> routes = commands.Take();
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/messages",
       .id = "publishMessage",
       .summary = "A message to whichever instance waits for one of that name and key.",
       .permission = Permission::kSignal,
       .body = ObjectOf("Message"),
       .answers = {{200, "it is durable", "Written"}},
       .handle = [operations](const Call& call) { return Publish(operations, call); }});
  return {.name = "commands",
          .about = "What is asked of instances.",
          .routes = std::move(routes),
          .components = CommandShapes()};
}

}  // namespace stele::server::rest
