// Migrating an instance to another version of its definition: every step that the state refers to
// must have a place in the other graph, of the same kind, and no join there may wait for a token
// that nothing will send. All reasons against it are given at once.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/decide/turn.h"

namespace stele::decide {

namespace {

using Reasons = std::vector<std::string>;

constexpr StepIndex kNoStep{kNoIndex};

struct Mapping {
  std::vector<StepIndex> steps;
  std::vector<TransitionIndex> transitions;
  std::vector<BodyIndex> bodies;
};

class Migration {
 public:
  Migration(const Turn& turn, const Definition& to)
      : instance_(turn.instance), from_(turn.definition), to_(to) {}

  // Fills the tables from the plan.
  void Map(std::string_view plan) {
    map_.steps.resize(from_.steps.size(), kNoStep);
    for (const Step& step : from_.steps) MapStep(step, step.id);
    ReadPlan(plan);
    CheckDistinct();
    MapBodies();
    MapTransitions();
  }

  void Check() {
    for (const Scope& scope : instance_.scopes) CheckScope(scope);
    for (const StepRun& run : instance_.runs) CheckRun(run);
    if (reasons_.empty()) CheckJoins();
  }

  const Reasons& reasons() const { return reasons_; }
  Mapping TakeMapping() { return std::move(map_); }

 private:
  template <class... Args>
  void Because(fmt::format_string<Args...> format, Args&&... args) {
    reasons_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }
  const std::string& IdOf(StepIndex old) const { return from_.step(old).id; }
  StepIndex To(StepIndex old) const { return map_.steps[old.value]; }
  bool Has(StepIndex old) const { return To(old) != kNoStep; }

  void MapStep(const Step& old, std::string_view id) {
    const Step* found = to_.FindStep(id);
    map_.steps[from_.IndexOf(old).value] = found == nullptr ? kNoStep : to_.IndexOf(*found);
  }
  void ReadPlan(std::string_view plan);
  void CheckDistinct();
  void MapBodies();
  void MapTransitions();
  void CheckScope(const Scope& scope);
  void CheckRun(const StepRun& run);
  void CheckJoins();
  // Of the other version's steps, what tokens of a scope still do.
  struct Course {
    std::vector<bool> sends;    // it sends a token along each of its transitions, live or dead
    std::vector<bool> awaited;  // a token reaches it
  };
  Course CourseOf(const Scope& scope) const;

  const Instance& instance_;
  const Definition& from_;
  const Definition& to_;
  Mapping map_;
  Reasons reasons_;
};

void Migration::ReadPlan(std::string_view plan) {
  if (plan.empty()) return;
  const Result<Value> parsed = ParseJson(plan);
  if (!parsed.has_value() || !parsed->is_object())
    return Because("Expected a plan that maps step ids to step ids but found {}", plan);
  for (const Member& member : parsed->as_object()) {
    const Step* old = from_.FindStep(member.key);
    if (old == nullptr) {
      Because("Expected a step of the present version in the plan but found \"{}\"", member.key);
    } else if (member.value.is_null()) {
      map_.steps[from_.IndexOf(*old).value] = kNoStep;
    } else if (!member.value.is_string() || to_.FindStep(member.value.as_string()) == nullptr) {
      Because("Expected a step of the other version for \"{}\" but found {}", member.key,
              ToJson(member.value));
    } else {
      MapStep(*old, member.value.as_string());
    }
  }
}

// Two steps that become one would mix what each of them did.
void Migration::CheckDistinct() {
  std::vector<StepIndex> taken(to_.steps.size(), kNoStep);
  for (uint32_t i = 0; i < map_.steps.size(); ++i) {
    const StepIndex to = map_.steps[i];
    if (to == kNoStep) continue;
    if (taken[to.value] != kNoStep)
      Because("Expected a step of its own for \"{}\" but found \"{}\", which \"{}\" becomes",
              from_.steps[i].id, to_.step(to).id, IdOf(taken[to.value]));
    taken[to.value] = StepIndex(i);
  }
}

void Migration::MapBodies() {
  map_.bodies.resize(from_.bodies.size(), BodyIndex(kNoIndex));
  map_.bodies[0] = BodyIndex(0);
  for (size_t i = 1; i < from_.bodies.size(); ++i) {
    const StepIndex owner = from_.bodies[i].owner;
    if (owner != kNoStep && Has(owner)) map_.bodies[i] = to_.step(To(owner)).child;
  }
  // A step that is found in another body is not the same step.
  for (size_t i = 0; i < from_.steps.size(); ++i) {
    const StepIndex to = map_.steps[i];
    if (to != kNoStep && to_.step(to).body != map_.bodies[from_.steps[i].body.value])
      map_.steps[i] = kNoStep;
  }
}

void Migration::MapTransitions() {
  map_.transitions.resize(from_.transitions.size(), model::kNoTransition);
  std::vector<bool> used(to_.transitions.size());
  for (size_t i = 0; i < from_.transitions.size(); ++i) {
    const definition::Transition& old = from_.transitions[i];
    for (uint32_t j = 0; j < to_.transitions.size(); ++j) {
      const definition::Transition& other = to_.transitions[j];
      if (used[j] || other.from != To(old.from) || other.to != To(old.to) || other.on != old.on)
        continue;
      used[j] = true;
      map_.transitions[i] = TransitionIndex(j);
      break;
    }
  }
}

void Migration::CheckScope(const Scope& scope) {
  if (map_.bodies[scope.body.value].value == kNoIndex)
    return Because("Expected a place for what runs inside \"{}\" but found none",
                   from_.body(scope.body).id);
  for (const TransitionIndex held : scope.held)
    if (map_.transitions[held.value] == model::kNoTransition)
      Because("Expected the transition from \"{}\" to \"{}\", where a token waits, but found none",
              IdOf(from_.transition(held).from), IdOf(from_.transition(held).to));
  for (const model::HeldStep& held : scope.held_steps)
    if (!Has(held.step))
      Because("Expected a place for \"{}\", which is to start, but found none", IdOf(held.step));
  for (const model::Undo& undo : scope.undo)
    if (!Has(undo.step) || to_.step(To(undo.step)).compensation == kNoStep)
      Because("Expected a compensation for \"{}\", which has completed, but found none",
              IdOf(undo.step));
  for (const model::Arrival& arrival : scope.arrivals)
    if (!Has(arrival.step) || map_.transitions[arrival.transition.value] == model::kNoTransition)
      Because("Expected the transition to the join \"{}\", where a token waits, but found none",
              IdOf(arrival.step));
}

void Migration::CheckRun(const StepRun& run) {
  const Step& old = from_.step(run.step);
  if (!Has(run.step))
    return Because("Expected a place for \"{}\", which runs, but found none in its body", old.id);
  const Step& other = to_.step(To(run.step));
  if (other.kind != old.kind || other.task_type != old.task_type)
    return Because("Expected \"{}\" to be of type {} as \"{}\", which runs, but found {}", other.id,
                   old.task_type, old.id, other.task_type);
  if (old.kind == StepKind::kLoop && other.loop.mode != old.loop.mode)
    Because("Expected the loop \"{}\" to go on as it began but found another kind of loop",
            other.id);
  if (other.handler != old.handler)
    Because("Expected \"{}\" to be {} as \"{}\", which runs, is", other.id,
            old.handler ? "a fallback or a compensation" : "reached by tokens", old.id);
}

Migration::Course Migration::CourseOf(const Scope& scope) const {
  Course course{.sends = std::vector<bool>(to_.steps.size()),
                .awaited = std::vector<bool>(to_.steps.size())};
  std::vector<StepIndex> reached;
  const auto starts = [&](StepIndex step) {
    if (course.sends[step.value]) return;
    course.sends[step.value] = true;
    reached.push_back(step);
  };
  const auto reach = [&](StepIndex step) {
    course.awaited[step.value] = true;
    starts(step);
  };
  // What started them, if it was a join, has used its tokens up.
  for (const StepRun& run : instance_.runs)
    if (run.scope == scope.id) starts(To(run.step));
  for (const model::HeldStep& held : scope.held_steps) starts(To(held.step));
  for (const TransitionIndex held : scope.held)
    reach(to_.transition(map_.transitions[held.value]).to);
  for (const model::Arrival& arrival : scope.arrivals) reach(To(arrival.step));
  // A round of a loop decides its joins itself: what comes by a back edge is of the next one.
  for (size_t at = 0; at < reached.size(); ++at)
    for (const TransitionIndex transition : to_.step(reached[at]).outgoing)
      if (!to_.transition(transition).back_edge) reach(to_.transition(transition).to);
  return course;
}

void Migration::CheckJoins() {
  for (const Scope& scope : instance_.scopes) {
    if (scope.state != model::ScopeState::kOpen) continue;
    if (instance_.queued && scope.slots.empty()) continue;  // it has not begun
    const Course course = CourseOf(scope);
    const auto is_held = [&](TransitionIndex via) {
      return std::ranges::any_of(
          scope.held, [&](TransitionIndex held) { return map_.transitions[held.value] == via; });
    };
    const auto arrived = [&](TransitionIndex via) {
      return is_held(via) ||
             std::ranges::any_of(scope.arrivals, [&](const model::Arrival& arrival) {
               return map_.transitions[arrival.transition.value] == via;
             });
    };
    for (const StepIndex index : to_.body(map_.bodies[scope.body.value]).steps) {
      const Step& join = to_.step(index);
      if (!course.awaited[index.value] || join.incoming.size() < 2) continue;
      for (const TransitionIndex via : join.incoming)
        if (!course.sends[to_.transition(via).from.value] && !arrived(via))
          Because(
              "Expected every token that \"{}\" waits for to come but found that none can come "
              "from \"{}\" any more",
              join.id, to_.step(to_.transition(via).from).id);
    }
  }
}

// The new version's variables that the scope does not have yet get their defaults.
void AddVariables(Turn& turn, const Scope& scope) {
  if (scope.state == model::ScopeState::kClosed) return;
  model::VariablesSet event{scope.id, {}, {}};
  for (const definition::Variable& variable : turn.target->body(scope.body).variables)
    if (std::ranges::find(scope.variables, variable.name, &model::NamedPayload::name) ==
        scope.variables.end())
      event.variables.push_back({variable.name, Payload::FromValue(variable.initial)});
  if (!event.variables.empty()) turn.Emit(std::move(event));
}

}  // namespace

std::optional<Rejection> Migrate(Turn& turn, const model::MigrateInstance& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  if (turn.target == nullptr)
    return Rejection{ErrorCode::kUnknownDefinition,
                     fmt::format("Expected a definition to migrate to but found no {}",
                                 command.definition.value)};
  if (turn.target->name != turn.definition.name)
    return Rejection{ErrorCode::kCannotMigrate,
                     fmt::format("Expected another version of \"{}\" but found \"{}\"",
                                 turn.definition.name, turn.target->name)};
  Migration migration(turn, *turn.target);
  migration.Map(command.plan);
  migration.Check();
  if (!migration.reasons().empty())
    return Rejection{ErrorCode::kCannotMigrate,
                     fmt::format("{}", fmt::join(migration.reasons(), "; "))};
  Mapping map = migration.TakeMapping();
  turn.Emit(model::InstanceMigrated{command.definition, command.plan, std::move(map.steps),
                                    std::move(map.transitions), std::move(map.bodies),
                                    command.reason});
  for (const Scope& scope : turn.instance.scopes) AddVariables(turn, scope);
  return std::nullopt;
}

}  // namespace stele::decide
