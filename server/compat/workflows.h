// The parts of the dialect of graphs: workflows that are put together node by node.
//
// Thread: the loop's.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "server/compat/graph_names.h"
#include "server/operations/operations.h"
#include "server/rest/call.h"
#include "server/rest/route.h"

namespace stele::server::compat {

// Graphs are notes of this kind (notes.h).
inline constexpr std::string_view kGraph = "graph";

std::vector<rest::Route> GraphRoutes(const Operations& operations,
                                     const std::shared_ptr<GraphNames>& names);
std::vector<rest::Component> GraphShapes();

// The graph of the path's `id`.
Result<Object> FindGraph(const Operations& operations, const rest::Call& call,
                         Permission permission);

// What is registered of a graph, in the notation of nodes and connections, and the types of workers
// that it needs for APIs that it does not list.
struct BuiltGraph {
  Object document;
  std::set<std::string> types;
};
BuiltGraph BuildGraph(const Object& graph);

}  // namespace stele::server::compat
