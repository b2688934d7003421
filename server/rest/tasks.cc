// Tasks for people: finding them, and what people do about them.
#include <fmt/format.h>

#include "base/person_name.h"
#include "engine/requests/people.h"
#include "projections/query.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/instance_shapes.h"
#include "server/rest/moments.h"
#include "server/rest/resources.h"
#include "server/rest/run_name.h"

namespace stele::server::rest {

namespace {

using http::Method;
using projections::TaskRow;

constexpr std::string_view kCurrentUser = "current_user";

// Where a task is: by the step of an instance, or by its own id.
struct Place {
  InstanceId instance;
  std::string step;
};

Result<Place> PlaceOf(const Call& call) {
  if (call.request().params.contains("task")) {
    const auto name = ParseRunName(call.param("task"));
    if (!name.has_value()) return std::unexpected(name.error());
    return Place{name->instance, fmt::format("#{}", name->run.value)};
  }
  const auto id = call.Instance();
  if (!id.has_value()) return std::unexpected(id.error());
  return Place{*id, call.param("step")};
}

// Whoever asks, with their groups; where nobody is asked for a name, whom the body names.
Result<Caller> ActingCaller(const Operations& operations, const Call& call, InstanceId instance) {
  Caller caller = call.caller();
  const bool names = call.Find("by") != nullptr || call.Find("groups") != nullptr;
  if (!names) return caller;
  if (caller.kind != CallerKind::kAnonymousDev)
    return operations.desk.Deny(
        caller, Permission::kActForOthers,
        fmt::format("Expected no `by` and no `groups`, which the login of \"{}\" says, but "
                    "found some",
                    caller.name),
        operations.instances.TargetOf(instance));
  if (call.Find("by") != nullptr) caller.name = call.Text("by");
  if (const std::string_view fault = FaultOfPersonName(caller.name); !fault.empty())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("by: Expected the name of a person but found one {}", fault));
  caller.groups = call.Texts("groups");
  return caller;
}

using Make =
    std::function<requests::MakeCommand(const Call&, std::string step, requests::Person person)>;

kj::Promise<http::Response> Act(const Operations& operations, const Call& call, const Make& make) {
  const auto place = PlaceOf(call);
  if (!place.has_value()) return Refuse(place.error());
  const auto caller = ActingCaller(operations, call, place->instance);
  if (!caller.has_value()) return Refuse(caller.error());
  const bool as_operator = call.Flag("as_operator");
  if (as_operator)
    if (const auto allowed =
            operations.instances.Allow(*caller, Permission::kActForOthers, place->instance);
        !allowed.has_value())
      return Refuse(allowed.error());
  const auto command = make(call, place->step,
                            {.name = caller->name,
                             .groups = caller->groups,
                             .comment = call.Text("comment"),
                             .as_operator = as_operator});
  return Reply(
      operations.instances.Send(*caller, Permission::kDecideTasks, place->instance, command),
      [id = place->instance](const Written& written) {
        return http::Json(200, Object{{"instance", Whole(id.value)},
                                      {"position", Whole(written.position.value)}});
      });
}

Object Shown(const TaskRow& row) {
  Value shown = projections::ToJson(row);
  return std::move(shown.as_object());
}

// Whom tasks are for: a person is asked with all of their groups, and with those for anybody.
std::vector<std::string> WhomFor(const Call& call) {
  std::vector<std::string> whom;
  for (const std::string& group : call.AllAsked("group")) whom.push_back("@" + group);
  if (const std::string person = call.Asked("person"); !person.empty()) {
    whom.push_back(person);
    whom.emplace_back("anybody");
  }
  if (const std::string assignee = call.Asked("assignee");
      !assignee.empty() && assignee != kCurrentUser) {
    whom.push_back(assignee);
    whom.emplace_back("anybody");
  }
  if (call.AskedFlag("mine") || call.Asked("assignee") == kCurrentUser) {
    whom.push_back(call.caller().name);
    for (const std::string& group : call.caller().groups) whom.push_back("@" + group);
    whom.emplace_back("anybody");
  }
  return whom;
}

kj::Promise<http::Response> Find(const Operations& operations, const Call& call) {
  const auto freshness = AskedFreshness(call, operations.desk.Now());
  if (!freshness.has_value()) return Refuse(freshness.error());
  projections::Query narrowed;
  projections::AddCondition(narrowed, "definition", call.AllAsked("definition"));
  projections::AddCondition(narrowed, "for", WhomFor(call));
  std::string query = call.Asked("query");
  if (!narrowed.conditions.empty()) query += " " + projections::ToText(narrowed);
  return Reply(operations.questions.Tasks(call.caller(), {.query = std::move(query),
                                                          .sort = call.Asked("sort"),
                                                          .cursor = call.Asked("cursor"),
                                                          .limit = AskedLimit(call),
                                                          .freshness = *freshness}),
               [](const Found<TaskRow>& found) {
                 Array tasks;
                 for (const TaskRow& row : found.page.rows) tasks.emplace_back(Shown(row));
                 return http::Json(
                     200, PageOf(found.page.position, "tasks", std::move(tasks), found.page.next));
               });
}

kj::Promise<http::Response> Get(const Operations& operations, const Call& call) {
  const auto name = ParseRunName(call.param("task"));
  if (!name.has_value()) return Refuse(name.error());
  const auto freshness = AskedFreshness(call, operations.desk.Now());
  if (!freshness.has_value()) return Refuse(freshness.error());
  Search search;
  search.query = fmt::format("id:{} state:*", ToText(*name));
  search.limit = 1;
  search.freshness = *freshness;
  return Reply(operations.questions.Tasks(call.caller(), search),
               [task = call.param("task")](const Found<TaskRow>& found) {
                 if (!found.page.rows.empty()) return http::Json(200, Shown(found.page.rows[0]));
                 return http::Problem(
                     {ErrorCode::kUnknownRun,
                      fmt::format("Expected a task for people but found none that is {}", task)});
               });
}

struct Action {
  std::string word;
  std::string id;
  std::string summary;
  std::string body;
  Make make;
};

std::vector<Action> Actions() {
  const auto deciding =
      [](requests::MakeCommand (*decide)(std::string, requests::Person, Payload)) -> Make {
    return [decide](const Call& call, std::string step, requests::Person person) {
      return decide(std::move(step), std::move(person), call.Document("variables"));
    };
  };
  return {
      {"claim", "claim", "Takes a task, so that nobody else does it.", "ActOnTask",
       [](const Call&, std::string step, requests::Person person) {
         return requests::Claim(std::move(step), std::move(person));
       }},
      {"release", "release", "Gives a claimed task back.", "ActOnTask",
       [](const Call&, std::string step, requests::Person person) {
         return requests::Release(std::move(step), std::move(person));
       }},
      {"approve", "approve", "Approves an approval.", "DecideTask", deciding(&requests::Approve)},
      {"reject", "reject", "Rejects an approval.", "DecideTask", deciding(&requests::Reject)},
      {"complete", "complete", "A manual task is done.", "DecideTask",
       deciding(&requests::Complete)},
      {"fail", "fail", "A task fails, as an attempt does.", "FailTask",
       [](const Call& call, std::string step, requests::Person person) {
         return requests::FailTask(std::move(step), std::move(person), call.Text("kind"));
       }}};
}

Route ActionRoute(const Operations& operations, const Action& action, const std::string& base,
                  const std::string& suffix) {
  return {.method = Method::kPost,
          .pattern = base + action.word,
          .id = action.id + suffix,
          .summary = action.summary,
          .permission = Permission::kDecideTasks,
          .body = ObjectOf(action.body),
          .answers = {{200, "it is durable", "Written"}},
          .handle = [operations, make = action.make](const Call& call) {
            return Act(operations, call, make);
          }};
}

}  // namespace

Resource TasksResource(const Operations& operations) {
  std::vector<Route> routes{
      {.method = Method::kGet,
       .pattern = "/tasks",
       .id = "findTasks",
       .summary = "Finds tasks for people, open ones unless the query has `state`.",
       .permission = Permission::kRead,
       .parameters = Together(
           {{Text("query", "as docs/queries.md has it"),
             Text("person", "that this person may act on"),
             Text("assignee", "the same; current_user: the caller"),
             Texts("group", "that these groups may act on"),
             Flag("mine", "that the caller may act on"), Texts("definition", "of one of those"),
             Text("sort", "a field, \"-\" before it: the latest first")},
            PageParameters(),
            FreshnessParameters()}),
       .answers = {{200, "a page", "TaskPage"}},
       .handle = [operations](const Call& call) { return Find(operations, call); }},
      {.method = Method::kGet,
       .pattern = "/tasks/{task}",
       .id = "getTask",
       .summary = "A task for people, also one that is over.",
       .permission = Permission::kRead,
       .parameters = FreshnessParameters(),
       .answers = {{200, "it is", "Task"}},
       .handle = [operations](const Call& call) { return Get(operations, call); }}};
  for (const Action& action : Actions()) {
    routes.push_back(ActionRoute(operations, action, "/tasks/{task}/", "Task"));
    routes.push_back(
        ActionRoute(operations, action, "/instances/{id}/tasks/{step}/", "TaskOfStep"));
  }
  return {.name = "tasks",
          .about = "Approvals and manual tasks.",
          .routes = std::move(routes),
          .components = TaskShapes()};
}

}  // namespace stele::server::rest
