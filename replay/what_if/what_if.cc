#include "replay/what_if/what_if.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/definition/canonical.h"
#include "engine/model/event_json.h"
#include "replay/json_patch.h"
#include "replay/past_state.h"
#include "replay/standing.h"
#include "replay/state_json.h"
#include "replay/to_json.h"
#include "replay/what_if/recorded_course.h"

namespace stele::replay {

namespace {

using model::Registry;

// Refused as a request is.
Status Refused(const std::optional<Rejection>& rejection) {
  if (rejection.has_value()) return std::unexpected<Error>(*rejection);
  return {};
}

Status Change(const WhatIf& what_if, const Registry& registry, Simulation& simulation,
              WhatIfReport& report) {
  if (what_if.definition) {
    const model::RegisteredDefinition* target = registry.Find(what_if.definition);
    if (target != nullptr) {
      STELE_RETURN_IF_ERROR(CheckMayBeRead(*target));
      report.to_version = target->version;
    }
    STELE_RETURN_IF_ERROR(
        Refused(simulation.Change(model::MigrateInstance{what_if.definition, what_if.plan, {}})));
  }
  if (what_if.variables != nullptr) {
    auto variables = what_if.variables(simulation.definition());
    if (!variables.has_value()) return std::unexpected(variables.error());
    report.sets = *std::move(variables);
    report.unknown = UnknownOf(report.sets, simulation.state(), simulation.definition());
    if (!report.sets.empty())
      STELE_RETURN_IF_ERROR(
          Refused(simulation.Change(model::AssignVariables{ScopeId(), report.sets, {}})));
  }
  return CheckStubs(what_if.stubs, simulation.definition());
}

CourseOutcome OutcomeOf(const model::Instance& instance, const definition::Definition& definition,
                        TimeUs time) {
  const Standing standing = StandingOf(instance, definition);
  return {.status = StatusWord(instance, standing),
          .seq = instance.seq,
          .time = time,
          .output = instance.output,
          .failure = FailureOf(instance),
          .waiting_for = StandingToJson(standing)};
}

// What the patch between two ends does not tell: where their last events stand.
Object EndState(const model::Instance& instance, const definition::Definition& definition) {
  Object state = StateToJson(instance, definition);
  state.Erase("seq");
  state.Erase("position");
  return state;
}

std::vector<Unanswered> UnansweredIn(const Simulation& simulation) {
  std::vector<Unanswered> list;
  const definition::Definition& definition = simulation.definition();
  for (const model::StepRun& run : simulation.state().runs) {
    const definition::Step& step = definition.step(run.step);
    if (run.state == model::RunState::kAttempt && step.kind == definition::StepKind::kTask)
      list.push_back({step.id, LabelOf(simulation.state(), definition, run), step.task_type, run.id,
                      run.attempt});
  }
  return list;
}

void AddUnused(const RecordedCourse& course, const Simulation& simulation, WhatIfReport& report) {
  report.unused = simulation.left_over().size();
  for (const LeftOver& left : simulation.left_over()) {
    if (report.unused_causes.size() == kMaxShownLeftOver) return;
    const CourseRecord& record = course.records()[left.record];
    const model::Event cause = course.EventsOf(left.record).front();
    report.unused_causes.push_back(
        {{record.first, record.context.time, model::EventToJson(cause).as_object()}, left.why});
  }
}

Result<Seq> AskedEvent(const Source& source, const Registry& registry, const WhatIf& what_if) {
  if (!what_if.at.time) return what_if.at.seq;
  const auto machine = TimeMachine::Open(source, what_if.instance, registry);
  if (!machine.has_value()) return std::unexpected(machine.error());
  return (*machine)->SeqAt(what_if.at.time);
}

}  // namespace

Result<WhatIfReport> AskWhatIf(const Source& source, const Registry& registry,
                               const WhatIf& what_if) {
  const Result<Seq> asked = AskedEvent(source, registry, what_if);
  if (!asked.has_value()) return std::unexpected(asked.error());
  const auto course = RecordedCourse::Read(source, registry, what_if.instance, *asked,
                                           what_if.limits.recorded_bytes);
  if (!course.has_value()) return std::unexpected(course.error());
  const RecordedCourse& recorded = **course;
  const model::Instance& parted = recorded.parted();
  const model::RegisteredDefinition& runs = *registry.Find(parted.definition);
  WhatIfReport report{.instance = what_if.instance,
                      .asked = *asked,
                      .at = parted.seq,
                      .position = parted.position,
                      .time = recorded.parted_time(),
                      .definition = runs.name,
                      .version = runs.version,
                      .stubs = what_if.stubs};
  Simulation simulation(recorded, registry, report.stubs, what_if.limits);
  STELE_RETURN_IF_ERROR(Change(what_if, registry, simulation, report));
  simulation.Run();

  report.followed = simulation.path().followed();
  report.beyond = simulation.path().beyond();
  report.parting = simulation.path().parting();
  report.results = simulation.results();
  report.applied = simulation.applied();
  AddUnused(recorded, simulation, report);
  report.steps = CompareSteps({recorded.timeline(), recorded.names()},
                              {simulation.timeline(), simulation.names()});
  report.unanswered = UnansweredIn(simulation);
  report.recorded = OutcomeOf(recorded.end(), recorded.end_definition(), recorded.end_time());
  report.now = OutcomeOf(simulation.state(), simulation.definition(), simulation.now());
  report.end = simulation.end();
  const Value from = EndState(recorded.end(), recorded.end_definition());
  const Value to = EndState(simulation.state(), simulation.definition());
  report.changes = ChangesToJson(DifferencesBetween(from, to));
  report.patch = PatchBetween(from, to);
  return report;
}

std::vector<std::string> UnknownOf(const std::vector<model::NamedPayload>& sets,
                                   const model::Instance& instance,
                                   const definition::Definition& definition) {
  const std::vector<definition::Variable>& declared = definition.bodies[0].variables;
  std::vector<std::string> unknown;
  for (const model::NamedPayload& set : sets) {
    const bool is_declared =
        std::ranges::find(declared, set.name, &definition::Variable::name) != declared.end();
    const auto has = [&](const model::Scope& root) {
      return std::ranges::find(root.variables, set.name, &model::NamedPayload::name) !=
             root.variables.end();
    };
    if (!is_declared && (instance.scopes.empty() || !has(instance.scopes[0])))
      unknown.push_back(set.name);
  }
  return unknown;
}

DefinitionId IdOf(Registry& registry,
                  const std::shared_ptr<const definition::Definition>& definition) {
  std::string canonical = definition::WriteCanonical(*definition);
  for (const model::RegisteredDefinition& registered : registry.definitions)
    if (registered.name == definition->name && registered.canonical == canonical)
      return registered.id;
  const DefinitionId id(static_cast<uint32_t>(registry.definitions.size() + 1));
  const model::RegisteredDefinition* latest = registry.Latest(definition->name);
  registry.definitions.push_back({.id = id,
                                  .name = definition->name,
                                  .version = latest == nullptr ? 1 : latest->version + 1,
                                  .canonical = std::move(canonical),
                                  .definition = definition});
  return id;
}

}  // namespace stele::replay
