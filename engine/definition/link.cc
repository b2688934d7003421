#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/check.h"
#include "engine/definition/draft.h"
#include "engine/definition/graph.h"
#include "engine/definition/json_schema.h"
#include "engine/definition/limits.h"
#include "engine/definition/roots.h"
#include "engine/definition/shell_text.h"

namespace stele::definition {
namespace {

class Linker {
 public:
  Linker(Draft& draft, Faults& faults) : draft_(draft), faults_(faults) {}

  Definition Run() {
    result_ = std::move(draft_.head);
    if (!AddSteps()) return {};
    AddTransitions();
    for (uint32_t b = 0; b < draft_.bodies.size(); ++b) NameHandlers(b);
    ConnectSteps(result_);
    MarkHandlers();
    CheckReferences();
    EscapeShell();
    CompileInputSchema(result_);
    if (!resolved_) return std::move(result_);  // what follows would only repeat what is known
    for (uint32_t b = 0; b < draft_.bodies.size(); ++b) FindEntries(b);
    if (!CheckDependencies()) return std::move(result_);
    AnalyzeGraph(result_, faults_);
    CheckJoins();
    IndexIds();
    return std::move(result_);
  }

 private:
  bool AddSteps();
  void AddTransitions();
  void NameHandlers(uint32_t body);
  void MarkHandlers();
  void FindEntries(uint32_t body);
  bool StartCycle(Body& body, bool first_only);
  bool CheckDependencies();
  std::set<std::string, std::less<>> Variables() const;
  void EscapeShell();
  void CheckReferences();
  void CheckJoins();
  void IndexIds();
  StepIndex Resolve(const Word& word, uint32_t body);
  // Of all steps. REQUIRES: they are there.
  const std::vector<std::string>& Ids();

  Draft& draft_;
  Faults& faults_;
  Definition result_;
  std::unordered_map<std::string, StepIndex> by_id_;
  std::vector<std::string> ids_;  // made when they are asked for
  std::vector<bool> named_;       // as a fallback or compensation
  std::vector<bool> dependency_;  // by transition
  bool resolved_ = true;
};

bool Linker::AddSteps() {
  size_t count = 0;
  for (const DraftBody& body : draft_.bodies) count += body.steps.size();
  if (count > kMaxSteps) {
    faults_.Add(ErrorCode::kLimitExceeded, {1, 1},
                fmt::format("Expected at most {} steps but found {}", kMaxSteps, count));
    return false;
  }
  for (DraftBody& draft : draft_.bodies) result_.bodies.push_back(std::move(draft.body));
  for (uint32_t b = 0; b < draft_.bodies.size(); ++b) {
    for (DraftStep& draft : draft_.bodies[b].steps) {
      const StepIndex index(static_cast<uint32_t>(result_.steps.size()));
      Step& step = draft.step;
      if (const auto [known, added] = by_id_.try_emplace(step.id, index); !added) {
        resolved_ = false;
        faults_.Add(ErrorCode::kDuplicateId, step.place,
                    fmt::format("Expected each step id once but found {} again after line {}",
                                Quote(step.id), result_.step(known->second).place.line));
      }
      step.body = BodyIndex(b);
      if (draft.child != kNoIndex) {
        step.child = BodyIndex(draft.child);
        result_.bodies[draft.child].owner = index;
      }
      result_.bodies[b].steps.push_back(index);
      result_.steps.push_back(std::move(step));
    }
  }
  named_.resize(count);
  return true;
}

const std::vector<std::string>& Linker::Ids() {
  if (ids_.empty())
    for (const Step& step : result_.steps) ids_.push_back(step.id);
  return ids_;
}

StepIndex Linker::Resolve(const Word& word, uint32_t body) {
  const auto found = by_id_.find(word.text);
  if (found == by_id_.end()) {
    const std::string near = faults_.Suggest(word.text, Ids());
    faults_.Add(ErrorCode::kUnknownStep, word.place,
                near.empty() ? fmt::format("Expected the id of a step but found {}, which is none",
                                           Quote(word.text))
                             : fmt::format("Expected the id of a step, perhaps {}, but found {}",
                                           Quote(near), Quote(word.text)));
  } else if (result_.step(found->second).body.value != body) {
    faults_.Add(ErrorCode::kUnknownStep, word.place,
                fmt::format("Expected the id of a step beside this one but found {}, which is "
                            "inside another process or loop",
                            Quote(word.text)));
  } else {
    return found->second;
  }
  resolved_ = false;
  return StepIndex(kNoIndex);
}

void Linker::AddTransitions() {
  for (uint32_t b = 0; b < draft_.bodies.size(); ++b) {
    for (DraftTransition& draft : draft_.bodies[b].transitions) {
      if (result_.transitions.size() == kMaxTransitions) {
        resolved_ = false;
        faults_.Add(ErrorCode::kLimitExceeded, draft.place,
                    fmt::format("Expected at most {} transitions but found more", kMaxTransitions));
        return;
      }
      const StepIndex from = Resolve(draft.from, b);
      const StepIndex to = Resolve(draft.to, b);
      if (from.value == kNoIndex || to.value == kNoIndex) continue;
      Transition edge;
      edge.from = from;
      edge.to = to;
      edge.on = draft.on;
      edge.condition = std::move(draft.condition);
      edge.is_default = draft.is_default;
      edge.place = draft.place;
      result_.transitions.push_back(std::move(edge));
      dependency_.push_back(draft.dependency);
    }
  }
}

void Linker::NameHandlers(uint32_t b) {
  const auto name = [&](const Word& word, StepIndex& index, StepIndex self) {
    if (word.text.empty()) return;
    index = Resolve(word, b);
    if (index.value == kNoIndex) return;
    if (index == self)
      faults_.Add(
          ErrorCode::kInvalidDefinition, word.place,
          fmt::format("Expected another step to handle {} but found itself", Quote(word.text)));
    named_[index.value] = true;
  };
  for (size_t i = 0; i < draft_.bodies[b].steps.size(); ++i) {
    const DraftStep& draft = draft_.bodies[b].steps[i];
    const StepIndex self = result_.bodies[b].steps[i];
    name(draft.fallback, result_.steps[self.value].fallback, self);
    name(draft.compensation, result_.steps[self.value].compensation, self);
  }
  name(draft_.bodies[b].fallback, result_.bodies[b].fallback, StepIndex(kNoIndex));
}

void Linker::MarkHandlers() {
  for (uint32_t i = 0; i < result_.steps.size(); ++i) {
    Step& step = result_.steps[i];
    step.handler = named_[i] && step.incoming.empty();
    const auto& entries = draft_.bodies[step.body.value].entries;
    if (std::ranges::find(entries, step.id, &Word::text) != entries.end()) step.handler = false;
    if (!step.handler || step.outgoing.empty()) continue;
    resolved_ = false;
    faults_.Add(ErrorCode::kInvalidDefinition, result_.transition(step.outgoing[0]).place,
                fmt::format("Expected nothing to follow {}, which runs in another step's place or "
                            "undoes it, but found a transition to {}",
                            Quote(step.id),
                            Quote(result_.step(result_.transition(step.outgoing[0]).to).id)));
  }
}

void Linker::FindEntries(uint32_t b) {
  Body& body = result_.bodies[b];
  const DraftBody& draft = draft_.bodies[b];
  for (const Word& word : draft.entries) {
    const StepIndex entry = Resolve(word, b);
    if (entry.value != kNoIndex && std::ranges::find(body.entries, entry) == body.entries.end())
      body.entries.push_back(entry);
  }
  for (const Word& word : draft.ends) Resolve(word, b);
  if (draft.start == Start::kGiven) return;
  for (const StepIndex index : body.steps) {
    const Step& step = result_.step(index);
    const bool entered = std::ranges::any_of(step.incoming, [&](TransitionIndex edge) {
      return result_.transition(edge).from != index;
    });
    const bool alone = step.incoming.empty() && step.outgoing.empty() &&
                       std::ranges::find(draft.ends, step.id, &Word::text) == draft.ends.end();
    if (step.handler || entered || (alone && draft.start == Start::kConnected)) continue;
    body.entries.push_back(index);
  }
  while (StartCycle(body, draft.start == Start::kConnected)) {
  }
  std::ranges::sort(body.entries);
  if (body.entries.empty() && !body.steps.empty())
    faults_.Add(
        ErrorCode::kUnreachableStep, result_.step(body.steps[0]).place,
        fmt::format("Expected a step that starts but found that {} and the others only stand "
                    "in for each other or undo each other",
                    Quote(result_.step(body.steps[0]).id)));
}

// A cycle that nothing outside it enters starts at the step that is listed first.
bool Linker::StartCycle(Body& body, bool first_only) {
  const std::vector<bool> reached = Reach(result_, body.entries);
  for (const StepIndex index : body.steps) {
    const Step& step = result_.step(index);
    if (step.handler) continue;
    if (!reached[index.value] && !step.incoming.empty()) {
      const std::vector<bool> after = Reach(result_, {index});
      const bool source = std::ranges::all_of(step.incoming, [&](TransitionIndex edge) {
        return after[result_.transition(edge).from.value];
      });
      if (source) {
        body.entries.push_back(index);
        return true;
      }
    }
    if (first_only) return false;
  }
  return false;
}

// Kahn's algorithm over the `depends_on` transitions alone; what is left over is in or behind a
// cycle.
bool Linker::CheckDependencies() {
  std::vector<uint32_t> waits(result_.steps.size());
  for (uint32_t i = 0; i < dependency_.size(); ++i)
    if (dependency_[i]) ++waits[result_.transitions[i].to.value];
  std::vector<StepIndex> ready;
  for (uint32_t i = 0; i < waits.size(); ++i)
    if (waits[i] == 0) ready.push_back(StepIndex(i));
  for (size_t at = 0; at < ready.size(); ++at)
    for (const TransitionIndex edge : result_.step(ready[at]).outgoing)
      if (dependency_[edge.value] && --waits[result_.transition(edge).to.value] == 0)
        ready.push_back(result_.transition(edge).to);
  if (ready.size() == result_.steps.size()) return true;
  // Backwards from a step that is left over, one comes to the cycle and then round it.
  std::vector<uint32_t> seen(waits.size());
  std::vector<StepIndex> path;
  StepIndex step(0);
  while (waits[step.value] == 0) step = step.Next();
  while (seen[step.value] == 0) {
    path.push_back(step);
    seen[step.value] = static_cast<uint32_t>(path.size());
    for (const TransitionIndex edge : result_.step(step).incoming)
      if (dependency_[edge.value] && waits[result_.transition(edge).from.value] > 0) {
        step = result_.transition(edge).from;
        break;
      }
  }
  std::string cycle = result_.step(step).id;
  for (size_t i = path.size(); i-- >= seen[step.value];) cycle += " → " + result_.step(path[i]).id;
  faults_.Add(ErrorCode::kIrreducibleCycle, result_.step(step).place,
              fmt::format("Expected `depends_on` without a cycle but found {}", cycle));
  return false;
}

// Names that `variables.` may be followed by; empty when the file declares no variables.
std::set<std::string, std::less<>> Linker::Variables() const {
  std::set<std::string, std::less<>> declared;
  for (const Body& body : result_.bodies)
    for (const Variable& variable : body.variables) declared.insert(variable.name);
  if (declared.empty()) return declared;
  for (const Step& step : result_.steps) {
    for (const Mapping& output : step.outputs) declared.insert(output.name);
    if (step.kind == StepKind::kLoop) declared.insert(step.loop.item_name);
  }
  return declared;
}

void Linker::EscapeShell() {
  const auto variables = Variables();
  if (variables.empty()) return;
  const Value* members = result_.input_schema.Find("properties");
  const auto known = [&](std::string_view name) {
    return IsRoot(name) || variables.contains(name) || by_id_.contains(std::string(name)) ||
           (members != nullptr && members->Find(name) != nullptr);
  };
  for (Step& step : result_.steps) LeaveToShell(step, known);
}

void Linker::CheckReferences() {
  const auto declared = Variables();
  const bool any = !declared.empty();
  const std::vector<std::string> variables(declared.begin(), declared.end());
  for (const PlacedReference& reference : draft_.references) {
    const std::string& name = reference.path[1];
    const bool step = reference.path[0] == "steps";
    if (step ? draft_.fragment || by_id_.contains(name) : !any || declared.contains(name)) continue;
    const std::string near = faults_.Suggest(name, step ? Ids() : variables);
    faults_.Add(ErrorCode::kUnknownReference, reference.place,
                fmt::format("Expected {}{} but found {}",
                            step ? "a step of this file after `steps.`"
                                 : "a variable that is declared or an output after `variables.`",
                            near.empty() ? "" : ", perhaps " + Quote(near) + ",", Quote(name)));
  }
}

void Linker::CheckJoins() {
  for (size_t b = 0; b < draft_.bodies.size(); ++b)
    for (size_t i = 0; i < draft_.bodies[b].steps.size(); ++i) {
      const Step& step = result_.step(result_.bodies[b].steps[i]);
      const size_t most = step.incoming.size();
      if (step.join != Join::kNOfM || step.join_count <= most) continue;
      const Place place = draft_.bodies[b].steps[i].join_place;
      faults_.Add(ErrorCode::kInvalidDefinition, place.line == 0 ? step.place : place,
                  fmt::format("Expected a join of {} to wait for at most its {} {} but found {}",
                              Quote(step.id), most, most == 1 ? "transition" : "transitions",
                              step.join_count));
    }
}

void Linker::IndexIds() {
  for (uint32_t i = 0; i < result_.steps.size(); ++i) result_.by_id.push_back(StepIndex(i));
  std::ranges::sort(result_.by_id, {},
                    [&](StepIndex i) -> const std::string& { return result_.step(i).id; });
}

}  // namespace

Definition Link(Draft draft, Faults& faults) {
  return Linker(draft, faults).Run();
}

Template NoKey() {
  auto compiled = Template::Compile(Value(""));
  CHECK(compiled.has_value());
  return *std::move(compiled);
}

const Step* Definition::FindStep(std::string_view id) const {
  if (by_id.size() != steps.size()) {
    const auto found = std::ranges::find(steps, id, &Step::id);
    return found == steps.end() ? nullptr : &*found;
  }
  const auto found = std::ranges::lower_bound(
      by_id, id, {}, [&](StepIndex i) -> std::string_view { return step(i).id; });
  return found == by_id.end() || step(*found).id != id ? nullptr : &step(*found);
}

}  // namespace stele::definition
