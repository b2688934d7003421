// The `nodes:` notation's graph: nodes and connections, read and sorted into bodies before they are
// lowered (nodes.cc).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/definition/dialects/foreign.h"

namespace stele::definition {

inline constexpr size_t kNoNode = SIZE_MAX;

// What a connection is there for.
enum class Via : uint8_t { kSequence, kConditional, kTrue, kFalse, kParallel, kLoop };

struct GraphNode {
  const Node* source = nullptr;
  std::string id;     // of the step
  std::string given;  // the file's id
  std::string name;
  std::string word;  // the type's, folded
  Place place;
  bool is_loop = false;
  bool nested = false;     // its body stands in `stele`
  size_t owner = kNoNode;  // the loop whose body it is in
  uint32_t body = kNoIndex;
  uint32_t child = kNoIndex;
  size_t index = 0;  // in its body
};

struct Connection {
  size_t from = kNoNode;
  size_t to = kNoNode;
  Via via = Via::kSequence;
  Node condition;                // null: none
  Node delay;                    // null: none
  const Node* source = nullptr;  // null: a path that a CONDITION names
  On on = On::kSuccess;
  bool is_default = false;
  Place place;
};

struct NodeGraph {
  std::vector<GraphNode> nodes;
  std::vector<Connection> connections;
  std::vector<std::vector<size_t>> out;  // by node: its connections

  // Of the nodes reached from `from` along connections that `follows` allows, themselves included.
  template <class Follows>
  std::vector<bool> Reach(const std::vector<size_t>& from, Follows follows) const {
    std::vector<bool> reached(nodes.size());
    std::vector<size_t> open;
    const auto add = [&](size_t node) {
      if (reached[node]) return;
      reached[node] = true;
      open.push_back(node);
    };
    for (const size_t node : from) add(node);
    while (!open.empty()) {
      const size_t node = open.back();
      open.pop_back();
      for (const size_t at : out[node])
        if (follows(connections[at])) add(connections[at].to);
    }
    return reached;
  }
};

// Reads the lists; adds the paths that CONDITION nodes name, and decides what the steps are called.
NodeGraph ReadNodeGraph(const Node& nodes, const Node* connections, Lowering& lowering);

// Finds which loop's body each node is in: what is reached from the LOOP connections of a loop
// until the flow comes back to it or ends. Takes the connections that lead back out of `graph`.
void FindLoopBodies(NodeGraph& graph, Lowering& lowering);

// The first node in which ways from all of `branches` meet; kNoNode when they do not.
size_t FindMeeting(const NodeGraph& graph, const std::vector<size_t>& branches);

}  // namespace stele::definition
