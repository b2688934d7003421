// The dialect of executions: the triggers of its workflows.
#include <fmt/format.h>

#include "server/compat/executions.h"
#include "server/compat/shown.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"

namespace stele::server::compat {

namespace {

using http::Method;
using rest::Call;
using rest::ObjectOf;
using rest::Refuse;
using rest::Reply;
using rest::Route;

kj::Promise<http::Response> ListTriggers(const Operations& operations, const Call& call) {
  const auto newest = FindWorkflow(operations, call, "id");
  if (!newest.has_value()) return Refuse(newest.error());
  return rest::ReplyNow(
      operations.triggers.List(call.caller(), (*newest)->name, false),
      [&registry = operations.desk.registry()](const std::vector<TriggerStatus>& all) {
        Array triggers;
        for (const TriggerStatus& trigger : all)
          triggers.emplace_back(ShowTrigger(registry, trigger));
        const auto total = static_cast<int64_t>(triggers.size());
        return http::Json(200, Object{{"triggers", std::move(triggers)}, {"total", total}});
      });
}

kj::Promise<http::Response> AddTrigger(const Operations& operations, const Call& call) {
  const auto newest = FindWorkflow(operations, call, "id");
  if (!newest.has_value()) return Refuse(newest.error());
  return Reply(operations.triggers.Add(call.caller(), (*newest)->name, Value(call.body())),
               [&registry = operations.desk.registry()](const TriggerStatus& trigger) {
                 return http::Created(
                     fmt::format("{}/triggers/{}", rest::kPrefix, trigger.id.value),
                     ShowTrigger(registry, trigger));
               });
}

// Of one that was replaced, what stands in its place now.
Result<TriggerStatus> FindTrigger(const Operations& operations, const Call& call) {
  const auto number = call.NumberParam("trigger", UINT32_MAX);
  if (!number.has_value()) return std::unexpected(number.error());
  auto found = operations.triggers.Get(call.caller(), TriggerId(static_cast<uint32_t>(*number)));
  if (!found.has_value() || found->state != "removed" || found->name.empty()) return found;
  const auto all = operations.triggers.List(call.caller(), found->definition, false);
  if (!all.has_value()) return std::unexpected(all.error());
  for (const TriggerStatus& trigger : *all)
    if (trigger.name == found->name) return trigger;
  return Fail(ErrorCode::kUnknownTrigger,
              fmt::format("Expected a trigger but found that {} was removed", *number));
}

// What it says now, with what the request says instead; of `config` member by member.
Value Merged(const TriggerStatus& trigger, const Object& given) {
  Object entry = trigger.config.is_object() ? trigger.config.as_object() : Object();
  for (const Member& member : given) {
    Value* config = member.key == "config" ? entry.Find("config") : nullptr;
    if (config == nullptr || !config->is_object() || !member.value.is_object()) {
      entry.Set(member.key, member.value);
      continue;
    }
    for (const Member& setting : member.value.as_object())
      config->as_object().Set(setting.key, setting.value);
  }
  if (given.Find("is_enabled") == nullptr) entry.Set("is_enabled", trigger.state == "active");
  // One without a name was given one when it was added, by which it is found again.
  const Value* name = entry.Find("name");
  if (entry.Find("id") == nullptr && entry.Find("title") == nullptr &&
      (name == nullptr || *name == Value("")))
    entry.Set("name", trigger.name);
  return entry;
}

// A trigger does not change: another one with its name stands in its place.
kj::Promise<http::Response> ReplaceTrigger(const Operations& operations, const Call& call) {
  const auto trigger = FindTrigger(operations, call);
  if (!trigger.has_value()) return Refuse(trigger.error());
  const auto show = [&registry = operations.desk.registry()](const TriggerStatus& changed) {
    return http::Json(200, ShowTrigger(registry, changed));
  };
  Triggers& triggers = operations.triggers;
  if (call.Find("is_enabled") != nullptr && call.body().size() == 1)
    return Reply(triggers.Change(call.caller(), trigger->id,
                                 call.Flag("is_enabled") ? model::TriggerState::kActive
                                                         : model::TriggerState::kPaused,
                                 ""),
                 show);
  return Reply(triggers.Replace(call.caller(), trigger->id, Merged(*trigger, call.body())), show);
}

}  // namespace

Object ShowTrigger(const model::Registry& registry, const TriggerStatus& trigger) {
  const auto number = NumberOf(registry, trigger.definition);
  return Object{
      {"id", std::to_string(trigger.id.value)},
      {"workflow_id", number.has_value() ? Value(std::to_string(number->value)) : Value()},
      {"type", trigger.kind},
      {"name", trigger.name.empty() ? Value() : Value(trigger.name)},
      {"config", MemberOr(trigger.config, "config", Object())},
      {"is_enabled", trigger.state == "active"},
      {"last_triggered", MomentOf(trigger.last_time)},
      {"trigger_count", static_cast<int64_t>(trigger.fired)}};
}

std::vector<Route> TriggerRoutes(const Operations& operations) {
  return {{.method = Method::kGet,
           .pattern = "/workflows/{id}/triggers",
           .id = "listWorkflowTriggers",
           .summary = "The triggers of a workflow.",
           .permission = Permission::kReadDefinitions,
           .answers = {{200, "they are", "TriggerEntities"}},
           .handle = [operations](const Call& call) { return ListTriggers(operations, call); }},
          {.method = Method::kPost,
           .pattern = "/workflows/{id}/triggers",
           .id = "addWorkflowTrigger",
           .summary = "Adds a trigger.",
           .permission = Permission::kTrigger,
           .body = ObjectOf("WorkflowTrigger"),
           .answers = {{201, "it is durable", "TriggerEntity"}},
           .handle = [operations](const Call& call) { return AddTrigger(operations, call); }},
          {.method = Method::kPut,
           .pattern = "/triggers/{trigger}",
           .id = "replaceTrigger",
           .summary = "Another trigger in its place; what is not given stays.",
           .permission = Permission::kTrigger,
           .body = ObjectOf("WorkflowTrigger"),
           .answers = {{200, "it is durable", "TriggerEntity"}},
           .handle = [operations](const Call& call) { return ReplaceTrigger(operations, call); }}};
}

}  // namespace stele::server::compat
