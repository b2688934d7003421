// The `steps:` notation, and that of processes, which shares its steps.

#include <algorithm>
#include <map>

#include "engine/definition/export_plan.h"

namespace stele::definition {
namespace {

Array WriteStepList(const ExportPlan& plan, BodyIndex body);

// The steps before each one, by its id in the file; loops go on with `next`.
void AddWays(const ExportPlan& plan, const Step& step, Object& out) {
  Array before, next, failed;
  std::vector<StepIndex> sources;
  for (const TransitionIndex at : step.incoming) {
    const Transition& edge = plan.definition.transition(at);
    if (edge.on != On::kFailure || plan.careful()) sources.push_back(edge.from);
  }
  std::ranges::sort(sources);
  for (const StepIndex source : sources) before.emplace_back(plan.Id(source));
  for (const TransitionIndex at : step.outgoing) {
    const Transition& edge = plan.definition.transition(at);
    if (edge.back_edge)
      next.emplace_back(plan.Id(edge.to));
    else if (edge.on == On::kFailure && !plan.careful())
      failed.emplace_back(plan.Id(edge.to));
  }
  if (!before.empty()) out.Set("depends_on", std::move(before));
  if (!next.empty()) out.Set("next", std::move(next));
  if (!failed.empty()) out.Set("on_error", std::move(failed));
}

Object WriteOne(const ExportPlan& plan, StepIndex index) {
  const Step& step = plan.step(index);
  Object out = WriteStepKeys(plan, index, "config");
  AddWays(plan, step, out);
  if (step.child.value != kNoIndex) out.Set("steps", WriteStepList(plan, step.child));
  Object structure;
  if (step.child.value != kNoIndex) AddBodyFallback(plan, step.child, structure);
  AddPatch(plan, plan.Id(index), std::move(structure), out);
  return out;
}

Array WriteStepList(const ExportPlan& plan, BodyIndex body) {
  Array steps;
  for (const StepIndex step : StepsOf(plan, body)) steps.emplace_back(WriteOne(plan, step));
  return steps;
}

void AddName(const Definition& head, Object& out) {
  out.Set("id", head.name);
  if (head.title != head.name && !head.title.empty()) out.Set("name", head.title);
}

class ProcessesWriter {
 public:
  explicit ProcessesWriter(const ExportPlan& plan) : plan_(plan) {}

  Object WriteBody(BodyIndex body, Object out) {
    const std::vector<StepIndex> steps = StepsOf(plan_, body);
    Array tasks, transitions;
    for (const StepIndex step : steps) tasks.emplace_back(WriteTask(step));
    for (const StepIndex step : steps)
      for (const TransitionIndex at : plan_.step(step).outgoing)
        transitions.emplace_back(WriteTransition(plan_.definition.transition(at)));
    AddStarts(body, transitions);
    out.Set("tasks", std::move(tasks));
    if (!transitions.empty()) out.Set("transitions", std::move(transitions));
    return out;
  }

 private:
  Object WriteTask(StepIndex index) {
    const Step& step = plan_.step(index);
    Object out = WriteStepKeys(plan_, index, "inputs");
    if (step.child.value != kNoIndex) out = WriteBody(step.child, std::move(out));
    Object structure;
    if (step.child.value != kNoIndex) AddBodyFallback(plan_, step.child, structure);
    AddPatch(plan_, plan_.Id(index), std::move(structure), out);
    return out;
  }

  Object WriteTransition(const Transition& edge) {
    Object out{{"from", plan_.Id(edge.from)}, {"to", plan_.Id(edge.to)}};
    if (plan_.careful()) return out;
    AddEdgeExtra(plan_, edge, {"priority"}, out);
    static constexpr std::string_view kWords[] = {"success", "failure", "always"};
    const std::string_view word =
        edge.is_default ? "default" : kWords[static_cast<size_t>(edge.on)];
    if (edge.condition && word != "success") out.Set("on", word);
    if (edge.condition)
      out.Set("condition", edge.condition->text());
    else if (word != "success")
      out.Set("condition", word);
    return out;
  }

  // A task in no transition starts with its process only where the file says so.
  void AddStarts(BodyIndex index, Array& transitions) {
    const Body& body = plan_.definition.body(index);
    const auto is_alone = [&](StepIndex step) {
      return plan_.step(step).incoming.empty() && plan_.step(step).outgoing.empty();
    };
    const auto alone = std::ranges::find_if(body.entries, is_alone);
    const auto others = std::ranges::count_if(
        body.steps, [&](StepIndex step) { return !plan_.step(step).handler; });
    if (alone == body.entries.end() || others < 2) return;
    const bool entered = std::ranges::any_of(body.entries, [&](StepIndex step) {
      return std::ranges::any_of(plan_.definition.transitions,
                                 [&](const Transition& edge) { return edge.to == step; });
    });
    // `start` would become a step where a loop leads back to one that starts.
    const std::string from = entered ? plan_.Id(*alone) : "start";
    for (const StepIndex step : StepsOf(plan_, index))
      if (IsEntry(plan_, step) && (!entered || step != *alone))
        transitions.emplace_back(Object{{"from", from}, {"to", plan_.Id(step)}});
  }

  const ExportPlan& plan_;
};

}  // namespace

Value WriteSteps(const ExportPlan& plan) {
  const Definition& head = plan.definition;
  Object out;
  AddName(head, out);
  AddHead(plan, "outputs", out);
  AddExecution(plan, out);
  if (!plan.careful())
    if (Value handling = ErrorHandlingOf(plan, head.bodies[0]); !handling.is_null())
      out.Set("error_handling", std::move(handling));
  AddExtra(head.extra, {"owner_id", "is_template", "status", "metadata", "permissions"}, out);
  out.Set("steps", WriteStepList(plan, BodyIndex(0)));
  Object structure;
  if (plan.careful()) AddBodyFallback(plan, BodyIndex(0), structure);
  AddPatch(plan, "", std::move(structure), out);
  return out;
}

Value WriteProcesses(const ExportPlan& plan) {
  const Definition& head = plan.definition;
  Object workflow;
  AddName(head, workflow);
  AddHead(plan, "outputs", workflow);
  AddExecution(plan, workflow);
  AddExtra(head.extra, {"metadata", "author", "labels"}, workflow);
  Object process{{"id", "main"}, {"type", "sequential"}};
  if (Value handling = ErrorHandlingOf(plan, head.bodies[0]); !handling.is_null())
    process.Set("error_handling", std::move(handling));
  Array processes;
  processes.emplace_back(ProcessesWriter(plan).WriteBody(BodyIndex(0), std::move(process)));
  workflow.Set("processes", std::move(processes));
  Object out{{"workflow", std::move(workflow)}};
  AddExtra(head.extra, {"project_id", "permissions", "notifications", "graph", "layout", "styling"},
           out);
  AddPatch(plan, "", {}, out);
  return out;
}

}  // namespace stele::definition
