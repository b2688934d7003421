// `stele active`: what is under way: at which step, for how long, how far.
#include <fmt/format.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "cli/views.h"
#include "projections/views/instance_row.h"

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

std::string WaitsFor(const InstanceRow& row) {
  if (row.waits.empty()) return "";
  const projections::RowWait& first = row.waits[0];
  std::string text = Clean(first.subject.empty() ? first.what : first.subject);
  if (row.waits_open > 1) text += fmt::format(" and {} more", row.waits_open - 1);
  return text;
}

std::vector<std::string> ToText(const InstanceRow& row, TimeUs now) {
  return {fmt::format("{}", row.id.value),
          Clean(row.definition),
          row.status,
          CurrentSteps(row),
          fmt::format("{} %", row.ProgressPercent()),
          Duration(now.value - row.started.value),
          Clean(row.business_key),
          WaitsFor(row)};
}

}  // namespace

int ListActive(const Arguments& arguments, const Terminal& terminal) {
  const TimeUs now = SystemClock().Now();
  auto request = SearchRequestOf(arguments, now);
  if (!request.has_value()) return Refuse(terminal, request.error());
  projections::AddCondition(request->query, "status",
                            {"running", "waiting", "parked", "paused", "queued", "compensating"});
  const auto asked = AskView(arguments, terminal, "instances");
  if (!asked.has_value()) return Refuse(terminal, asked.error());
  const auto found = FindAll<InstanceRow>(arguments, *asked->reader, *request);
  if (!found.has_value()) return Refuse(terminal, found.error());
  std::vector<std::vector<std::string>> rows{
      {"ID", "DEFINITION", "STATUS", "AT", "PROGRESS", "ELAPSED", "KEY", "WAITS FOR"}};
  Array documents;
  for (const InstanceRow& row : found->rows) {
    rows.push_back(ToText(row, now));
    documents.push_back(projections::ToJson(row, now));
  }
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(std::move(documents))) + "\n");
  } else {
    terminal.Print(rows.size() == 1 ? "nothing is under way\n" : Table(rows));
  }
  NoteMore(terminal, found->next);
  return kExitDone;
}

}  // namespace stele::cli
