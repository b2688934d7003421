// The `tasks:` notation: what depends on nothing first, then what depends on that.

#include <algorithm>
#include <set>

#include "engine/definition/dialects/foreign.h"
#include "engine/definition/export_plan.h"

namespace stele::definition {
namespace {

class OrderedTasksWriter {
 public:
  explicit OrderedTasksWriter(const ExportPlan& plan) : plan_(plan) {}

  Array WriteBody(BodyIndex body);

 private:
  struct Placed {
    StepIndex step;
    StepIndex gateway{kNoIndex};  // that decides whether it runs
    int64_t sequence = 0;
  };
  Object WriteTask(const Placed& placed);
  std::string TypeOf(const Step& step) const;
  void AddConditions(const Placed& placed, Object& out);
  StepIndex GatewayOf(StepIndex index) const;
  std::vector<int64_t> Levels(BodyIndex body) const;

  const ExportPlan& plan_;
};

// The gateway before a task that leads to it when a condition holds, and else round it.
StepIndex OrderedTasksWriter::GatewayOf(StepIndex index) const {
  const Step& step = plan_.step(index);
  const StepIndex none(kNoIndex);
  if (plan_.fluency != Fluency::kFluent || step.incoming.size() != 1) return none;
  const StepIndex at = plan_.definition.transition(step.incoming[0]).from;
  const Step& gateway = plan_.step(at);
  if (plan_.Id(at) != plan_.Id(index) + ".if" && gateway.id != step.id + ".if") return none;
  if (gateway.kind != StepKind::kGateway || gateway.task_type != "inclusive") return none;
  std::set<uint32_t> round, after;
  for (const TransitionIndex out : gateway.outgoing) {
    const Transition& edge = plan_.definition.transition(out);
    if (edge.to == index ? !edge.condition || edge.is_default : edge.condition || !edge.is_default)
      return none;
    if (edge.to != index) round.insert(edge.to.value);
  }
  for (const TransitionIndex out : step.outgoing)
    after.insert(plan_.definition.transition(out).to.value);
  return round == after ? at : none;
}

// How many steps at most lead to each; a gateway stands with the task behind it.
std::vector<int64_t> OrderedTasksWriter::Levels(BodyIndex body) const {
  const std::vector<StepIndex>& steps = plan_.definition.body(body).steps;
  std::vector<int64_t> levels(plan_.definition.steps.size(), 1);
  std::vector<uint32_t> waits(levels.size());
  std::vector<StepIndex> ready;
  for (const StepIndex step : steps) {
    waits[step.value] = static_cast<uint32_t>(plan_.step(step).incoming.size());
    if (waits[step.value] == 0) ready.push_back(step);
  }
  for (size_t i = 0; i < ready.size(); ++i)
    for (const TransitionIndex out : plan_.step(ready[i]).outgoing) {
      const Transition& edge = plan_.definition.transition(out);
      if (edge.back_edge) continue;
      const bool decides = GatewayOf(edge.to) == ready[i];
      levels[edge.to.value] =
          std::max(levels[edge.to.value], levels[ready[i].value] + (decides ? 0 : 1));
      if (--waits[edge.to.value] == 0) ready.push_back(edge.to);
    }
  return levels;
}

std::string OrderedTasksWriter::TypeOf(const Step& step) const {
  std::string word = TypeWordOf(plan_, step);
  if (word != "script" && word != "http") return word;
  const Value& config = step.config.source();
  const auto has = [&](std::string_view key) { return config.Find(key) != nullptr; };
  const bool runs = has("command") || has("script");
  const bool automated = runs != has("url") && runs == (word == "script") && !has("webhook_url") &&
                         !has("webhook") && !has("api");
  return automated ? "automated" : word;
}

void OrderedTasksWriter::AddConditions(const Placed& placed, Object& out) {
  const Step& step = plan_.step(placed.step);
  if (placed.gateway.value != kNoIndex) {
    const Transition& edge = plan_.definition.transition(step.incoming[0]);
    out.Set("condition_config",
            Object{{"condition", edge.condition->text()}, {"skip_if_false", true}});
  } else if (step.condition && !plan_.careful()) {
    out.Set("condition_config",
            Object{{"condition", step.condition->text()}, {"skip_if_false", false}});
  }
}

Object OrderedTasksWriter::WriteTask(const Placed& placed) {
  const Step& step = plan_.step(placed.step);
  Object out{{"id", plan_.Id(placed.step)}};
  if (!step.name.empty()) out.Set("name", step.name);
  out.Set("task_type", TypeOf(step));
  if (placed.sequence > 0) out.Set("sequence", placed.sequence);
  Object config;
  if (WritesConfig(plan_, step)) config = ConfigOf(step);
  AddLoop(plan_, step, config);
  AddDelay(plan_, step, config);
  if (step.timeout_us != 0 && !plan_.careful() && config.Find("timeout") == nullptr)
    config.Set("timeout", DurationText(step.timeout_us));
  if (!config.empty()) out.Set("config", std::move(config));
  if (step.optional) out.Set("optional", true);
  if (!step.returnable) out.Set("allow_rollback", false);
  AddConditions(placed, out);
  AddExtra(step.extra,
           {"description", "position", "size", "label", "labels", "tags", "metadata", "style", "ui",
            "data", "template"},
           out);
  Object structure = HandlersOf(plan_, step);
  if (step.child.value != kNoIndex) structure.Set("tasks", WriteBody(step.child));
  AddPatch(plan_, plan_.Id(placed.step), std::move(structure), out);
  return out;
}

Array OrderedTasksWriter::WriteBody(BodyIndex body) {
  const std::vector<StepIndex> steps = StepsOf(plan_, body);
  const std::vector<int64_t> levels = Levels(body);
  std::vector<Placed> placed;
  std::set<uint32_t> gateways;
  for (const StepIndex step : steps) {
    placed.push_back({.step = step, .gateway = GatewayOf(step), .sequence = levels[step.value]});
    if (placed.back().gateway.value != kNoIndex) gateways.insert(placed.back().gateway.value);
  }
  std::erase_if(placed, [&](const Placed& task) { return gateways.contains(task.step.value); });
  bool listed = true;
  for (size_t i = 0; i < placed.size(); ++i)
    listed = listed && (i == 0 || placed[i - 1].sequence < placed[i].sequence ||
                        plan_.step(placed[i].step).handler);
  Array tasks;
  for (Placed& task : placed) {
    if (listed) task.sequence = 0;
    tasks.emplace_back(WriteTask(task));
  }
  return tasks;
}

}  // namespace

Value WriteOrderedTasks(const ExportPlan& plan) {
  const Definition& head = plan.definition;
  Object out{{"name", head.name}};
  AddHead(plan, "outputs", out);
  Object config;
  AddExecution(plan, config);
  if (!config.empty()) out.Set("config", std::move(config));
  AddExtra(head.extra, kForeignHeadExtras, out);
  out.Set("tasks", OrderedTasksWriter(plan).WriteBody(BodyIndex(0)));
  Object structure;
  AddBodyFallback(plan, BodyIndex(0), structure);
  AddPatch(plan, "", std::move(structure), out);
  return out;
}

}  // namespace stele::definition
