// `stele list`: the instances of a data directory that fit a query.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>

#include "base/json.h"
#include "cli/asked_names.h"
#include "cli/commands.h"
#include "cli/listed.h"
#include "cli/questions.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "replay/history.h"

namespace stele::cli {

namespace {

using projections::InstanceRow;

constexpr std::array<std::string_view, 10> kStatuses = {
    "running", "waiting",   "parked",    "paused",     "queued",
    "failed",  "completed", "cancelled", "terminated", "compensating"};

// "--status a,b" is both, as in a query.
std::vector<std::string> StatusesOf(const Arguments& arguments) {
  std::vector<std::string> statuses;
  for (const std::string& word : arguments.All("--status"))
    for (const auto part : std::views::split(word, ','))
      statuses.emplace_back(part.begin(), part.end());
  return statuses;
}

Status CheckStatuses(const Arguments& arguments) {
  for (const std::string& status : StatusesOf(arguments))
    if (std::ranges::find(kStatuses, status) == kStatuses.end())
      return Fail(
          ErrorCode::kUsage,
          fmt::format("Expected a status for --status but found \"{}\"; \"stele help list\" "
                      "names them",
                      status));
  return {};
}

// Nobody has the log open, so that no worker has a task: what a view takes to be under way may wait
// for one.
std::vector<std::string> StatusesInTheView(std::vector<std::string> statuses) {
  const bool waiting = std::ranges::find(statuses, "waiting") != statuses.end();
  if (waiting && std::ranges::find(statuses, "running") == statuses.end())
    statuses.emplace_back("running");
  return statuses;
}

std::vector<std::string> ToText(const Listed& listed) {
  const InstanceRow& row = listed.row;
  return {fmt::format("{}", row.id.value),
          Clean(row.definition),
          row.status,
          Time(row.started),
          Time(row.ended),
          fmt::format("{}", row.steps_completed),
          Clean(row.business_key),
          WaitsText(listed)};
}

Result<projections::SearchRequest> RequestOf(const Arguments& arguments) {
  auto request = SearchRequestOf(arguments);
  if (!request.has_value()) return request;
  AddCondition(request->query, "status", StatusesInTheView(StatusesOf(arguments)));
  AddCondition(request->query, "definition", arguments.All("--definition"));
  AddCondition(request->query, "key", arguments.All("--business-key"));
  for (const std::string& tag : arguments.All("--tag")) AddCondition(request->query, "tag", {tag});
  return request;
}

// A view takes to be under way what may wait for a worker.
void KeepStatuses(const std::vector<std::string>& statuses, std::vector<Listed>& listed) {
  std::erase_if(listed, [&](const Listed& one) {
    return !statuses.empty() && std::ranges::find(statuses, one.row.status) == statuses.end();
  });
}

}  // namespace

int List(const Arguments& arguments, const Terminal& terminal) {
  if (const Status known = CheckStatuses(arguments); !known.has_value())
    return Refuse(terminal, known.error());
  auto request = RequestOf(arguments);
  if (!request.has_value()) return Refuse(terminal, request.error());
  const auto questions = AskViews(arguments, terminal, "instances");
  if (!questions.has_value()) return Refuse(terminal, questions.error());
  const Result<model::Registry> registry = replay::ReadRegistry((*questions)->source());
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  if (const Status known = CheckDefinitions(arguments, *registry); !known.has_value())
    return Refuse(terminal, known.error());
  auto found = FindAll<InstanceRow>(arguments, **questions, *request);
  if (!found.has_value()) return Refuse(terminal, found.error());
  auto listed = LookInto(**questions, *registry, std::move(found->rows));
  if (!listed.has_value()) return Refuse(terminal, listed.error());
  KeepStatuses(StatusesOf(arguments), *listed);
  NoteUnknownNames(terminal, request->query, *registry);

  if (arguments.Has("--json")) {
    const Value page = ToJson(*std::move(listed), **questions, found->next);
    terminal.Print(CleanJson(ToPrettyJson(page)) + "\n");
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows{
      {"ID", "DEFINITION", "STATUS", "STARTED", "ENDED", "STEPS DONE", "KEY", "WAITS FOR"}};
  for (const Listed& one : *listed) rows.push_back(ToText(one));
  if (rows.size() == 1) {
    PrintNothing(terminal, request->query, "nothing has been started");
  } else {
    terminal.Print(Table(terminal, rows));
  }
  NoteMore(terminal, found->next);
  return kExitDone;
}

}  // namespace stele::cli
