// `stele workers`: who has done tasks, how many, and when last.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/questions.h"
#include "cli/text.h"
#include "projections/views/workers.h"

namespace stele::cli {

int ListWorkers(const Arguments& arguments, const Terminal& terminal) {
  const auto questions = AskViews(arguments, terminal, projections::kWorkersView);
  if (!questions.has_value()) return Refuse(terminal, questions.error());
  const auto list = (*questions)->Workers();
  if (!list.has_value()) return Refuse(terminal, list.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(*list)) + "\n");
    return kExitDone;
  }
  const Array& workers = Document(*list)["workers"].items();
  if (workers.empty()) {
    terminal.Print("no worker has done a task\n");
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows{{"WORKER", "COMPLETED", "FAILED", "FIRST", "LAST"}};
  for (const Value& worker : workers) {
    const Document row(worker);
    rows.push_back({Clean(row["name"].text()), fmt::format("{}", row["completed"].whole()),
                    fmt::format("{}", row["failed"].whole()), Time(row["first"].time()),
                    Time(row["last"].time())});
  }
  terminal.Print(Table(rows));
  return kExitDone;
}

}  // namespace stele::cli
