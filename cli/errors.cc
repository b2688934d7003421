// `stele errors`: what goes wrong, how often, and where last.
#include "projections/views/errors.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/given.h"
#include "cli/open_data.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "cli/views.h"

namespace stele::cli {

int ListErrors(const Arguments& arguments, const Terminal& terminal) {
  const auto limit = GivenNumber(arguments, "--limit", 1, projections::kMaxPageRows);
  if (!limit.has_value()) return Refuse(terminal, limit.error());
  projections::ErrorFilter filter{.definition = arguments.Get("--definition"),
                                  .step = arguments.Get("--step"),
                                  .kind = arguments.Get("--kind"),
                                  .since = {}};
  if (arguments.Has("--since")) {
    const Result<TimeUs> since = GivenPast(arguments, "--since");
    if (!since.has_value()) return Refuse(terminal, since.error());
    filter.since = *since;
  }
  const auto asked = AskView(arguments, terminal, projections::kErrorsView);
  if (!asked.has_value()) return Refuse(terminal, asked.error());
  auto page = projections::ListErrors(
      *asked->reader, filter, static_cast<size_t>(limit->value_or(projections::kDefaultPageRows)),
      arguments.Get("--cursor"));
  if (!page.has_value()) return Refuse(terminal, page.error());
  if (const Status read = projections::ReadMessages(*asked->views.store, kShard, *page);
      !read.has_value())
    return Refuse(terminal, read.error());
  std::vector<std::vector<std::string>> rows{
      {"COUNT", "LAST", "DEFINITION", "STEP", "KIND", "INSTANCE", "MESSAGE"}};
  for (const projections::ErrorRow& row : page->errors)
    rows.push_back({fmt::format("{}", std::max(row.count, row.instances)), Time(row.last),
                    Clean(row.definition), row.step.empty() ? "-" : Clean(row.step),
                    Clean(row.kind), row.instance ? fmt::format("{}", row.instance.value) : "-",
                    Cut(Clean(row.message), 80)});
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(projections::ToJson(*page))) + "\n");
    return kExitDone;
  }
  terminal.Print(rows.size() == 1 ? "nothing has gone wrong\n" : Table(rows));
  NoteMore(terminal, page->next);
  return kExitDone;
}

}  // namespace stele::cli
