// `stele tasks`: what waits for people, in all open instances.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/open_data.h"
#include "cli/text.h"
#include "cli/waiting_text.h"
#include "replay/history.h"
#include "replay/summary.h"

namespace stele::cli {

namespace {

bool Contains(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

bool IsWanted(const Arguments& arguments, const model::HumanTask& task) {
  const std::string person = arguments.Get("--assignee");
  const std::vector<std::string> groups = arguments.All("--group");
  if (person.empty() && groups.empty()) return true;
  if (!person.empty() && (Contains(task.assignees, person) || task.claimed_by == person))
    return true;
  return std::ranges::any_of(
      groups, [&](const std::string& group) { return Contains(task.groups, group); });
}

std::vector<std::string> ToText(InstanceId instance, const std::string& definition,
                                const replay::Waiting& waiting) {
  const model::HumanTask& task = *waiting.task;
  const auto approvals = std::ranges::count(task.votes, true, &model::Vote::approved);
  return {fmt::format("{}", instance.value),
          Clean(definition),
          Clean(waiting.label),
          Clean(waiting.title),
          waiting.type,
          Clean(CandidateList(task)),
          task.claimed_by.empty() ? "-" : Clean(task.claimed_by),
          waiting.type == "approval" ? fmt::format("{}/{}", approvals, task.min_approvers) : "-",
          Time(waiting.due)};
}

}  // namespace

int ListTasks(const Arguments& arguments, const Terminal& terminal) {
  const auto store = OpenForReading(arguments);
  if (!store.has_value()) return Refuse(terminal, store.error());
  const Result<model::Registry> registry = replay::ReadRegistry(**store, kShard);
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  if (arguments.Has("--definition"))
    if (const auto known = FindDefinition(*registry, arguments.Get("--definition"), 0, false);
        !known.has_value())
      return Refuse(terminal, known.error());
  const auto instances = replay::ListInstances(**store, kShard);
  if (!instances.has_value()) return Refuse(terminal, instances.error());

  std::vector<std::vector<std::string>> rows{
      {"ID", "DEFINITION", "STEP", "TITLE", "TYPE", "FOR", "CLAIMED BY", "APPROVALS", "DUE"}};
  Array documents;
  for (const replay::InstanceSummary& summary : *instances) {
    if (model::HasEnded(summary.status)) continue;
    const model::RegisteredDefinition* definition = registry->Find(summary.definition);
    CHECK(definition != nullptr, "no definition {}", summary.definition.value);
    if (arguments.Has("--definition") && definition->name != arguments.Get("--definition"))
      continue;
    const Result<model::Instance> instance = replay::ReadInstance(**store, kShard, summary.id);
    if (!instance.has_value()) return Refuse(terminal, instance.error());
    const replay::Standing standing = replay::StandingOf(*instance, *definition->definition);
    for (const replay::Waiting& waiting : standing.waits) {
      if (waiting.task == nullptr || !IsWanted(arguments, *waiting.task)) continue;
      rows.push_back(ToText(summary.id, definition->name, waiting));
      Value document = WaitingToJson(waiting);
      document.as_object().Set("instance", static_cast<int64_t>(summary.id.value));
      document.as_object().Set("definition", definition->name);
      documents.push_back(std::move(document));
    }
  }
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(std::move(documents))) + "\n");
  } else {
    terminal.Print(rows.size() == 1 ? "nothing waits for people\n" : Table(rows));
  }
  return kExitDone;
}

}  // namespace stele::cli
