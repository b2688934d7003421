#include "engine/definition/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/definition/limits.h"

namespace stele::definition {
namespace {

// One body's graph, with a root of its own before the entries. Nodes are numbered in reverse
// postorder from 0, the root.
class BodyGraph {
 public:
  BodyGraph(const Definition& definition, const Body& body)
      : definition_(definition), number_(definition.steps.size(), kNoIndex) {
    Walk(body);
    predecessors_.resize(order_.size());
    for (const StepIndex entry : body.entries) predecessors_[Number(entry)].push_back(0);
    for (uint32_t node = 1; node < order_.size(); ++node)
      for (const TransitionIndex edge : definition_.step(order_[node]).outgoing)
        predecessors_[Number(definition_.transition(edge).to)].push_back(node);
    FindDominators();
  }

  bool IsReached(StepIndex step) const { return number_[step.value] != kNoIndex; }
  // Against the order of the walk: every cycle has such an edge.
  bool Retreats(const Transition& edge) const { return Number(edge.to) <= Number(edge.from); }
  bool Dominates(StepIndex above, StepIndex below) const {
    uint32_t node = Number(below);
    while (node > Number(above)) node = dominator_[node];
    return node == Number(above);
  }

 private:
  uint32_t Number(StepIndex step) const { return number_[step.value]; }

  void Walk(const Body& body) {
    struct Visit {
      StepIndex step;
      size_t next = 0;
    };
    std::vector<bool> seen(definition_.steps.size());
    std::vector<StepIndex> postorder;
    std::vector<Visit> path;
    for (auto entry = body.entries.rbegin(); entry != body.entries.rend(); ++entry) {
      if (seen[entry->value]) continue;
      seen[entry->value] = true;
      path.push_back({*entry});
      while (!path.empty()) {
        Visit& visit = path.back();
        const auto& outgoing = definition_.step(visit.step).outgoing;
        if (visit.next == outgoing.size()) {
          postorder.push_back(visit.step);
          path.pop_back();
          continue;
        }
        const StepIndex to = definition_.transition(outgoing[visit.next++]).to;
        if (seen[to.value]) continue;
        seen[to.value] = true;
        path.push_back({to});
      }
    }
    order_.push_back(StepIndex(kNoIndex));
    order_.insert(order_.end(), postorder.rbegin(), postorder.rend());
    for (uint32_t node = 1; node < order_.size(); ++node) number_[order_[node].value] = node;
  }

  void FindDominators() {
    dominator_.assign(order_.size(), kNoIndex);
    dominator_[0] = 0;
    for (bool changed = true; changed;) {
      changed = false;
      for (uint32_t node = 1; node < order_.size(); ++node) {
        uint32_t nearest = kNoIndex;
        for (const uint32_t predecessor : predecessors_[node]) {
          if (dominator_[predecessor] == kNoIndex) continue;
          nearest = nearest == kNoIndex ? predecessor : Intersect(predecessor, nearest);
        }
        if (dominator_[node] == nearest) continue;
        dominator_[node] = nearest;
        changed = true;
      }
    }
  }
  uint32_t Intersect(uint32_t a, uint32_t b) const {
    while (a != b) {
      while (a > b) a = dominator_[a];
      while (b > a) b = dominator_[b];
    }
    return a;
  }

  const Definition& definition_;
  std::vector<uint32_t> number_;  // by step
  std::vector<StepIndex> order_;  // by node
  std::vector<std::vector<uint32_t>> predecessors_;
  std::vector<uint32_t> dominator_;
};

std::vector<bool> ReachBackwards(const Definition& definition, StepIndex from) {
  std::vector<bool> reached(definition.steps.size());
  std::vector<StepIndex> open{from};
  reached[from.value] = true;
  while (!open.empty()) {
    const StepIndex step = open.back();
    open.pop_back();
    for (const TransitionIndex edge : definition.step(step).incoming) {
      const StepIndex source = definition.transition(edge).from;
      if (reached[source.value]) continue;
      reached[source.value] = true;
      open.push_back(source);
    }
  }
  return reached;
}

void AddIrreducible(const Definition& definition, const Transition& edge, Faults& faults) {
  const std::vector<bool> after = Reach(definition, {edge.to});
  const std::vector<bool> before = ReachBackwards(definition, edge.from);
  std::vector<std::string> names;
  for (size_t i = 0; i < definition.steps.size(); ++i)
    if (after[i] && before[i]) names.push_back(definition.steps[i].id);
  faults.Add(ErrorCode::kIrreducibleCycle, edge.place,
             fmt::format("Expected a loop that is entered at one step but found a cycle of {} that "
                         "is entered at several",
                         QuoteList(names)));
}

// The steps from which `sources` are reached without passing the header, and the header.
std::vector<StepIndex> LoopSteps(const Definition& definition, StepIndex header,
                                 const std::vector<StepIndex>& sources) {
  std::vector<bool> inside(definition.steps.size());
  std::vector<StepIndex> steps{header};
  inside[header.value] = true;
  const auto add = [&](StepIndex step) {
    if (inside[step.value]) return;
    inside[step.value] = true;
    steps.push_back(step);
  };
  for (const StepIndex source : sources) add(source);
  for (size_t i = 1; i < steps.size(); ++i)
    for (const TransitionIndex edge : definition.step(steps[i]).incoming)
      add(definition.transition(edge).from);
  std::ranges::sort(steps);
  return steps;
}

// Finds the loops while `incoming` still has the back edges. False when they nest too deep.
bool FindRegions(Definition& definition, std::vector<std::vector<uint32_t>>& regions_of,
                 Faults& faults) {
  std::map<StepIndex, std::vector<StepIndex>> sources;
  for (const Transition& edge : definition.transitions)
    if (edge.back_edge) sources[edge.to].push_back(edge.from);
  regions_of.resize(definition.steps.size());
  for (const auto& [header, from] : sources) {
    const auto index = static_cast<uint32_t>(definition.regions.size());
    Region region{.header = header, .steps = LoopSteps(definition, header, from)};
    for (const StepIndex step : region.steps) {
      regions_of[step.value].push_back(index);
      if (regions_of[step.value].size() <= kMaxLoopNesting) continue;
      faults.Add(ErrorCode::kLimitExceeded, definition.step(step).place,
                 fmt::format("Expected at most {} loops in each other around {} but found more",
                             kMaxLoopNesting, Quote(definition.step(step).id)));
      return false;
    }
    definition.regions.push_back(std::move(region));
  }
  // Natural loops of a reducible graph are disjoint or inside each other.
  for (auto& regions : regions_of)
    std::ranges::sort(regions, {}, [&](uint32_t r) { return definition.regions[r].steps.size(); });
  return true;
}

void NestRegions(Definition& definition, const std::vector<std::vector<uint32_t>>& regions_of) {
  for (size_t i = 0; i < definition.steps.size(); ++i)
    definition.steps[i].region = regions_of[i].empty() ? kNoIndex : regions_of[i].front();
  for (uint32_t r = 0; r < definition.regions.size(); ++r) {
    const auto& around = regions_of[definition.regions[r].header.value];
    const auto self = std::ranges::find(around, r);
    definition.regions[r].parent = self + 1 == around.end() ? kNoIndex : *(self + 1);
  }
  for (Transition& edge : definition.transitions) {
    const auto& to = regions_of[edge.to.value];
    for (const uint32_t r : regions_of[edge.from.value])
      if (std::ranges::find(to, r) == to.end()) edge.leaves = r;  // inner ones come first
  }
}

void MarkBackEdges(Definition& definition, const Body& body, Faults& faults) {
  const BodyGraph graph(definition, body);
  bool told = false;
  for (const StepIndex index : body.steps) {
    const Step& step = definition.step(index);
    if (!graph.IsReached(index)) {
      if (!step.handler)
        faults.Add(ErrorCode::kUnreachableStep, step.place,
                   fmt::format("Expected a way from the start to every step but found none to {}",
                               Quote(step.id)));
      continue;
    }
    for (const TransitionIndex out : step.outgoing) {
      Transition& edge = definition.transitions[out.value];
      edge.back_edge = graph.Retreats(edge) && graph.Dominates(edge.to, edge.from);
      if (graph.Retreats(edge) && !edge.back_edge && !told) {
        AddIrreducible(definition, edge, faults);
        told = true;
      }
    }
  }
}

}  // namespace

void ConnectSteps(Definition& definition) {
  for (Step& step : definition.steps) {
    step.incoming.clear();
    step.outgoing.clear();
  }
  for (uint32_t i = 0; i < definition.transitions.size(); ++i) {
    const Transition& edge = definition.transitions[i];
    definition.steps[edge.from.value].outgoing.push_back(TransitionIndex(i));
    definition.steps[edge.to.value].incoming.push_back(TransitionIndex(i));
  }
}

std::vector<bool> Reach(const Definition& definition, const std::vector<StepIndex>& entries) {
  std::vector<bool> reached(definition.steps.size());
  std::vector<StepIndex> open;
  const auto add = [&](StepIndex step) {
    if (reached[step.value]) return;
    reached[step.value] = true;
    open.push_back(step);
  };
  for (const StepIndex entry : entries) add(entry);
  while (!open.empty()) {
    const StepIndex step = open.back();
    open.pop_back();
    for (const TransitionIndex edge : definition.step(step).outgoing)
      add(definition.transition(edge).to);
  }
  return reached;
}

void AnalyzeGraph(Definition& definition, Faults& faults) {
  const size_t before = faults.size();
  ConnectSteps(definition);
  for (const Body& body : definition.bodies) MarkBackEdges(definition, body, faults);
  if (faults.size() > before) return;
  std::vector<std::vector<uint32_t>> regions_of;
  if (!FindRegions(definition, regions_of, faults)) return;
  NestRegions(definition, regions_of);
  for (Step& step : definition.steps)
    std::erase_if(step.incoming,
                  [&](TransitionIndex edge) { return definition.transition(edge).back_edge; });
  for (const Body& body : definition.bodies)
    for (const StepIndex entry : body.entries)
      if (const Step& step = definition.step(entry); !step.incoming.empty())
        faults.Add(
            ErrorCode::kInvalidDefinition, step.place,
            fmt::format("Expected no transition to {}, which starts with its process, but "
                        "found one from {}",
                        Quote(step.id),
                        Quote(definition.step(definition.transition(step.incoming[0]).from).id)));
}

}  // namespace stele::definition
