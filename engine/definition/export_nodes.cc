// The `nodes:` notation.

#include <fmt/format.h>

#include <algorithm>

#include "engine/definition/dialects/foreign.h"
#include "engine/definition/export_plan.h"
#include "engine/definition/step_types.h"

namespace stele::definition {
namespace {

std::string Upper(std::string_view word) {
  std::string upper;
  for (const char c : word) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper;
}

class NodesWriter {
 public:
  explicit NodesWriter(const ExportPlan& plan) : plan_(plan) {}

  void WriteBody(BodyIndex body, Object& out) {
    Array nodes, connections;
    AddNodes(body, nodes, connections);
    out.Set("nodes", std::move(nodes));
    if (!connections.empty()) out.Set("connections", std::move(connections));
  }

 private:
  void AddNodes(BodyIndex body, Array& nodes, Array& connections);
  Object WriteNode(StepIndex index);
  Object WriteConfig(StepIndex index);
  std::string TypeOf(StepIndex index) const;
  Object WriteConnection(const Transition& edge);
  bool IsFlat(const Step& step) const;
  bool IsChoice(const Step& step) const;
  bool StartsBeginAlone(const Body& body) const;

  const ExportPlan& plan_;
};

// A loop whose steps stand beside it: all of them are reached from it.
bool NodesWriter::IsFlat(const Step& step) const {
  if (step.kind != StepKind::kLoop || plan_.careful()) return false;
  const Body& body = plan_.definition.body(step.child);
  return std::ranges::none_of(body.steps,
                              [&](StepIndex inner) { return plan_.step(inner).handler; });
}

// One condition, which the true way has and the false way lacks.
bool NodesWriter::IsChoice(const Step& step) const {
  if (step.kind != StepKind::kGateway || step.split != Split::kFirst || step.outgoing.size() != 2)
    return false;
  const Transition& yes = plan_.definition.transition(step.outgoing[0]);
  const Transition& no = plan_.definition.transition(step.outgoing[1]);
  return yes.on == On::kSuccess && no.on == On::kSuccess && yes.condition && !yes.is_default &&
         !no.condition && no.is_default && !plan_.careful();
}

// START nodes are where a graph begins, all of it.
bool NodesWriter::StartsBeginAlone(const Body& body) const {
  return std::ranges::all_of(body.steps, [&](StepIndex index) {
    const Step& step = plan_.step(index);
    return step.handler || (step.kind == StepKind::kStart) == IsEntry(plan_, index);
  });
}

std::string NodesWriter::TypeOf(StepIndex index) const {
  const Step& step = plan_.step(index);
  std::string word = TypeWordOf(plan_, step);
  if (step.kind == StepKind::kTask && word.starts_with("custom:api:")) {
    const Value* id = step.config.source().Find("api_id");
    const std::string wanted = word.substr(11);
    if (id != nullptr && step.config.source().Find("url") == nullptr &&
        ((id->is_int() && std::to_string(id->as_int()) == wanted) || *id == Value(wanted)))
      return "API_CALL";
  }
  if (word.starts_with("custom:")) return word;
  if (word == "start" && !StartsBeginAlone(plan_.definition.body(step.body))) return "PARALLEL";
  return word == "http" ? "API_CALL" : Upper(word);
}

Object NodesWriter::WriteConfig(StepIndex index) {
  const Step& step = plan_.step(index);
  Object config;
  if (WritesConfig(plan_, step)) config = ConfigOf(step);
  AddLoop(plan_, step, config);
  if (const Value* condition = config.Find("while"); condition != nullptr && !plan_.careful()) {
    Value text = *condition;
    config.Erase("while");
    config.Set("condition", std::move(text));
  }
  AddDelay(plan_, step, config);
  if (plan_.careful()) return config;
  if (IsChoice(step))
    config.Set("condition", plan_.definition.transition(step.outgoing[0]).condition->text());
  if (step.timeout_us != 0 && config.Find("timeout") == nullptr && step.kind != StepKind::kGateway)
    config.Set("timeout", DurationText(step.timeout_us));
  if (auto outputs = MappingsOf(step.outputs, true);
      outputs && !outputs->empty() && config.Find("output_mapping") == nullptr)
    config.Set("output_mapping", *std::move(outputs));
  return config;
}

Object NodesWriter::WriteNode(StepIndex index) {
  const Step& step = plan_.step(index);
  Object out{{"id", plan_.Id(index)}};
  if (!step.name.empty()) out.Set("name", step.name);
  out.Set("node_type", TypeOf(index));
  if (Object config = WriteConfig(index); !config.empty()) out.Set("config", std::move(config));
  AddExtra(step.extra,
           {"description", "position_x", "position_y", "position", "size", "label", "labels",
            "tags", "metadata", "style", "ui", "data", "template", "created_at", "workflow_id"},
           out);
  Object structure = HandlersOf(plan_, step);
  if (step.child.value != kNoIndex && !IsFlat(step)) WriteBody(step.child, structure);
  AddPatch(plan_, plan_.Id(index), std::move(structure), out);
  return out;
}

Object NodesWriter::WriteConnection(const Transition& edge) {
  Object out{{"from_node", plan_.Id(edge.from)}, {"to_node", plan_.Id(edge.to)}};
  const Step& from = plan_.step(edge.from);
  if (plan_.careful()) {
    out.Set("connection_type", "SEQUENCE");
    return out;
  }
  Object stele;
  if (edge.on != On::kSuccess) stele.Set("on", edge.on == On::kFailure ? "failure" : "completion");
  if (IsChoice(from)) {
    out.Set("connection_type", edge.is_default ? "CONDITIONAL_FALSE" : "CONDITIONAL_TRUE");
  } else if (edge.condition) {
    out.Set("connection_type", "CONDITIONAL");
    out.Set("condition", edge.condition->text());
    if (edge.is_default) stele.Set("default", true);
  } else if (edge.is_default) {
    out.Set("connection_type", "CONDITIONAL_FALSE");
  } else {
    const bool parallel =
        from.kind == StepKind::kGateway && from.split == Split::kAll && from.outgoing.size() > 1;
    out.Set("connection_type", parallel ? "PARALLEL" : "SEQUENCE");
  }
  AddEdgeExtra(plan_, edge, {"type_", "created_at"}, out);
  if (!stele.empty()) out.Set("stele", std::move(stele));
  return out;
}

void NodesWriter::AddNodes(BodyIndex body, Array& nodes, Array& connections) {
  const std::vector<StepIndex> steps = StepsOf(plan_, body);
  for (const StepIndex index : steps) {
    nodes.emplace_back(WriteNode(index));
    const Step& step = plan_.step(index);
    if (!IsFlat(step)) continue;
    for (const StepIndex entry : StepsOf(plan_, step.child))
      if (IsEntry(plan_, entry))
        connections.emplace_back(Object{{"from_node", plan_.Id(index)},
                                        {"to_node", plan_.Id(entry)},
                                        {"connection_type", "LOOP"}});
    AddNodes(step.child, nodes, connections);
  }
  for (const StepIndex index : steps)
    for (const TransitionIndex at : plan_.step(index).outgoing)
      connections.emplace_back(WriteConnection(plan_.definition.transition(at)));
}

}  // namespace

Value WriteNodes(const ExportPlan& plan) {
  const Definition& head = plan.definition;
  Object out{{"name", head.name}};
  AddHead(plan, "outputs", out);
  Object config;
  AddExecution(plan, config);
  if (!plan.careful())
    if (Value handling = ErrorHandlingOf(plan, head.bodies[0]); !handling.is_null())
      config.Set("error_handling", std::move(handling));
  if (!config.empty()) out.Set("config", std::move(config));
  AddExtra(head.extra, kForeignHeadExtras, out);
  NodesWriter(plan).WriteBody(BodyIndex(0), out);
  Object structure;
  if (plan.careful()) AddBodyFallback(plan, BodyIndex(0), structure);
  AddPatch(plan, "", std::move(structure), out);
  return out;
}

}  // namespace stele::definition
