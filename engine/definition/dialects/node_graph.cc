#include "engine/definition/dialects/node_graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/definition/limits.h"
#include "engine/definition/patch.h"

namespace stele::definition {
namespace {

class GraphReader {
 public:
  explicit GraphReader(Lowering& lowering) : lowering_(lowering) {}

  NodeGraph Read(const Node& nodes, const Node* connections);

 private:
  void ReadNode(const Node& node);
  void NameSteps();
  void ReadConnection(const Node& node);
  void ReadPaths(size_t node);
  void ReadStele(MapReader& reader, Connection& connection);
  size_t Find(const Node* word);
  // Adds a fault when it is: what follows would take time beyond measure.
  bool IsTooLong(const Node& list, size_t most) {
    if (list.items.size() <= most) return false;
    lowering_.Add(ErrorCode::kLimitExceeded, list.place,
                  fmt::format("Expected at most {} but found {}", most, list.items.size()));
    return true;
  }
  void Add(Place place, std::string message) {
    lowering_.Add(ErrorCode::kInvalidDefinition, place, std::move(message));
  }

  Lowering& lowering_;
  NodeGraph graph_;
  std::multimap<std::string, size_t, std::less<>> by_id_, by_name_;
};

NodeGraph GraphReader::Read(const Node& nodes, const Node* connections) {
  if (!nodes.is_list() || nodes.items.empty()) {
    Add(nodes.place, "Expected a list of nodes but found " +
                         (nodes.is_list() ? std::string("an empty one") : Describe(nodes)));
    return {};
  }
  if (IsTooLong(nodes, kMaxSteps) ||
      (connections != nullptr && IsTooLong(*connections, kMaxTransitions)))
    return {};
  for (const Node& node : nodes.items) ReadNode(node);
  NameSteps();
  if (connections != nullptr && !connections->is_list())
    Add(connections->place, "Expected a list of connections but found " + Describe(*connections));
  if (connections != nullptr)
    for (const Node& node : connections->items) ReadConnection(node);
  for (size_t i = 0; i < graph_.nodes.size(); ++i) ReadPaths(i);
  graph_.out.resize(graph_.nodes.size());
  for (size_t i = 0; i < graph_.connections.size(); ++i)
    graph_.out[graph_.connections[i].from].push_back(i);
  return std::move(graph_);
}

void GraphReader::ReadNode(const Node& source) {
  if (!source.is_map()) return Add(source.place, "Expected a node but found " + Describe(source));
  GraphNode node{.source = &source, .place = source.place};
  const Node* id = source.Find("id");
  node.given = NameOf(id);
  node.name = NameOf(source.Find("name"));
  const Node* type = source.Find("node_type");
  node.word = Fold(NameOf(type != nullptr ? type : source.Find("type")));
  const auto known = FindStepType(node.word);
  node.is_loop = known && known->kind == StepKind::kLoop;
  if (const Node* stele = source.Find(kPatchKey)) node.nested = stele->Find("nodes") != nullptr;
  if (node.given.empty() && node.name.empty())
    Add(source.place, "Expected `id` or `name` in a node but found neither");
  if (id != nullptr) node.place = id->place;
  if (!node.given.empty()) {
    if (const auto same = by_id_.find(node.given); same != by_id_.end())
      lowering_.Add(ErrorCode::kDuplicateId, node.place,
                    fmt::format("Expected each node id once but found {} again after line {}",
                                Quote(node.given), graph_.nodes[same->second].place.line));
    by_id_.emplace(node.given, graph_.nodes.size());
  }
  if (!node.name.empty()) by_name_.emplace(node.name, graph_.nodes.size());
  graph_.nodes.push_back(std::move(node));
}

// The id when expressions can say it, else the name, which tells more than a number does.
void GraphReader::NameSteps() {
  for (GraphNode& node : graph_.nodes) {
    const bool unique = by_name_.count(node.name) == 1;
    if (!node.given.empty() && IsExpressionName(node.given))
      node.id = node.given;
    else if (node.name.empty())
      node.id = "node_" + node.given;
    else
      node.id =
          unique || node.given.empty() ? node.name : fmt::format("{}_{}", node.name, node.given);
  }
}

size_t GraphReader::Find(const Node* word) {
  if (word == nullptr) return kNoNode;
  const std::string name = NameOf(word);
  if (const auto id = by_id_.find(name); id != by_id_.end()) return id->second;
  const auto [first, last] = by_name_.equal_range(name);
  if (first == last) {
    std::vector<std::string> known;
    for (const GraphNode& node : graph_.nodes)
      known.push_back(node.name.empty() ? node.given : node.name);
    const std::string near = Nearest(name, known);
    lowering_.Add(
        ErrorCode::kUnknownStep, word->place,
        fmt::format("Expected the id or name of a node{} but found {}",
                    near.empty() ? "" : ", perhaps " + Quote(near) + ",", Describe(*word)));
    return kNoNode;
  }
  if (std::next(first) != last)
    Add(word->place,
        fmt::format("Expected a name that one node has but found {}, which several have",
                    Quote(name)));
  return first->second;
}

std::optional<Via> FindVia(std::string_view word) {
  static constexpr std::pair<std::string_view, Via> kWords[] = {
      {"sequence", Via::kSequence},       {"conditional", Via::kConditional},
      {"conditional_true", Via::kTrue},   {"true", Via::kTrue},
      {"conditional_false", Via::kFalse}, {"false", Via::kFalse},
      {"parallel", Via::kParallel},       {"loop", Via::kLoop}};
  const std::string folded = Fold(word);
  for (const auto& [known, via] : kWords)
    if (folded == known) return via;
  return std::nullopt;
}

void GraphReader::ReadConnection(const Node& source) {
  MapReader reader(source, "a connection", lowering_.faults);
  if (!source.is_map()) return;
  Connection connection{.source = &source, .place = source.place};
  connection.from = Find(reader.Require({"from_node_id", "from", "from_node", "source"}));
  connection.to = Find(reader.Require({"to_node_id", "to", "to_node", "target"}));
  if (const Node* type = reader.Take({"connection_type", "type"})) {
    const auto via = FindVia(NameOf(type));
    connection.via = via.value_or(Via::kSequence);
    if (!via)
      lowering_.Add(ErrorCode::kUnknownType, type->place,
                    "Expected a connection type of \"SEQUENCE\", \"CONDITIONAL\", "
                    "\"CONDITIONAL_TRUE\", \"CONDITIONAL_FALSE\", \"PARALLEL\" or \"LOOP\" but "
                    "found " +
                        Describe(*type));
  }
  if (const Node* condition = reader.Take("condition"))
    if (!NameOf(condition).empty()) connection.condition = *condition;
  if (const Node* config = reader.Take("config")) {
    MapReader settings(*config, "a connection's `config`", lowering_.faults);
    if (const Node* delay = settings.Take("delay"))
      if (delay->scalar != Value(0)) connection.delay = *delay;
    settings.Finish();
  }
  ReadStele(reader, connection);
  Object ignored;
  reader.Keep({"id", "label", "name", "style", "color", "type_", "created_at", "description",
               "workflow_id"},
              ignored);
  reader.Finish();
  if (connection.from != kNoNode && connection.to != kNoNode)
    graph_.connections.push_back(std::move(connection));
}

void GraphReader::ReadStele(MapReader& reader, Connection& connection) {
  const Node* stele = reader.Take(kPatchKey);
  if (stele == nullptr) return;
  MapReader patch(*stele, "a connection's `stele`", lowering_.faults);
  const Node* on = patch.Take("on");
  const std::string word = NameOf(on);
  if (word == "failure") connection.on = On::kFailure;
  if (word == "completion") connection.on = On::kCompletion;
  if (on != nullptr && connection.on == On::kSuccess && word != "success")
    Add(on->place, "Expected `on` to be \"success\", \"failure\" or \"completion\" but found " +
                       Describe(*on));
  connection.is_default = patch.Bool({"default"}, false);
  patch.Finish();
}

// `true_path` and `false_path` are connections, unless one says the same.
void GraphReader::ReadPaths(size_t at) {
  const Node* config = graph_.nodes[at].source->Find("config");
  if (config == nullptr || !config->is_map()) return;
  for (const auto& [key, via] : {std::pair("true_path", Via::kTrue), {"false_path", Via::kFalse}}) {
    const Node* path = config->Find(key);
    if (path == nullptr || path->is_null()) continue;
    const size_t to = Find(path);
    if (to == kNoNode) continue;
    bool said = false;
    const Connection* other = nullptr;
    for (const Connection& known : graph_.connections) {
      if (known.from != at || known.via != via) continue;
      said = said || known.to == to;
      other = &known;
    }
    if (said) continue;
    if (other != nullptr) {
      Add(path->place,
          fmt::format("Expected `{}` to name {}, to which a connection leads, but found {}", key,
                      Quote(graph_.nodes[other->to].id), Describe(*path)));
      continue;
    }
    graph_.connections.push_back({.from = at, .to = to, .via = via, .place = path->place});
  }
}

}  // namespace

NodeGraph ReadNodeGraph(const Node& nodes, const Node* connections, Lowering& lowering) {
  return GraphReader(lowering).Read(nodes, connections);
}

namespace {

// A body's way back to its loop ends the iteration: no transition of its own. Where it is a choice,
// it leads to an end of the body, so that the choice keeps all its ways.
void CloseBodies(NodeGraph& graph) {
  std::map<size_t, size_t> ends;  // by loop
  std::vector<Connection> kept;
  for (Connection& connection : graph.connections) {
    const size_t loop = connection.to;
    if (graph.nodes[connection.from].owner != loop || !graph.nodes[loop].is_loop) {
      kept.push_back(std::move(connection));
      continue;
    }
    const bool plain = connection.via != Via::kTrue && connection.via != Via::kFalse &&
                       connection.condition.is_null() && connection.on == On::kSuccess &&
                       !connection.is_default && connection.delay.is_null();
    if (plain && graph.out[connection.from].size() == 1) continue;
    const auto [end, added] = ends.try_emplace(loop, graph.nodes.size());
    if (added)
      graph.nodes.push_back({.id = graph.nodes[loop].id + ".next",
                             .name = "next",
                             .word = "end",
                             .place = graph.nodes[loop].place,
                             .owner = loop});
    connection.to = end->second;
    if (connection.via == Via::kLoop) connection.via = Via::kSequence;
    kept.push_back(std::move(connection));
  }
  graph.connections = std::move(kept);
  graph.out.assign(graph.nodes.size(), {});
  for (size_t i = 0; i < graph.connections.size(); ++i)
    graph.out[graph.connections[i].from].push_back(i);
}

}  // namespace

void FindLoopBodies(NodeGraph& graph, Lowering& lowering) {
  std::vector<size_t> sizes(graph.nodes.size(), SIZE_MAX);  // of the body that a node is in
  for (size_t loop = 0; loop < graph.nodes.size(); ++loop) {
    if (!graph.nodes[loop].is_loop || graph.nodes[loop].nested) continue;
    std::vector<size_t> entries;
    for (const size_t at : graph.out[loop])
      if (graph.connections[at].via == Via::kLoop) entries.push_back(graph.connections[at].to);
    const std::vector<bool> inside = graph.Reach(entries, [&](const Connection& connection) {
      return connection.to != loop && connection.from != loop;
    });
    if (entries.empty())
      lowering.Add(ErrorCode::kInvalidDefinition, graph.nodes[loop].place,
                   fmt::format("Expected a LOOP connection from {} into its body but found none",
                               Quote(graph.nodes[loop].id)));
    const auto size = static_cast<size_t>(std::ranges::count(inside, true));
    for (size_t node = 0; node < inside.size(); ++node) {
      if (!inside[node] || size >= sizes[node] || node == loop) continue;
      sizes[node] = size;
      graph.nodes[node].owner = loop;
    }
  }
  CloseBodies(graph);
  for (const Connection& connection : graph.connections) {
    const GraphNode& from = graph.nodes[connection.from];
    const GraphNode& to = graph.nodes[connection.to];
    const bool enters = connection.via == Via::kLoop && from.is_loop && to.owner == connection.from;
    if (enters || from.owner == to.owner) continue;
    lowering.Add(ErrorCode::kInvalidDefinition, connection.place,
                 fmt::format("Expected connections within the body of a loop, back to the loop or "
                             "by LOOP into it but found one from {} to {}",
                             Quote(from.id), Quote(to.id)));
  }
}

size_t FindMeeting(const NodeGraph& graph, const std::vector<size_t>& branches) {
  if (branches.size() < 2) return kNoNode;
  const auto any = [](const Connection&) { return true; };
  std::vector<bool> common(graph.nodes.size(), true);
  for (const size_t branch : branches) {
    const std::vector<bool> reached = graph.Reach({branch}, any);
    for (size_t i = 0; i < common.size(); ++i) common[i] = common[i] && reached[i];
  }
  // The meeting is that of them which leads to all the others; it is met early.
  constexpr int kMostTried = 16;
  std::vector<size_t> open{branches[0]};
  std::vector<bool> seen(common.size());
  seen[branches[0]] = true;
  int tried = 0;
  for (size_t i = 0; i < open.size() && tried < kMostTried; ++i) {
    const size_t node = open[i];
    if (common[node]) {
      ++tried;
      const std::vector<bool> after = graph.Reach({node}, any);
      bool all = true;
      for (size_t j = 0; j < common.size(); ++j) all = all && (!common[j] || after[j]);
      if (all) return node;
    }
    for (const size_t at : graph.out[node]) {
      const size_t to = graph.connections[at].to;
      if (seen[to]) continue;
      seen[to] = true;
      open.push_back(to);
    }
  }
  return kNoNode;
}

}  // namespace stele::definition
