// The dialect of executions: its workflows. A workflow is told by the number of
// its first version, so that it stays the same when it is changed; a change is a new version.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "server/compat/executions.h"
#include "server/compat/shown.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"

namespace stele::server::compat {

namespace {

using http::Method;
using model::DefinitionState;
using rest::Call;
using rest::ObjectOf;
using rest::Refuse;
using rest::Reply;
using rest::Route;

struct Figures {
  int64_t started = 0;
  TimeUs last;
  double success = 0;
};
using FiguresByName = std::map<std::string, Figures>;

Array TextsOf(const Value* texts) {
  Array all;
  if (texts == nullptr) return all;
  if (texts->is_string()) all.push_back(*texts);
  if (texts->is_array())
    for (const Value& text : texts->as_array())
      if (text.is_string()) all.push_back(text);
  return all;
}

Object ShowStep(const std::string& workflow, const Value& step, size_t index) {
  const std::string id = TextMember(step, "id");
  const std::string name = TextMember(step, "name");
  const Value* retry = step.Find("retry_policy");
  if (retry == nullptr) retry = step.Find("retry");
  return Object{{"id", id},
                {"workflow_id", workflow},
                {"name", name.empty() ? id : name},
                {"type", TextMember(step, "type")},
                {"config", MemberOr(step, "config", Object())},
                {"input_mapping", MemberOr(step, "input_mapping", Object())},
                {"output_mapping", MemberOr(step, "output_mapping", Object())},
                {"order", MemberOr(step, "order", static_cast<int64_t>(index) + 1)},
                {"is_parallel", MemberOr(step, "is_parallel", false)},
                {"dependencies", TextsOf(step.Find("depends_on"))},
                {"retry_policy", retry != nullptr && retry->is_object() ? *retry : Value()}};
}

// The workflow in the notation `steps:`, as it was written where it was written in that.
Result<Value> DocumentOf(const Operations& operations, const Caller& caller,
                         const model::RegisteredDefinition& newest) {
  if (newest.definition->dialect == "steps")
    if (auto written = ParseJson(newest.source); written.has_value()) {
      const Value* inner = written->Find("definition");
      return inner != nullptr && inner->is_object() ? Value(*inner) : *std::move(written);
    }
  const auto text = operations.definitions.Source(
      caller, newest.name, newest.version, definition::Dialect::kSteps, definition::Syntax::kJson);
  if (!text.has_value()) return std::unexpected(text.error());
  return ParseJson(*text, nullptr, kWrittenJson);
}

std::string IdOf(const model::Registry& registry, const model::RegisteredDefinition& newest) {
  return std::to_string(NumberOf(registry, newest.name)->value);
}

Object Head(const model::Registry& registry, const model::RegisteredDefinition& newest) {
  const definition::Definition& made = *newest.definition;
  Array tags;
  for (const std::string& tag : made.tags) tags.emplace_back(tag);
  const std::string owner = TextMember(made.extra, "owner_id");
  return Object{{"id", IdOf(registry, newest)},
                {"name", made.title.empty() ? newest.name : made.title},
                {"description", made.description},
                {"status", model::DefinitionStateName(newest.state)},
                {"version", made.version},
                {"tags", std::move(tags)},
                {"owner_id", owner.empty() ? Value() : Value(owner)},
                {"is_template", MemberOr(made.extra, "is_template", false)},
                {"created_at", MomentOf(newest.registered)}};
}

// Null where they are not known yet.
void AddFigures(Object& shown, const std::optional<Figures>& figures) {
  shown.Set("execution_count", figures.has_value() ? Value(figures->started) : Value());
  shown.Set("last_executed", figures.has_value() ? MomentOf(figures->last) : Value());
  shown.Set("success_rate", figures.has_value() ? Value(figures->success) : Value());
}

void AddParts(Object& shown, const model::Registry& registry, const Value& document,
              const std::vector<TriggerStatus>& triggers) {
  const std::string id = shown.Find("id")->as_string();
  Array steps;
  const Value written = MemberOr(document, "steps", Array());
  for (const Value& step : written.as_array()) steps.emplace_back(ShowStep(id, step, steps.size()));
  Array shown_triggers;
  for (const TriggerStatus& trigger : triggers)
    shown_triggers.emplace_back(ShowTrigger(registry, trigger));
  shown.Set("definition", document);
  shown.Set("variables", MemberOr(document, "variables", Object()));
  shown.Set("steps", std::move(steps));
  shown.Set("triggers", std::move(shown_triggers));
}

// The view may be built for the first time, or not know the workflow yet.
std::optional<Figures> FiguresOf(const Result<projections::Statistics>& statistics) {
  if (!statistics.has_value()) return std::nullopt;
  return Figures{static_cast<int64_t>(statistics->counts.started), statistics->last_started,
                 statistics->success_rate()};
}

// Of what was just changed the head alone where the caller may not read the rest.
kj::Promise<http::Response> Show(const Operations& operations, const Caller& caller,
                                 const model::RegisteredDefinition& newest, int status,
                                 bool is_changed) {
  const auto document = DocumentOf(operations, caller, newest);
  if (!document.has_value() && !is_changed) return Refuse(document.error());
  const auto triggers = operations.triggers.List(caller, newest.name, false);
  if (!triggers.has_value() && !is_changed) return Refuse(triggers.error());
  const model::Registry& registry = operations.desk.registry();
  Object shown = Head(registry, newest);
  if (document.has_value() && triggers.has_value()) AddParts(shown, registry, *document, *triggers);
  projections::StatisticsScope scope;
  scope.definition = newest.name;
  return operations.questions.Statistics(caller, scope, {})
      .then([shown, status](const Result<projections::Statistics>& statistics) mutable {
        AddFigures(shown, FiguresOf(statistics));
        if (status != 201) return http::Json(status, shown);
        return http::Created(
            fmt::format("{}/workflows/{}", rest::kPrefix, shown.Find("id")->as_string()), shown);
      });
}

// By name: a registration may have moved what the registry has.
kj::Promise<http::Response> ShowNamed(const Operations& operations, const Caller& caller,
                                      const std::string& name, int status) {
  return Show(operations, caller, *operations.desk.registry().Latest(name), status, true);
}

// Whatever the promise answers, and then the workflow of that name.
kj::Promise<http::Response> ShowAfter(const Operations& operations, const Caller& caller,
                                      Promised<DefinitionStatus> changed) {
  return changed.then(
      [operations, caller](Result<DefinitionStatus> done) -> kj::Promise<http::Response> {
        if (!done.has_value()) return Refuse(done.error());
        return ShowNamed(operations, caller, done->name, 200);
      });
}

// A version of that state is there: what there is to do and to answer.
kj::Promise<http::Response> Settle(const Operations& operations, const Call& call,
                                   const DefinitionStatus& made, DefinitionState state) {
  // What was deleted cannot become a draft again.
  const bool revives = made.state == "retired";
  if (revives || (state == DefinitionState::kPaused && made.state != "paused"))
    return ShowAfter(operations, call.caller(),
                     operations.definitions.Change(
                         call.caller(), made.name, made.version,
                         state == DefinitionState::kDraft ? DefinitionState::kPaused : state, ""));
  const bool is_post = call.request().method == Method::kPost;
  return ShowNamed(operations, call.caller(), made.name, is_post && made.is_new ? 201 : 200);
}

kj::Promise<Judged<DefinitionStatus>> RegisterVersion(const Operations& operations,
                                                      const Call& call, const Value& document,
                                                      DefinitionState state) {
  return operations.definitions.Register(call.caller(),
                                         {.text = ToJson(document),
                                          .syntax = definition::Syntax::kJson,
                                          .name = "workflow",
                                          .draft = state == DefinitionState::kDraft});
}

// The same with a number of its own; nothing where it has no room for one.
std::optional<Value> Numbered(const Object& document, uint32_t number) {
  const Value* metadata = document.Find("metadata");
  if (metadata != nullptr && !metadata->is_object()) return std::nullopt;
  Value kept = metadata == nullptr ? Value(Object()) : *metadata;
  kept.as_object().Set("revision", static_cast<int64_t>(number));
  Object numbered = document;
  numbered.Set("metadata", std::move(kept));
  return numbered;
}

// A document that an older version has already is that version to the registry, behind what the
// workflow is now: where the workflow is to be as the document says, it is another version.
kj::Promise<http::Response> Register(const Operations& operations, const Call& call,
                                     Object document, DefinitionState state) {
  auto made = RegisterVersion(operations, call, document, state);
  return made.then([&operations, &call, document = std::move(document),
                    state](Judged<DefinitionStatus> made) -> kj::Promise<http::Response> {
    if (!made.has_value()) return Refuse(made.error().error);
    const model::RegisteredDefinition& newest = *operations.desk.registry().Latest(made->name);
    const bool is_put = call.request().method == Method::kPut;
    if (made->version == newest.version || !(is_put || newest.state == DefinitionState::kRetired))
      return Settle(operations, call, *made, state);
    const auto numbered = Numbered(document, newest.version + 1);
    if (!numbered.has_value()) return Settle(operations, call, *made, state);
    return RegisterVersion(operations, call, *numbered, state)
        .then([&operations, &call,
               state](Judged<DefinitionStatus> again) -> kj::Promise<http::Response> {
          if (!again.has_value()) return Refuse(again.error().error);
          return Settle(operations, call, *again, state);
        });
  });
}

kj::Promise<http::Response> Create(const Operations& operations, const Call& call) {
  auto body = call.request().JsonObject();
  if (!body.has_value()) return Refuse(body.error());
  return Register(operations, call, *std::move(body), DefinitionState::kDraft);
}

// A new version of the same workflow, whatever it is called from now on.
kj::Promise<http::Response> Update(const Operations& operations, const Call& call) {
  const auto body = call.request().JsonObject();
  if (!body.has_value()) return Refuse(body.error());
  const auto newest = FindWorkflow(operations, call, "id");
  if (!newest.has_value()) return Refuse(newest.error());
  const auto old = DocumentOf(operations, call.caller(), **newest);
  if (!old.has_value()) return Refuse(old.error());
  const Object head = Head(operations.desk.registry(), **newest);
  Object document;
  for (const std::string_view kept : {"name", "description", "tags", "owner_id", "is_template"})
    if (const Value* member = head.Find(kept); !member->is_null()) document.Set(kept, *member);
  document.Set("definition", *old);
  // Whoever changes something else does not open what was narrowed.
  const Value& extra = (*newest)->definition->extra;
  if (const Value* narrowed = extra.Find("permissions"); narrowed != nullptr)
    document.Set("permissions", *narrowed);
  for (const Member& member : *body)
    if (member.key != "id") document.Set(member.key, member.value);
  const Value* given = body->Find("definition");
  const bool is_said_inside = given != nullptr && given->Find("permissions") != nullptr;
  if (is_said_inside && body->Find("permissions") == nullptr) document.Erase("permissions");
  // By its id it is the same one; what is said outside is not said inside.
  if (Value* inner = document.Find("definition"); inner->is_object()) {
    if (!is_said_inside) inner->as_object().Erase("permissions");
    for (const std::string_view outer : {"name", "description", "tags", "owner_id"})
      inner->as_object().Erase(outer);
    inner->as_object().Set("id", (*newest)->name);
  }
  return Register(operations, call, std::move(document), (*newest)->state);
}

// Sets the state of those versions that are in one of these.
rest::Handle Changing(const Operations& operations, DefinitionState to, FitsVersion fits) {
  return [operations, to, fits](const Call& call) -> kj::Promise<http::Response> {
    const auto newest = FindWorkflow(operations, call, "id");
    if (!newest.has_value()) return Refuse(newest.error());
    auto changed = ChangeVersions(operations, call.caller(), (*newest)->name, to, fits);
    if (to != DefinitionState::kRetired)
      return ShowAfter(operations, call.caller(), kj::mv(changed));
    return Reply(kj::mv(changed), [](const DefinitionStatus&) { return http::NoContent(); });
  };
}

// The newest version is what starts from now on.
kj::Promise<http::Response> Activate(const Operations& operations, const Call& call) {
  const auto newest = FindWorkflow(operations, call, "id");
  if (!newest.has_value()) return Refuse(newest.error());
  return ShowAfter(operations, call.caller(),
                   operations.definitions.Change(call.caller(), (*newest)->name, (*newest)->version,
                                                 DefinitionState::kActive, ""));
}

Promised<FiguresByName> AllFigures(const Operations& operations, const Caller& caller,
                                   const std::string& after, FiguresByName found) {
  return operations.questions.Definitions(caller, after, projections::kMaxPageRows)
      .then([operations, caller, found = std::move(found)](
                Result<projections::DefinitionPage> page) mutable -> Promised<FiguresByName> {
        if (!page.has_value() && page.error().code == ErrorCode::kBackPressure)
          return Result<FiguresByName>(FiguresByName());
        if (!page.has_value()) return Result<FiguresByName>(std::unexpected(page.error()));
        for (const projections::DefinitionSummary& summary : page->definitions) {
          const projections::InstanceCounts& counts = summary.row.counts;
          const uint64_t ended =
              counts.completed + counts.failed + counts.cancelled + counts.terminated;
          found[summary.definition] = {
              static_cast<int64_t>(counts.started), summary.row.last_started,
              ended == 0 ? 0.0
                         : static_cast<double>(counts.completed) / static_cast<double>(ended)};
        }
        if (page->next.empty()) return Result<FiguresByName>(std::move(found));
        return AllFigures(operations, caller, page->next, std::move(found));
      });
}

bool Fits(const Call& call, const Object& shown) {
  if (const std::string status = call.Asked("status");
      !status.empty() && shown.Find("status")->as_string() != status)
    return false;
  if (const std::string owner = call.Asked("owner_id");
      !owner.empty() && *shown.Find("owner_id") != Value(owner))
    return false;
  const Array& tags = shown.Find("tags")->as_array();
  return std::ranges::all_of(call.AllAsked("tags"), [&](const std::string& tag) {
    return std::ranges::find(tags, Value(tag)) != tags.end();
  });
}

kj::Promise<http::Response> List(const Operations& operations, const Call& call) {
  const auto all = operations.definitions.List(call.caller(), "");
  if (!all.has_value()) return Refuse(all.error());
  const model::Registry& registry = operations.desk.registry();
  std::vector<std::pair<std::string, Object>> found;
  for (const DefinitionStatus& status : *all) {
    if (status.version != 1) continue;
    const model::RegisteredDefinition& newest = *registry.Latest(status.name);
    if (newest.state == DefinitionState::kRetired) continue;
    Object shown = Head(registry, newest);
    if (Fits(call, shown)) found.emplace_back(status.name, std::move(shown));
  }
  return Reply(AllFigures(operations, call.caller(), "", {}), [found = std::move(found)](
                                                                  const FiguresByName& figures) {
    Array workflows;
    for (const auto& [name, head] : found) {
      Object shown = head;
      const auto of = figures.find(name);
      AddFigures(shown, of == figures.end() ? std::nullopt : std::optional(of->second));
      workflows.emplace_back(std::move(shown));
    }
    const auto total = static_cast<int64_t>(workflows.size());
    return http::Json(200, Object{{"workflows", std::move(workflows)}, {"total", total}});
  });
}

kj::Promise<http::Response> Get(const Operations& operations, const Call& call) {
  const auto newest = FindWorkflow(operations, call, "id");
  if (!newest.has_value()) return Refuse(newest.error());
  return Show(operations, call.caller(), **newest, 200, false);
}

kj::Promise<http::Response> State(const Operations& operations, const Call& call) {
  const auto newest = FindWorkflow(operations, call, "id");
  if (!newest.has_value()) return Refuse(newest.error());
  const Object head = Head(operations.desk.registry(), **newest);
  Object shown;
  for (const std::string_view name : {"id", "name", "status"}) shown.Set(name, *head.Find(name));
  projections::StatisticsScope scope;
  scope.definition = (*newest)->name;
  return Reply(operations.questions.Statistics(call.caller(), scope, Current()),
               [head = std::move(shown)](const projections::Statistics& figures) {
                 Object shown = head;
                 shown.Set("active_executions", figures.open);
                 shown.Set("queued_executions", figures.queued);
                 shown.Set("paused_executions", figures.paused);
                 shown.Set("execution_count", rest::Whole(figures.counts.started));
                 shown.Set("last_executed", MomentOf(figures.last_started));
                 return http::Json(200, shown);
               });
}

kj::Promise<http::Response> Execute(const Operations& operations, const Call& call) {
  const auto newest = FindWorkflow(operations, call, "id");
  if (!newest.has_value()) return Refuse(newest.error());
  StartRequest request{.definition = (*newest)->name,
                       .input = call.Document("input"),
                       .priority = static_cast<int32_t>(call.Number("priority", 0)),
                       .trace_parent = call.TraceParent()};
  return operations.instances.Start(call.caller(), std::move(request))
      .then([operations, caller = call.caller(), id = IdOf(operations.desk.registry(), **newest)](
                Result<Started> started) -> kj::Promise<http::Response> {
        if (!started.has_value()) return Refuse(started.error());
        return TellExecution(operations, caller, started->instance, 201,
                             Object{{"id", std::to_string(started->instance.value)},
                                    {"workflow_id", id},
                                    {"status", "running"}});
      });
}

std::vector<Route> ReadingRoutes(const Operations& operations) {
  return {{.method = Method::kGet,
           .pattern = "/workflows",
           .id = "listWorkflows",
           .summary = "Every workflow that is not deleted.",
           .permission = Permission::kReadDefinitions,
           .parameters = {rest::Text("owner_id", "of that owner alone"),
                          rest::Choice("status", {"draft", "active", "paused"}, "of that state"),
                          rest::Texts("tags", "with all of those")},
           .answers = {{200, "they are", "WorkflowEntities"}},
           .handle = [operations](const Call& call) { return List(operations, call); }},
          {.method = Method::kGet,
           .pattern = "/workflows/{id}",
           .id = "getWorkflow",
           .summary = "A workflow, with its steps and triggers.",
           .permission = Permission::kReadDefinitions,
           .answers = {{200, "it is", "WorkflowEntity"}},
           .handle = [operations](const Call& call) { return Get(operations, call); }},
          {.method = Method::kGet,
           .pattern = "/workflows/{id}/status",
           .id = "getWorkflowStatus",
           .summary = "Whether it may start, and how much of it runs.",
           .permission = Permission::kReadDefinitions,
           .answers = {{200, "it is", "WorkflowState"}},
           .handle = [operations](const Call& call) { return State(operations, call); }}};
}

std::vector<Route> WritingRoutes(const Operations& operations) {
  const rest::Body definition = rest::Raw({"application/json"});
  return {{.method = Method::kPost,
           .pattern = "/workflows",
           .id = "createWorkflow",
           .summary = "Registers a workflow as a draft.",
           .permission = Permission::kDefine,
           .body = definition,
           .answers = {{201, "it is durable", "WorkflowEntity"},
                       {200, "it was there", "WorkflowEntity"}},
           .handle = [operations](const Call& call) { return Create(operations, call); }},
          {.method = Method::kPut,
           .pattern = "/workflows/{id}",
           .id = "updateWorkflow",
           .summary = "A new version of a workflow; what is not given stays.",
           .permission = Permission::kDefine,
           .body = definition,
           .answers = {{200, "it is durable", "WorkflowEntity"}},
           .handle = [operations](const Call& call) { return Update(operations, call); }},
          {.method = Method::kPost,
           .pattern = "/workflows/{id}/execute",
           .id = "executeWorkflow",
           .summary = "Starts an execution.",
           .permission = Permission::kStart,
           .body = ObjectOf("ExecuteWorkflow"),
           .answers = {{201, "it is durable", "ExecutionEntity"}},
           .handle = [operations](const Call& call) { return Execute(operations, call); }}};
}

Route ChangeRoute(Method method, const std::string& word, std::string id, std::string summary,
                  rest::Handle handle) {
  const bool deletes = method == Method::kDelete;
  return {.method = method,
          .pattern = "/workflows/{id}" + word,
          .id = std::move(id),
          .summary = std::move(summary),
          .permission = Permission::kDefine,
          .answers = {{deletes ? 204 : 200, "it is durable", deletes ? "" : "WorkflowEntity"}},
          .handle = std::move(handle)};
}

}  // namespace

std::vector<Route> WorkflowRoutes(const Operations& operations) {
  const auto activate = [operations](const Call& call) { return Activate(operations, call); };
  const auto is_active = [](DefinitionState state) { return state == DefinitionState::kActive; };
  const auto is_any = [](DefinitionState) { return true; };
  std::vector<Route> routes = ReadingRoutes(operations);
  for (Route& route : WritingRoutes(operations)) routes.push_back(std::move(route));
  routes.push_back(ChangeRoute(Method::kPost, "/activate", "activateWorkflow",
                               "Its newest version starts from now on.", activate));
  routes.push_back(ChangeRoute(Method::kPost, "/resume", "resumeWorkflow",
                               "A paused workflow starts again.", activate));
  routes.push_back(ChangeRoute(Method::kPost, "/pause", "pauseWorkflow",
                               "It does not start for now.",
                               Changing(operations, DefinitionState::kPaused, is_active)));
  routes.push_back(ChangeRoute(Method::kDelete, "", "deleteWorkflow",
                               "It starts no more; executions go on.",
                               Changing(operations, DefinitionState::kRetired, is_any)));
  return routes;
}

}  // namespace stele::server::compat
