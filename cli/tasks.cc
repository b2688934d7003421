// `stele tasks`: what waits, or has waited, for people.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/asked_names.h"
#include "cli/commands.h"
#include "cli/questions.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "cli/waiting_text.h"
#include "projections/views/task_row.h"
#include "replay/history.h"

namespace stele::cli {

namespace {

using projections::TaskRow;

std::vector<std::string> ToText(const TaskRow& task) {
  const auto approvals = std::ranges::count(task.votes, true, &projections::RowVote::approved);
  return {fmt::format("{}", task.instance.value),
          Clean(task.definition),
          Clean(task.label),
          Clean(task.title),
          task.type,
          task.state,
          Clean(CandidateList(task.assignees, task.groups)),
          task.claimed_by.empty() ? "-" : Clean(task.claimed_by),
          task.type == "approval" ? fmt::format("{}/{}", approvals, task.min_approvers) : "-",
          Time(task.due)};
}

// For the person, or for one of the groups.
std::vector<std::string> WhomFor(const Arguments& arguments) {
  std::vector<std::string> whom = arguments.All("--assignee");
  for (const std::string& group : arguments.All("--group")) whom.push_back("@" + group);
  return whom;
}

// Open ones, unless the query says which.
Result<projections::SearchRequest> RequestOf(const Arguments& arguments) {
  auto request = SearchRequestOf(arguments);
  if (!request.has_value()) return request;
  AddCondition(request->query, "definition", arguments.All("--definition"));
  AddCondition(request->query, "for", WhomFor(arguments));
  const auto& conditions = request->query.conditions;
  if (std::ranges::find(conditions, "state", &projections::Condition::field) == conditions.end())
    AddCondition(request->query, "state", {"open", "claimed"});
  return request;
}

}  // namespace

int ListTasks(const Arguments& arguments, const Terminal& terminal) {
  const auto request = RequestOf(arguments);
  if (!request.has_value()) return Refuse(terminal, request.error());
  const auto questions = AskViews(arguments, terminal, "tasks");
  if (!questions.has_value()) return Refuse(terminal, questions.error());
  if (AsksForNames(request->query)) {
    const Result<model::Registry> registry = replay::ReadRegistry((*questions)->source());
    if (!registry.has_value()) return Refuse(terminal, registry.error());
    if (const Status known = CheckDefinitions(arguments, *registry); !known.has_value())
      return Refuse(terminal, known.error());
    NoteUnknownNames(terminal, request->query, *registry);
  }
  const auto found = FindAll<TaskRow>(arguments, **questions, *request);
  if (!found.has_value()) return Refuse(terminal, found.error());

  if (arguments.Has("--json")) {
    Array documents;
    for (const TaskRow& task : found->rows) documents.push_back(projections::ToJson(task));
    const Value page =
        PageToJson((*questions)->position(), "tasks", std::move(documents), found->next);
    terminal.Print(CleanJson(ToPrettyJson(page)) + "\n");
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows{{"ID", "DEFINITION", "STEP", "TITLE", "TYPE", "STATE",
                                              "FOR", "CLAIMED BY", "APPROVALS", "DUE"}};
  for (const TaskRow& task : found->rows) rows.push_back(ToText(task));
  if (rows.size() > 1) {
    terminal.Print(Table(terminal, rows));
  } else {
    // Of its own accord it asks for those that are open.
    const bool narrowed = request->query.conditions.size() > 1 || !arguments.operands().empty();
    PrintNothing(terminal, narrowed ? request->query : projections::Query(),
                 "nothing waits for people");
  }
  NoteMore(terminal, found->next);
  return kExitDone;
}

}  // namespace stele::cli
