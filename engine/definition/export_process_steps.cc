// The `steps:` of process engines.

#include <algorithm>

#include "engine/definition/dialects/foreign.h"
#include "engine/definition/export_plan.h"

namespace stele::definition {
namespace {

Array WriteList(const ExportPlan& plan, BodyIndex body);

struct Name {
  std::string_view ours;
  std::string_view foreign;
};
constexpr Name kNames[] = {{"start", "start_event"},           {"end", "end_event"},
                           {"script", "script_task"},          {"manual", "user_task"},
                           {"approval", "approval_task"},      {"exclusive", "exclusive_gateway"},
                           {"inclusive", "inclusive_gateway"}, {"parallel", "parallel_gateway"},
                           {"timer", "timer_event"},           {"call", "call_activity"}};

std::string TypeOf(const ExportPlan& plan, const Step& step) {
  std::string word = TypeWordOf(plan, step);
  const Value& config = step.config.source();
  if (word == "http" && config.Find("url") != nullptr && config.Find("endpoint") == nullptr)
    return "service_task";
  const Value* service = config.Find("service_name");
  if (step.kind == StepKind::kTask && service != nullptr && *service == Value(step.task_type) &&
      config.Find("url") == nullptr && config.Find("endpoint") == nullptr && !plan.careful())
    return "service_task";
  for (const Name& name : kNames)
    if (name.ours == word) return std::string(name.foreign);
  return word;
}

bool IsChoice(const ExportPlan& plan, const Step& step) {
  if (step.kind != StepKind::kGateway || plan.careful() || step.outgoing.empty()) return false;
  if (step.task_type != "exclusive" && step.task_type != "inclusive") return false;
  return std::ranges::all_of(step.outgoing, [&](TransitionIndex at) {
    const Transition& edge = plan.definition.transition(at);
    return edge.on == On::kSuccess && edge.condition.has_value() != edge.is_default;
  });
}

// The ways out of a step: in the gateway's `config`, or as `next`.
void AddWays(const ExportPlan& plan, const Step& step, Object& config, Object& out) {
  Array next, conditions, defaults;
  const bool choice = IsChoice(plan, step);
  const bool fork = step.kind == StepKind::kGateway && step.task_type == "parallel" &&
                    step.outgoing.size() > 1 && !plan.careful();
  for (const TransitionIndex at : step.outgoing) {
    const Transition& edge = plan.definition.transition(at);
    if (choice && edge.is_default)
      defaults.emplace_back(plan.Id(edge.to));
    else if (choice)
      conditions.emplace_back(
          Object{{"expression", edge.condition->text()}, {"next", plan.Id(edge.to)}});
    else if (edge.on != On::kFailure || plan.careful())
      next.emplace_back(plan.Id(edge.to));
  }
  if (!conditions.empty()) config.Set("conditions", std::move(conditions));
  if (defaults.size() == 1)
    config.Set("default", defaults[0]);
  else if (!defaults.empty())
    config.Set("default", std::move(defaults));
  if (fork) {
    config.Set("parallel_tasks", next);
    config.Set("join_condition", "all_complete");
  }
  if (!config.empty()) out.Set("config", config);
  if (!choice && !fork && !next.empty()) out.Set("next", std::move(next));
}

Object WriteOne(const ExportPlan& plan, StepIndex index) {
  const Step& step = plan.step(index);
  Object out{{"id", plan.Id(index)}};
  if (step.name != plan.Id(index) && !step.name.empty()) out.Set("name", step.name);
  out.Set("type", TypeOf(plan, step));
  Object config;
  if (WritesConfig(plan, step)) config = ConfigOf(step);
  AddLoop(plan, step, config);
  AddDelay(plan, step, config);
  if (step.timeout_us != 0 && !plan.careful() && config.Find("timeout") == nullptr &&
      step.kind != StepKind::kGateway)
    config.Set("timeout", DurationText(step.timeout_us));
  AddWays(plan, step, config, out);
  if (step.child.value != kNoIndex) out.Set("steps", WriteList(plan, step.child));
  AddExtra(step.extra,
           {"description", "position", "size", "label", "labels", "tags", "metadata", "style", "ui",
            "data", "template"},
           out);
  AddPatch(plan, plan.Id(index), HandlersOf(plan, step), out);
  return out;
}

Array WriteList(const ExportPlan& plan, BodyIndex body) {
  Array steps;
  for (const StepIndex step : StepsOf(plan, body)) steps.emplace_back(WriteOne(plan, step));
  return steps;
}

// A variable without a default is its type's word.
void ShortenVariables(Object& out) {
  Value* variables = out.Find("variables");
  if (variables == nullptr) return;
  for (Member& member : variables->as_object()) {
    const Value* type = member.value.Find("type");
    if (type != nullptr && member.value.as_object().size() == 1) {
      Value word = *type;
      member.value = std::move(word);
    }
  }
}

}  // namespace

Value WriteProcessSteps(const ExportPlan& plan) {
  const Definition& head = plan.definition;
  Object out{{"name", head.name}};
  AddHead(plan, "outputs", out);
  ShortenVariables(out);
  AddExecution(plan, out);
  AddExtra(head.extra, kForeignHeadExtras, out);
  out.Set("steps", WriteList(plan, BodyIndex(0)));
  // A list of steps in other words than this notation's own would be read as another's.
  const bool known = std::ranges::any_of(out.Find("steps")->as_array(), [](const Value& step) {
    const std::string& type = step.Find("type")->as_string();
    return type == "service_task" ||
           std::ranges::find(kNames, type, &Name::foreign) != std::end(kNames);
  });
  Object structure;
  if (!known) structure.Set("dialect", "process_steps");
  AddBodyFallback(plan, BodyIndex(0), structure);
  AddPatch(plan, "", std::move(structure), out);
  return out;
}

}  // namespace stele::definition
