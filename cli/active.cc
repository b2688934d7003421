// `stele active`: what is under way: at which step, for how long, how far.
#include <fmt/format.h>

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

// The steps that it is at; those that the row does not name are counted.
std::string CurrentSteps(const InstanceRow& row) {
  if (row.steps.empty()) return "-";
  constexpr size_t kNamed = 3;
  std::string text;
  for (size_t i = 0; i < row.steps.size() && i < kNamed; ++i)
    text += (i == 0 ? "" : ", ") + Clean(row.steps[i].label);
  if (row.steps_open > kNamed) text += fmt::format(" and {} more", row.steps_open - kNamed);
  return text;
}

std::vector<std::string> ToText(const Listed& listed, TimeUs now) {
  const InstanceRow& row = listed.row;
  return {fmt::format("{}", row.id.value),
          Clean(row.definition),
          row.status,
          CurrentSteps(row),
          fmt::format("{} %", row.ProgressPercent()),
          Duration(now.value - row.started.value),
          Clean(row.business_key),
          WaitsText(listed)};
}

// By ELAPSED: none of these has a duration that has ended, and who began first is the longest here.
std::string SortOf(const std::string& sort) {
  if (sort == "duration") return "-started";
  return sort == "-duration" ? "started" : sort;
}

}  // namespace

int ListActive(const Arguments& arguments, const Terminal& terminal) {
  auto request = SearchRequestOf(arguments);
  if (!request.has_value()) return Refuse(terminal, request.error());
  request->sort = SortOf(request->sort);
  const projections::Query query = request->query;
  projections::AddCondition(request->query, "status",
                            {"running", "waiting", "parked", "paused", "queued", "compensating"});
  const auto questions = AskViews(arguments, terminal, "instances");
  if (!questions.has_value()) return Refuse(terminal, questions.error());
  const Result<model::Registry> registry = replay::ReadRegistry((*questions)->source());
  if (!registry.has_value()) return Refuse(terminal, registry.error());
  auto found = FindAll<InstanceRow>(arguments, **questions, *request);
  if (!found.has_value()) return Refuse(terminal, found.error());
  auto listed = LookInto(**questions, *registry, std::move(found->rows));
  if (!listed.has_value()) return Refuse(terminal, listed.error());
  NoteUnknownNames(terminal, query, *registry);
  if (arguments.Has("--json")) {
    const Value page = ToJson(*std::move(listed), **questions, found->next);
    terminal.Print(CleanJson(ToPrettyJson(page)) + "\n");
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows{
      {"ID", "DEFINITION", "STATUS", "AT", "PROGRESS", "ELAPSED", "KEY", "WAITS FOR"}};
  for (const Listed& one : *listed) rows.push_back(ToText(one, (*questions)->now()));
  if (rows.size() == 1) {
    PrintNothing(terminal, query, "nothing is under way", "nothing is under way that fits");
  } else {
    terminal.Print(Table(terminal, rows));
  }
  NoteMore(terminal, found->next);
  return kExitDone;
}

}  // namespace stele::cli
