// Approvals and manual tasks. A decision of one of those who may decide is a cause; an approval is
// over when enough of them agree or one of them objects.
#include "engine/decide/human_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "engine/decide/limits.h"
#include "engine/decide/turn.h"

namespace stele::decide {

namespace {

bool IsApproval(const Turn& turn, const StepRun& run) {
  return turn.StepOf(run).task_type == "approval";
}

// The waiting task, or why the run is none.
std::expected<const StepRun*, Rejection> TaskOf(const Turn& turn, RunId id) {
  if (auto rejection = RejectEnded(turn.instance)) return std::unexpected(*std::move(rejection));
  const StepRun* run = turn.instance.FindRun(id);
  if (run == nullptr) return std::unexpected(NoSuchRun(turn, id));
  if (run->state != RunState::kWaiting || run->human == nullptr)
    return std::unexpected(Rejection{
        ErrorCode::kWrongState,
        fmt::format("Expected run {} to be a task that waits for people but it is not", id.value)});
  return run;
}

// Whether that person may act on the task.
std::optional<Rejection> RejectStranger(const model::HumanTask& task, std::string_view person,
                                        const std::vector<std::string>& groups, bool as_operator) {
  if (person.empty())
    return Rejection{ErrorCode::kInvalidInput, "Expected the name of a person but found none"};
  if (as_operator || (task.assignees.empty() && task.groups.empty())) return std::nullopt;
  const auto is_group = [&](const std::string& group) {
    return std::ranges::find(task.groups, group) != task.groups.end();
  };
  if (std::ranges::find(task.assignees, person) != task.assignees.end() ||
      std::ranges::any_of(groups, is_group))
    return std::nullopt;
  return Rejection{
      ErrorCode::kNotAllowed,
      fmt::format("Expected one of those who may act on the task ({}) but found \"{}\"",
                  CandidatesOf(task), person)};
}

// Everybody counts once. Who has decided can't hold the task either: nobody else could go on with
// it.
std::optional<Rejection> RejectDecided(const model::HumanTask& task, std::string_view person) {
  if (std::ranges::find(task.votes, person, &model::Vote::person) == task.votes.end())
    return std::nullopt;
  return Rejection{
      ErrorCode::kWrongState,
      fmt::format("Expected somebody else but found \"{}\", who has decided already", person)};
}

Object VoteObject(const model::Vote& vote) {
  Object object{{"person", Value(vote.person)}, {"time_us", Value(vote.time.value)}};
  if (!vote.comment.empty()) object.Set("comment", vote.comment);
  return object;
}

// What an approval gives: how it ended, and who said what.
Object OutputOf(const model::HumanTask& task, bool approved) {
  Array approvals;
  Array rejections;
  for (const model::Vote& vote : task.votes)
    (vote.approved ? approvals : rejections).push_back(VoteObject(vote));
  Object output{{"approved", Value(approved)},
                {"status", Value(approved ? "approved" : "rejected")},
                {"approvals", Value(std::move(approvals))},
                {"rejections", Value(std::move(rejections))}};
  if (!task.votes.empty()) {
    output.Set("decided_by", task.votes.back().person);
    output.Set("comment", task.votes.back().comment);
  }
  return output;
}

void AddVariables(Object& output, const Payload& variables) {
  if (!variables.has_value()) return;
  for (const Member& member : variables.value().as_object()) output.Set(member.key, member.value);
}

// What was filled in becomes variables, unless the step says itself what it keeps.
void KeepVariables(Turn& turn, const StepRun& run, const Payload& variables) {
  if (!variables.has_value() || !turn.StepOf(run).outputs.empty()) return;
  std::vector<model::NamedPayload> named;
  for (const Member& member : variables.value().as_object())
    named.push_back({member.key, Payload::FromValue(member.value)});
  if (!named.empty()) SetVariables(turn, run.scope, std::move(named));
}

void EndApproval(Turn& turn, RunId id, bool approved, const Payload& variables) {
  const StepRun& run = *turn.instance.FindRun(id);
  if (!approved && ReadHumanTask(ConfigOf(turn, run)).on_reject == OnRefusal::kFail) {
    const std::string who = run.human->votes.empty() ? "" : run.human->votes.back().person;
    const std::string why = run.human->votes.empty() ? "" : run.human->votes.back().comment;
    return FailRun(turn, id,
                   {"rejected",
                    fmt::format("Rejected{}{}{}{}", who.empty() ? "" : " by ", who,
                                why.empty() ? "" : ": ", why),
                    false});
  }
  Object output;
  AddVariables(output, variables);
  for (Member& member : OutputOf(*run.human, approved)) output.Set(member.key, member.value);
  KeepVariables(turn, run, variables);
  CompleteRun(turn, id, Payload::FromValue(std::move(output)));
}

// Those of the assignees who have not decided yet.
ptrdiff_t Undecided(const model::HumanTask& task) {
  const std::set<std::string_view> people(task.assignees.begin(), task.assignees.end());
  return std::ranges::count_if(people, [&](std::string_view person) {
    return std::ranges::find(task.votes, person, &model::Vote::person) == task.votes.end();
  });
}

// Whether the votes so far decide an approval, and how.
std::optional<bool> DecisionOf(const model::HumanTask& task) {
  const auto approvals = std::ranges::count(task.votes, true, &model::Vote::approved);
  const auto rejections = static_cast<ptrdiff_t>(task.votes.size()) - approvals;
  if (rejections >= (task.veto ? 1 : static_cast<ptrdiff_t>(task.min_approvers))) return false;
  if (approvals >= static_cast<ptrdiff_t>(task.min_approvers)) return true;
  // Nobody else may act, or too few: it cannot be approved any more.
  const bool open = !task.groups.empty() || task.assignees.empty() || task.escalate_at;
  if (!open && approvals + Undecided(task) < static_cast<ptrdiff_t>(task.min_approvers))
    return false;
  return std::nullopt;
}

}  // namespace

std::optional<Rejection> RejectPerson(const model::HumanTask& task, std::string_view person,
                                      const std::vector<std::string>& groups, bool as_operator) {
  if (auto rejection = RejectStranger(task, person, groups, as_operator)) return rejection;
  if (task.claimed_by.empty() || task.claimed_by == person || as_operator) return std::nullopt;
  return Rejection{ErrorCode::kNotAllowed,
                   fmt::format("Expected \"{}\", who has claimed the task, but found \"{}\"",
                               task.claimed_by, person)};
}

std::string CandidatesOf(const model::HumanTask& task) {
  std::string text;
  const auto add = [&](std::string_view kind, const std::string& name) {
    text += fmt::format("{}{}\"{}\"", text.empty() ? "" : ", ", kind, name);
  };
  for (const std::string& person : task.assignees) add("", person);
  for (const std::string& group : task.groups) add("group ", group);
  return text.empty() ? "anybody" : text;
}

void BeginHumanTask(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  const HumanTaskConfig config = ReadHumanTask(ConfigOf(turn, run));
  if (!config.problem.empty()) return FailForGood(turn, id, {"expression", config.problem, false});
  const auto after = [&](int64_t us) { return us == 0 ? TimeUs() : turn.now().Plus(us); };
  const TimeUs due = after(config.deadline_us);
  const TimeUs timeout = run.deadline;
  turn.Emit(model::HumanTaskCreated{.run = id,
                                    .assignees = config.assignees,
                                    .groups = config.groups,
                                    .min_approvers = config.min_approvers,
                                    .due = due && (!timeout || due < timeout) ? due : timeout,
                                    .form = config.form,
                                    .veto = config.veto,
                                    .escalate_at = after(config.escalate_after_us),
                                    .remind_at = after(config.remind_every_us),
                                    .remind_every_us = config.remind_every_us,
                                    .remind_limit = config.remind_limit});
}

std::optional<Rejection> Claim(Turn& turn, const model::ClaimTask& command) {
  const std::expected<const StepRun*, Rejection> run = TaskOf(turn, command.run);
  if (!run.has_value()) return run.error();
  const model::HumanTask& task = *(*run)->human;
  if (auto rejection = RejectStranger(task, command.person, command.groups, command.as_operator))
    return rejection;
  if (auto rejection = RejectDecided(task, command.person)) return rejection;
  if (!task.claimed_by.empty())
    return Rejection{
        ErrorCode::kWrongState,
        fmt::format("Expected a task that nobody has claimed but \"{}\" has", task.claimed_by)};
  turn.Emit(model::HumanTaskClaimed{command.run, command.person, command.comment, command.groups,
                                    command.as_operator});
  return std::nullopt;
}

std::optional<Rejection> Release(Turn& turn, const model::ReleaseTask& command) {
  const std::expected<const StepRun*, Rejection> run = TaskOf(turn, command.run);
  if (!run.has_value()) return run.error();
  const model::HumanTask& task = *(*run)->human;
  if (task.claimed_by.empty())
    return Rejection{ErrorCode::kWrongState, "Expected a task that is claimed but nobody has it"};
  if (task.claimed_by != command.person && !command.as_operator)
    return Rejection{ErrorCode::kNotAllowed,
                     fmt::format("Expected \"{}\", who has claimed the task, but found \"{}\"",
                                 task.claimed_by, command.person)};
  turn.Emit(model::HumanTaskReleased{command.run, command.person, command.comment, command.groups,
                                     command.as_operator});
  return std::nullopt;
}

std::optional<Rejection> Vote(Turn& turn, const model::DecideTask& command) {
  const std::expected<const StepRun*, Rejection> found = TaskOf(turn, command.run);
  if (!found.has_value()) return found.error();
  const StepRun& run = **found;
  const model::HumanTask& task = *run.human;
  if (auto rejection = RejectPerson(task, command.person, command.groups, command.as_operator))
    return rejection;
  if (auto rejection = RejectDocument(command.variables, "a decision's variables"))
    return rejection;
  if (command.variables.has_value() && !command.variables.value().is_object())
    return Rejection{ErrorCode::kInvalidInput,
                     fmt::format("Expected an object of variables but found {}",
                                 KindName(command.variables.value().kind()))};
  if (command.variables.has_value() &&
      command.variables.value().as_object().size() > kMaxVariablesSet)
    return Rejection{ErrorCode::kLimitExceeded,
                     fmt::format("Expected at most {} variables of a decision but found {}",
                                 kMaxVariablesSet, command.variables.value().as_object().size())};
  const bool approval = IsApproval(turn, run);
  if (!approval && !command.approved)
    return Rejection{ErrorCode::kWrongState,
                     "Expected a manual task to be completed or failed but found a rejection"};
  if (auto rejection = RejectDecided(task, command.person)) return rejection;
  turn.Emit(model::HumanTaskDecided{command.run, command.person, command.approved, command.comment,
                                    command.variables, command.groups, command.as_operator});
  if (!approval) {
    KeepVariables(turn, run, command.variables);
    Payload output =
        command.variables.has_value() ? command.variables : Payload::FromValue(Object());
    CompleteRun(turn, command.run, std::move(output));
  } else if (const std::optional<bool> decision = DecisionOf(*run.human)) {
    EndApproval(turn, command.run, *decision, command.variables);
  } else if (run.human->claimed_by == command.person) {
    // Others have to decide, too: the task is free for them.
    turn.Emit(model::HumanTaskReleased{command.run, command.person, "", command.groups,
                                       command.as_operator});
  }
  return std::nullopt;
}

void Escalate(Turn& turn, RunId id) {
  const HumanTaskConfig config = ReadHumanTask(ConfigOf(turn, *turn.instance.FindRun(id)));
  turn.Emit(model::HumanTaskEscalated{id, config.escalation_assignees, config.escalation_groups});
  const StepRun& run = *turn.instance.FindRun(id);
  // Nobody may have come to those who were too few.
  if (!IsApproval(turn, run) || run.human->votes.empty()) return;
  if (const std::optional<bool> decision = DecisionOf(*run.human))
    EndApproval(turn, id, *decision, Payload());
}

void Remind(Turn& turn, RunId id) {
  const model::HumanTask& task = *turn.instance.FindRun(id)->human;
  const uint32_t count = task.reminders + 1;
  const TimeUs next = count < task.remind_limit ? turn.now().Plus(task.remind_every_us) : TimeUs();
  turn.Emit(model::HumanTaskReminded{id, count, next});
}

void ExpireHumanTask(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  switch (ReadHumanTask(ConfigOf(turn, run)).on_deadline) {
    case OnDeadline::kFail:
      return FailRun(turn, id, {"timeout", "Nobody has decided before the deadline", true});
    case OnDeadline::kApprove:
      return EndApproval(turn, id, true, Payload());
    case OnDeadline::kReject:
      return EndApproval(turn, id, false, Payload());
  }
}

}  // namespace stele::decide
