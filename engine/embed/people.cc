// What people do about their tasks, and which tasks there are.
#include <fmt/format.h>

#include <algorithm>

#include "engine/decide/human_task.h"
#include "engine/embed/core.h"
#include "engine/embed/find_run.h"
#include "replay/history.h"
#include "replay/standing.h"
#include "replay/summary.h"

namespace stele::embed {

namespace {

using model::Command;

// What `make` makes of the run of the task that `step` names.
template <class Make>
auto OfTask(const std::string& step, Make make) {
  return [step, make = std::move(make)](
             const model::Instance& instance,
             const definition::Definition& definition) -> stele::Result<Command> {
    const auto run = FindRun(instance, definition, step,
                             [](const model::StepRun& each) { return each.human != nullptr; });
    if (!run.has_value()) return std::unexpected(run.error());
    return make(**run, definition);
  };
}

template <class T>
auto Hold(const Decision& who) {
  return [who](const model::StepRun& run, const definition::Definition&) -> stele::Result<Command> {
    return T{run.id, who.by, who.comment, who.groups, who.as_operator};
  };
}

bool Has(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

bool IsWanted(const TaskFilter& filter, const model::HumanTask& task) {
  if (filter.person.empty() && filter.groups.empty()) return true;
  if (!filter.person.empty() &&
      (Has(task.assignees, filter.person) || task.claimed_by == filter.person))
    return true;
  return std::ranges::any_of(filter.groups,
                             [&](const std::string& group) { return Has(task.groups, group); });
}

Task ToTask(InstanceId instance, const std::string& definition, const replay::Waiting& waiting) {
  const model::HumanTask& task = *waiting.task;
  return {.instance = instance.value,
          .definition = definition,
          .step = waiting.step,
          .run = waiting.run.value,
          .label = waiting.label,
          .type = waiting.type,
          .title = waiting.title,
          .assignees = task.assignees,
          .groups = task.groups,
          .claimed_by = task.claimed_by,
          .approvals =
              static_cast<uint32_t>(std::ranges::count(task.votes, true, &model::Vote::approved)),
          .min_approvers = task.min_approvers,
          .since_us = waiting.since.value,
          .due_us = waiting.due.value};
}

}  // namespace

Status Engine::Claim(uint64_t instance, const std::string& step, const Decision& who) {
  return core_->Send(instance, OfTask(step, Hold<model::ClaimTask>(who)));
}

Status Engine::Release(uint64_t instance, const std::string& step, const Decision& who) {
  return core_->Send(instance, OfTask(step, Hold<model::ReleaseTask>(who)));
}

Status Engine::Decide(uint64_t instance, const std::string& step, const Decision& decision,
                      bool approved, bool manual) {
  const auto variables = ParseObject(decision.variables, "variables");
  if (!variables.has_value()) return std::unexpected(variables.error());
  const auto decide = [&](const model::StepRun& run,
                          const definition::Definition& definition) -> stele::Result<Command> {
    const std::string& type = definition.step(run.step).task_type;
    if (manual != (type == "manual"))
      return stele::Fail(ErrorCode::kWrongState,
                         fmt::format("Expected {} task \"{}\" but found one of the type \"{}\"",
                                     manual ? "a manual" : "an approval", step, type));
    return model::DecideTask{
        .run = run.id,
        .person = decision.by,
        .approved = approved,
        .comment = decision.comment,
        .variables = variables->has_value() ? Payload::FromValue(**variables) : Payload(),
        .groups = decision.groups,
        .as_operator = decision.as_operator};
  };
  return core_->Send(instance, OfTask(step, decide));
}

Status Engine::Complete(uint64_t instance, const std::string& step, const Decision& decision) {
  return Decide(instance, step, decision, true, true);
}

Status Engine::Approve(uint64_t instance, const std::string& step, const Decision& decision) {
  return Decide(instance, step, decision, true, false);
}

Status Engine::Reject(uint64_t instance, const std::string& step, const Decision& decision) {
  return Decide(instance, step, decision, false, false);
}

Status Engine::FailTask(uint64_t instance, const std::string& step, const Decision& decision,
                        const std::string& kind) {
  const auto fail = [&](const model::StepRun& run,
                        const definition::Definition&) -> stele::Result<Command> {
    if (const auto rejection =
            decide::RejectPerson(*run.human, decision.by, decision.groups, decision.as_operator))
      return std::unexpected(*rejection);
    return model::FailAttempt{
        .run = run.id,
        .attempt = run.attempt,
        .kind = kind,
        .message = decision.comment.empty()
                       ? fmt::format("Failed by {}", decision.by)
                       : fmt::format("Failed by {}: {}", decision.by, decision.comment)};
  };
  return core_->Send(instance, OfTask(step, fail));
}

// The log is read on the caller's thread; the loop goes on meanwhile.
Result<std::vector<Task>> Engine::Tasks(const TaskFilter& filter) {
  const Result<std::vector<Core::Version>> versions = core_->Versions();
  if (!versions.has_value()) return std::unexpected(versions.error());
  const Visit visit(*core_->door());
  if (!visit.entered()) return RefuseStopped();
  const auto all = replay::ListInstances(core_->store(), ShardId());
  if (!all.has_value()) return std::unexpected(ToError(all.error()));
  std::vector<Task> tasks;
  for (const replay::InstanceSummary& summary : *all) {
    if (model::HasEnded(summary.status) || summary.definition.value > versions->size()) continue;
    const auto instance = replay::ReadInstance(core_->store(), ShardId(), summary.id);
    if (!instance.has_value()) return std::unexpected(ToError(instance.error()));
    // It may have moved on since it was listed.
    if (instance->definition.value > versions->size()) continue;
    const Core::Version& version = (*versions)[instance->definition.value - 1];
    if (!filter.definition.empty() && filter.definition != version.name) continue;
    const replay::Standing standing = replay::StandingOf(*instance, *version.definition);
    for (const replay::Waiting& waiting : standing.waits)
      if (waiting.task != nullptr && IsWanted(filter, *waiting.task))
        tasks.push_back(ToTask(summary.id, version.name, waiting));
  }
  return tasks;
}

}  // namespace stele::embed
