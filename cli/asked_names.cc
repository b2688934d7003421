#include "cli/asked_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/open_data.h"
#include "engine/definition/faults.h"
#include "engine/requests/definitions.h"

namespace stele::cli {

namespace {

bool IsLookedUp(const projections::Condition& condition) {
  return condition.op == projections::Operator::kMatch &&
         (condition.field == "definition" || condition.field == "step");
}

std::vector<std::string> NamesOf(const model::Registry& registry, bool steps) {
  std::vector<std::string> names;
  for (const model::RegisteredDefinition& registered : registry.definitions) {
    // There is none of a definition that the caller may not see.
    if (!steps && !registered.name.empty()) names.push_back(registered.name);
    for (const definition::Step& step : registered.definition->steps)
      if (steps) names.push_back(step.id);
  }
  return names;
}

}  // namespace

Status CheckDefinitions(const Arguments& arguments, const model::Registry& registry) {
  for (const std::string& name : arguments.All("--definition"))
    if (const auto found = requests::FindDefinition(registry, name, 0, false); !found.has_value())
      return std::unexpected(found.error());
  return {};
}

void NoteUnknownName(const Terminal& terminal, std::string_view what, const std::string& name,
                     const std::vector<std::string>& known) {
  if (name.empty() || std::ranges::find(known, name) != known.end()) return;
  const std::string near = definition::Nearest(name, known);
  terminal.PrintNote(
      fmt::format("no {} is called {}{}", what, definition::Quote(name),
                  near.empty() ? "" : fmt::format("; did you mean {}?", definition::Quote(near))));
}

bool AsksForNames(const projections::Query& query) {
  return std::ranges::any_of(query.conditions, IsLookedUp);
}

void NoteUnknownNames(const Terminal& terminal, const projections::Query& query,
                      const model::Registry& registry) {
  for (const projections::Condition& condition : query.conditions) {
    if (!IsLookedUp(condition)) continue;
    const bool steps = condition.field == "step";
    const std::vector<std::string> names = NamesOf(registry, steps);
    for (const projections::QueryValue& value : condition.values)
      if (!value.prefix)
        NoteUnknownName(terminal, steps ? "step of a definition" : "definition", value.text, names);
  }
}

}  // namespace stele::cli
