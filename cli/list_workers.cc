// `stele workers`: who has done tasks, how many, and when last.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "cli/views.h"
#include "projections/views/workers.h"

namespace stele::cli {

int ListWorkers(const Arguments& arguments, const Terminal& terminal) {
  const auto asked = AskView(arguments, terminal, projections::kWorkersView);
  if (!asked.has_value()) return Refuse(terminal, asked.error());
  const auto list = projections::ListWorkers(*asked->reader);
  if (!list.has_value()) return Refuse(terminal, list.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(projections::ToJson(*list))) + "\n");
    return kExitDone;
  }
  if (list->workers.empty()) {
    terminal.Print("no worker has done a task\n");
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows{{"WORKER", "COMPLETED", "FAILED", "FIRST", "LAST"}};
  for (const projections::WorkerRow& row : list->workers)
    rows.push_back({Clean(row.name), fmt::format("{}", row.completed),
                    fmt::format("{}", row.failed), Time(row.first), Time(row.last)});
  terminal.Print(Table(rows));
  return kExitDone;
}

}  // namespace stele::cli
