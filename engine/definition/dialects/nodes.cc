// The `nodes:` notation: nodes and connections between them (docs/notations.md).

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "engine/definition/dialects/apis.h"
#include "engine/definition/dialects/dialects.h"
#include "engine/definition/dialects/node_graph.h"
#include "engine/definition/limits.h"
#include "engine/definition/patch.h"

namespace stele::definition {
namespace {

// What the graphs of one file share.
struct Surroundings {
  Lowering& lowering;
  Apis apis;
  std::optional<RetryPolicy> retry;
};

// One graph of the file: its own, or the one inside a node.
class GraphLowering {
 public:
  GraphLowering(Surroundings& around, uint32_t body)
      : around_(around), lowering_(around.lowering), body_(body) {}

  void Run(const Node& nodes, const Node* connections);

 private:
  void PlaceBodies();
  void FindNames();
  void LowerNode(size_t at);
  void PrepareChoice(size_t at, ForeignStep& step);
  void PrepareCall(GraphNode& node, ForeignStep& step);
  void LowerNested(const GraphNode& node, const Node& stele);
  void LowerConnection(const Connection& connection);
  void LowerChoice(size_t at);
  std::string Delay(const Connection& connection, DraftBody& body);
  void JoinBranches(size_t at);
  void FindEntries();
  DraftBody& BodyOf(const GraphNode& node) { return lowering_.draft.bodies[node.body]; }
  Step& StepOf(size_t at) { return BodyOf(graph_.nodes[at]).steps[graph_.nodes[at].index].step; }

  Surroundings& around_;
  Lowering& lowering_;
  const uint32_t body_;
  NodeGraph graph_;
  Renaming renaming_;
  std::map<std::string, int, std::less<>> mapped_;       // how many nodes map that output
  std::map<size_t, std::optional<Expression>> choices_;  // the conditions of CONDITION nodes
  std::map<size_t, ForeignStep> gateways_;               // whose settings are read later
};

void GraphLowering::Run(const Node& nodes, const Node* connections) {
  graph_ = ReadNodeGraph(nodes, connections, lowering_);
  if (graph_.nodes.empty()) return;
  FindLoopBodies(graph_, lowering_);
  PlaceBodies();
  FindNames();
  for (size_t i = 0; i < graph_.nodes.size(); ++i) LowerNode(i);
  for (size_t i = 0; i < graph_.nodes.size(); ++i) LowerChoice(i);
  for (const Connection& connection : graph_.connections) LowerConnection(connection);
  for (size_t i = 0; i < graph_.nodes.size(); ++i) JoinBranches(i);
  FindEntries();
}

void GraphLowering::PlaceBodies() {
  for (GraphNode& node : graph_.nodes)
    if (node.is_loop || node.nested) {
      node.child =
          lowering_.draft.AddBody(node.id, node.name.empty() ? node.id : node.name, node.place);
      if (!node.nested) lowering_.draft.bodies[node.child].start = Start::kGiven;
    }
  for (GraphNode& node : graph_.nodes)
    node.body = node.owner == kNoNode ? body_ : graph_.nodes[node.owner].child;
}

const Node* OutputsOf(const GraphNode& node) {
  if (node.source == nullptr) return nullptr;
  const Node* config = node.source->Find("config");
  const Node* outputs = config == nullptr ? nullptr : config->Find("output_mapping");
  if (outputs == nullptr) outputs = node.source->Find("output_mapping");
  return outputs != nullptr && outputs->is_map() ? outputs : nullptr;
}

// `{{node.field}}` means a field that the node's output_mapping makes, which is a variable here.
void GraphLowering::FindNames() {
  std::set<std::string, std::less<>> ids;
  for (const GraphNode& node : graph_.nodes) ids.insert(node.id);
  for (const GraphNode& node : graph_.nodes) {
    if (!node.name.empty() && node.name != node.id && !ids.contains(node.name))
      renaming_.steps.emplace(node.name, node.id);
    if (const Node* outputs = OutputsOf(node))
      for (const Entry& entry : outputs->entries) ++mapped_[entry.key];
  }
  for (const GraphNode& node : graph_.nodes)
    if (const Node* outputs = OutputsOf(node))
      for (const Entry& entry : outputs->entries)
        for (const std::string& name : {node.id, node.name})
          if (!name.empty())
            renaming_.outputs.emplace(std::pair(name, entry.key), mapped_[entry.key] > 1
                                                                      ? node.id + "." + entry.key
                                                                      : entry.key);
}

void MoveKey(Node& from, std::string_view key, Node& to) {
  if (auto value = TakeKey(from, key)) SetKey(to, std::string(key), *std::move(value));
}

void GraphLowering::LowerNode(size_t at) {
  GraphNode& node = graph_.nodes[at];
  ForeignStep step;
  if (node.source != nullptr) {
    step = SplitStep(*node.source, lowering_);
  } else {
    step = {MapNode(node.place), MapNode(node.place), MapNode(node.place)};
    SetKey(step.node, "type", TextNode("end", node.place));
  }
  SetKey(step.node, "id", TextNode(node.id, node.place));
  if (!node.name.empty()) SetKey(step.node, "name", TextNode(node.name, node.place));
  if (auto type = TakeKey(step.node, "node_type")) SetKey(step.node, "type", *std::move(type));
  if (Node* type = const_cast<Node*>(step.node.Find("type")); type != nullptr && type->is_string())
    type->scalar = TypeWord(type->scalar.as_string());
  LiftKeys(step.config, step);
  if (auto retries = TakeKey(step.config, "retry_count")) {
    Node policy = MapNode(retries->place);
    SetKey(policy, "max_retries", *std::move(retries));
    SetKey(step.node, "retry", std::move(policy));
  }
  Node kept = MapNode(node.place);
  for (const std::string_view key : {"position_x", "position_y", "created_at", "workflow_id"})
    MoveKey(step.node, key, kept);
  PrepareChoice(at, step);
  PrepareCall(node, step);
  if (Node* outputs = const_cast<Node*>(step.node.Find("output_mapping")))
    for (size_t i = outputs->is_map() ? outputs->entries.size() : 0; i-- > 0;)
      if (Entry entry = outputs->entries[i]; mapped_[entry.key] > 1)
        SetKey(*outputs, node.id + "." + entry.key, entry.value);
  RenameInTemplates(step.node, renaming_);
  RenameInTemplates(step.config, renaming_);
  for (const std::string_view key : {"condition", "while", "until", "when"})
    for (Node* map : {&step.node, &step.config})
      if (const Node* condition = map->Find(key))
        RenameInCondition(const_cast<Node&>(*condition), renaming_);
  const Node stele = step.stele;
  std::erase_if(step.stele.entries, [](const Entry& entry) {
    return entry.key == "nodes" || entry.key == "connections";
  });
  node.index = AddForeignStep(std::move(step), node.body, around_.retry, lowering_);
  DraftStep& draft = BodyOf(node).steps[node.index];
  draft.child = node.child;
  for (const Entry& entry : kept.entries) {
    if (!draft.step.extra.is_object()) draft.step.extra = Object();
    draft.step.extra.as_object().Set(entry.key, ToValue(entry.value));
  }
  if (node.child != kNoIndex) lowering_.draft.bodies[node.child].fallback = BodyFallback(stele);
  if (node.nested) LowerNested(node, stele);
}

void GraphLowering::LowerNested(const GraphNode& node, const Node& stele) {
  GraphLowering inner(around_, node.child);
  inner.Run(*stele.Find("nodes"), stele.Find("connections"));
}

// What CONDITION and PARALLEL nodes say about the ways out of them, kept for LowerChoice and
// JoinBranches.
void GraphLowering::PrepareChoice(size_t at, ForeignStep& step) {
  const auto type = FindStepType(graph_.nodes[at].word);
  if (!type || type->kind != StepKind::kGateway) return;
  for (const std::string_view key : {"true_path", "false_path"}) TakeKey(step.config, key);
  for (Node* from : {&step.config, &step.node}) {
    if (type->split != Split::kFirst) break;
    for (const std::string_view key : {"condition", "expression"}) {
      auto condition = TakeKey(*from, key);
      if (!condition) continue;
      RenameInCondition(*condition, renaming_);
      choices_[at] = lowering_.compiler.Condition(*condition);
    }
  }
  if (type->split != Split::kFirst) gateways_.emplace(at, step);
  step.config.entries.clear();
}

void GraphLowering::PrepareCall(GraphNode& node, ForeignStep& step) {
  const auto type = FindStepType(node.word);
  if (!type || type->task_type != "http") return;
  std::string custom;
  if (step.config.Find("api_id") != nullptr) custom = around_.apis.Complete(step.config, lowering_);
  if (custom.empty())
    MoveParameters(step.config);
  else
    SetKey(step.node, "type", TextNode("custom:" + custom, node.place));
}

// A CONDITION with a condition of its own takes its true ways when it holds, else its false ones.
void GraphLowering::LowerChoice(size_t at) {
  const auto choice = choices_.find(at);
  if (choice == choices_.end() || !choice->second) return;
  size_t yes = 0, no = 0;
  for (const size_t out : graph_.out[at]) {
    const Connection& connection = graph_.connections[out];
    const bool own = !connection.condition.is_null();
    yes += connection.via == Via::kTrue || (connection.via == Via::kConditional && !own) ? 1 : 0;
    no += connection.via == Via::kFalse ? 1 : 0;
  }
  if (yes == 0)
    lowering_.Add(ErrorCode::kInvalidDefinition, graph_.nodes[at].place,
                  fmt::format("Expected `true_path` or a CONDITIONAL_TRUE connection of {} but "
                              "found none",
                              Quote(graph_.nodes[at].id)));
  // Several ways, or only the one, need to say when they are taken.
  if (yes > 1 || no != 1) StepOf(at).split = Split::kAll;
}

void GraphLowering::LowerConnection(const Connection& connection) {
  const GraphNode& from = graph_.nodes[connection.from];
  const GraphNode& to = graph_.nodes[connection.to];
  const bool enters = from.is_loop && connection.via == Via::kLoop && to.owner == connection.from;
  DraftBody& body = lowering_.draft.bodies[enters ? from.child : from.body];
  DraftTransition edge{.from = {from.id, connection.place},
                       .to = {to.id, connection.place},
                       .on = connection.on,
                       .is_default = connection.is_default,
                       .place = connection.place};
  if (!connection.condition.is_null()) {
    Node condition = connection.condition;
    RenameInCondition(condition, renaming_);
    edge.condition = lowering_.compiler.Condition(condition);
  }
  const auto choice = choices_.find(connection.from);
  const bool chooses = choice != choices_.end() && choice->second;
  const bool first = StepOf(connection.from).split == Split::kFirst;
  if (connection.via == Via::kTrue || (connection.via == Via::kConditional && !edge.condition)) {
    if (chooses && !edge.condition) edge.condition = choice->second;
    if (!edge.condition && connection.condition.is_null())
      lowering_.Add(ErrorCode::kInvalidDefinition, connection.place,
                    fmt::format("Expected a `condition` of this connection or of {} but found none",
                                Quote(from.id)));
  } else if (connection.via == Via::kFalse && !edge.condition) {
    if (chooses && !first)
      edge.condition = lowering_.compiler.Not(*choice->second, from.place);
    else
      edge.is_default = true;
  } else if (first && connection.via == Via::kSequence && !edge.condition &&
             from.word != "event_race" && edge.on == On::kSuccess) {
    edge.is_default = true;
  }
  if (connection.source != nullptr) KeepEdge(*connection.source, from.id, to.id, lowering_);
  if (!connection.delay.is_null()) {
    const std::string waits = Delay(connection, body);
    if (!enters) {
      DraftTransition before = edge;
      before.to.text = waits;
      body.transitions.push_back(std::move(before));
    }
    edge = {.from = {waits, connection.place}, .to = edge.to, .place = connection.place};
    body.transitions.push_back(std::move(edge));
    if (enters) body.entries.push_back({waits, connection.place});
  } else if (enters) {
    if (edge.condition)
      lowering_.Add(ErrorCode::kInvalidDefinition, connection.place,
                    "Expected the loop's own `condition` but found one at its LOOP connection");
    body.entries.push_back(edge.to);
  } else {
    body.transitions.push_back(std::move(edge));
  }
}

// A connection's delay is a step between its nodes.
std::string GraphLowering::Delay(const Connection& connection, DraftBody& body) {
  ForeignStep step{MapNode(connection.place), MapNode(connection.place), MapNode(connection.place)};
  std::string id =
      fmt::format("{}_to_{}", graph_.nodes[connection.from].id, graph_.nodes[connection.to].id);
  const auto taken = [&](const std::string& word) {
    return std::ranges::any_of(body.steps,
                               [&](const DraftStep& known) { return known.step.id == word; }) ||
           std::ranges::find(graph_.nodes, word, &GraphNode::id) != graph_.nodes.end();
  };
  for (int n = 2; taken(id); ++n)
    id = fmt::format("{}_to_{}_{}", graph_.nodes[connection.from].id,
                     graph_.nodes[connection.to].id, n);
  SetKey(step.node, "id", TextNode(id, connection.place));
  SetKey(step.node, "type", TextNode("delay", connection.place));
  SetKey(step.node, "duration", connection.delay);
  AddForeignStep(std::move(step), static_cast<uint32_t>(&body - lowering_.draft.bodies.data()),
                 std::nullopt, lowering_);
  return id;
}

// `wait_for_all` and `max_concurrent` of a PARALLEL node.
void GraphLowering::JoinBranches(size_t at) {
  const auto gateway = gateways_.find(at);
  if (gateway == gateways_.end()) return;
  MapReader reader(gateway->second.config, "a PARALLEL node's `config`", lowering_.faults);
  const bool all = reader.Bool({"wait_for_all"}, true);
  const auto most = reader.Integer({"max_concurrent", "max_concurrency"}, 1, kMaxConcurrency);
  reader.Finish();
  std::vector<size_t> branches;
  for (const size_t out : graph_.out[at]) branches.push_back(graph_.connections[out].to);
  if (branches.empty()) return;
  const size_t join = FindMeeting(graph_, branches);
  if (!all && join != kNoNode) StepOf(join).join = Join::kAny;
  if (!most || static_cast<size_t>(*most) >= branches.size()) return;
  const std::string key = fmt::format("{}/{{{{execution.id}}}}", graph_.nodes[at].id);
  auto compiled = Template::Compile(Value(key));
  if (!compiled) return;
  const std::vector<bool> inside =
      graph_.Reach(branches, [&](const Connection& connection) { return connection.to != join; });
  for (size_t i = 0; i < inside.size(); ++i) {
    Step& step = StepOf(i);
    if (inside[i] && i != join && step.kind == StepKind::kTask && !step.concurrency)
      step.concurrency = Concurrency{*compiled, static_cast<uint32_t>(*most)};
  }
}

// START nodes begin; in a graph without them, whatever nothing leads to.
void GraphLowering::FindEntries() {
  DraftBody& body = lowering_.draft.bodies[body_];
  for (const GraphNode& node : graph_.nodes)
    if (node.owner == kNoNode && node.word == "start")
      body.entries.push_back({node.id, node.place});
  if (!body.entries.empty()) body.start = Start::kGiven;
}

}  // namespace

Draft LowerNodes(const Node& root, std::string_view fallback_name, Faults& faults) {
  Draft draft;
  Lowering lowering{draft, faults};
  draft.AddBody("", "", root.place);
  MapReader top(root, "the file", faults);
  ForeignHead head = ReadForeignHead(top, "nodes", fallback_name, lowering);
  if (const Node* variables = top.Take("variables"))
    ReadVariables(*variables, draft.bodies[0].body.variables, lowering);
  Surroundings around{lowering, Apis(top.Take("apis"), root.Find("variables"), lowering),
                      head.retry};
  const Node* id = top.Take("id");
  if (id != nullptr && id->is_string()) {
    draft.head.name = id->scalar.as_string();
    draft.bodies[0].body.id = draft.head.name;
  }
  const Node* nodes = top.Require({"nodes"});
  const Node* connections = top.Take({"connections", "edges"});
  top.Finish();
  if (nodes != nullptr) GraphLowering(around, 0).Run(*nodes, connections);
  return draft;
}

}  // namespace stele::definition
