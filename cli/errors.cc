// `stele errors`: what goes wrong, how often, and where last.
#include "projections/views/errors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/given.h"
#include "cli/questions.h"
#include "cli/searching.h"
#include "cli/text.h"
#include "engine/definition/faults.h"
#include "engine/requests/definitions.h"
#include "replay/history.h"

namespace stele::cli {

namespace {

using projections::ErrorFilter;

constexpr size_t kMaxKindsNamed = 20;
constexpr size_t kMaxMessageShown = 80;

Result<ErrorFilter> FilterOf(const Arguments& arguments) {
  ErrorFilter filter{.definition = arguments.Get("--definition"),
                     .step = arguments.Get("--step"),
                     .kind = arguments.Get("--kind"),
                     .since = {},
                     .since_text = arguments.Get("--since")};
  if (filter.since_text.empty()) return filter;
  const Result<TimeUs> since = GivenPast(arguments, "--since");
  if (!since.has_value()) return std::unexpected(since.error());
  filter.since = *since;
  return filter;
}

// The step of any version of any definition, or of the one that is named beside it.
Status CheckStep(const ErrorFilter& filter, const model::Registry& registry) {
  std::vector<std::string> steps;
  for (const model::RegisteredDefinition& registered : registry.definitions)
    if (filter.definition.empty() || registered.name == filter.definition)
      for (const definition::Step& step : registered.definition->steps) steps.push_back(step.id);
  if (filter.step.empty() || std::ranges::find(steps, filter.step) != steps.end()) return {};
  const std::string near = definition::Nearest(filter.step, steps);
  return Fail(
      ErrorCode::kUnknownStep,
      fmt::format("Expected a step of {} but found \"{}\"{}",
                  filter.definition.empty() ? "a registered definition"
                                            : fmt::format("\"{}\"", filter.definition),
                  filter.step, near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
}

// An empty answer to a name that nothing has would say that all is well.
Status CheckNames(const ErrorFilter& filter, const Source& source) {
  if (filter.definition.empty() && filter.step.empty()) return {};
  const Result<model::Registry> registry = replay::ReadRegistry(source);
  if (!registry.has_value()) return std::unexpected(registry.error());
  if (!filter.definition.empty())
    if (const auto known = requests::FindDefinition(*registry, filter.definition, 0, false);
        !known.has_value())
      return std::unexpected(known.error());
  return CheckStep(filter, *registry);
}

// Pages until --limit is reached: one page of text, all of them as JSON. The document of all.
Result<Value> FindAllErrors(const Arguments& arguments, Questions& questions,
                            const ErrorFilter& filter) {
  const auto limit = GivenNumber(arguments, "--limit", 1, projections::kMaxPageRows);
  if (!limit.has_value()) return std::unexpected(limit.error());
  const bool all = arguments.Has("--json") && !limit->has_value();
  const auto most = static_cast<size_t>(limit->value_or(projections::kDefaultPageRows));
  Array found;
  std::string cursor = arguments.Get("--cursor");
  for (;;) {
    auto page =
        questions.Errors(filter, all ? projections::kMaxPageRows : most - found.size(), cursor);
    if (!page.has_value()) return page;
    std::ranges::copy(Document(*page)["errors"].items(), std::back_inserter(found));
    cursor = Document(*page)["next"].text();
    if (!cursor.empty() && (all || found.size() < most)) continue;
    return Object{{"position", Document(*page)["position"].whole()},
                  {"errors", std::move(found)},
                  {"next", cursor.empty() ? Value() : Value(cursor)}};
  }
}

// Kinds beyond the first so many of a definition are one row, in which any kind may be.
Result<bool> HasOthers(Questions& questions, const ErrorFilter& filter) {
  const ErrorFilter others{.definition = filter.definition,
                           .step = {},
                           .kind = std::string(projections::kOtherErrors),
                           .since = filter.since,
                           .since_text = filter.since_text};
  std::string cursor;
  do {
    const auto page = questions.Errors(others, 1, cursor);
    if (!page.has_value()) return std::unexpected(page.error());
    if (!Document(*page)["errors"].items().empty()) return true;
    cursor = Document(*page)["next"].text();
  } while (!cursor.empty());
  return false;
}

// Of no kind there need be any: those that there are are named beside the answer.
Status NoteKinds(const Terminal& terminal, Questions& questions, const ErrorFilter& filter) {
  std::set<std::string> kinds;
  std::string cursor;
  do {
    const auto page = questions.Errors({}, projections::kMaxPageRows, cursor);
    if (!page.has_value()) return std::unexpected(page.error());
    for (const Value& row : Document(*page)["errors"].items())
      kinds.insert(Document(row)["error_type"].text());
    cursor = Document(*page)["next"].text();
  } while (!cursor.empty() && kinds.size() <= kMaxKindsNamed);
  if (kinds.contains(filter.kind)) return {};
  if (const Result<bool> others = HasOthers(questions, filter); !others.has_value()) {
    return std::unexpected(others.error());
  } else if (*others) {
    terminal.PrintNote(fmt::format(
        "whether an error of the kind \"{}\" has occurred is not known: beyond the first {} errors "
        "of a definition kinds are not told apart; \"stele errors --kind '{}'\" counts them",
        Clean(filter.kind), projections::kMaxErrorsOfADefinition, projections::kOtherErrors));
    return {};
  }
  std::vector<std::string> names(kinds.begin(), kinds.end());
  const std::string more = names.size() > kMaxKindsNamed ? ", …" : "";
  names.resize(std::min(names.size(), kMaxKindsNamed));
  terminal.PrintNote(fmt::format("no error of the kind \"{}\" has occurred{}{}{}", filter.kind,
                                 names.empty() ? "" : "; there are ", fmt::join(names, ", "),
                                 more));
  return {};
}

std::string ToText(const Terminal& terminal, const Array& errors) {
  std::vector<std::vector<std::string>> rows{
      {"COUNT", "LAST", "DEFINITION", "STEP", "KIND", "INSTANCE", "MESSAGE"}};
  for (const Value& error : errors) {
    const Document row(error);
    const int64_t instance = row["instance"].whole();
    rows.push_back(
        {fmt::format("{}", row["count"].whole()), Time(row["last_occurrence"].time()),
         Clean(row["definition"].text()), row["step"].is_null() ? "-" : Clean(row["step"].text()),
         Clean(row["error_type"].text()), instance == 0 ? "-" : fmt::format("{}", instance),
         Cut(Clean(row["message"].text()), kMaxMessageShown)});
  }
  return Table(terminal, rows);
}

}  // namespace

int ListErrors(const Arguments& arguments, const Terminal& terminal) {
  const Result<ErrorFilter> filter = FilterOf(arguments);
  if (!filter.has_value()) return Refuse(terminal, filter.error());
  const auto questions = AskViews(arguments, terminal, projections::kErrorsView);
  if (!questions.has_value()) return Refuse(terminal, questions.error());
  if (const Status known = CheckNames(*filter, (*questions)->source()); !known.has_value())
    return Refuse(terminal, known.error());
  const Result<Value> found = FindAllErrors(arguments, **questions, *filter);
  if (!found.has_value()) return Refuse(terminal, found.error());
  const Array& errors = Document(*found)["errors"].items();
  if (errors.empty() && !filter->kind.empty())
    if (const Status told = NoteKinds(terminal, **questions, *filter); !told.has_value())
      return Refuse(terminal, told.error());
  if (arguments.Has("--json")) {
    terminal.Print(CleanJson(ToPrettyJson(*found)) + "\n");
    return kExitDone;
  }
  const bool narrowed = !filter->definition.empty() || !filter->step.empty() ||
                        !filter->kind.empty() || filter->since || arguments.Has("--cursor");
  terminal.Print(!errors.empty() ? ToText(terminal, errors)
                 : narrowed      ? "nothing fits\n"
                                 : "nothing has gone wrong\n");
  NoteMore(terminal, Document(*found)["next"].text());
  return kExitDone;
}

}  // namespace stele::cli
