// `stele projections`: the views, building them anew, comparing them with the log.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "cli/views.h"

namespace stele::cli {

namespace {

using projections::Comparison;
using projections::ViewState;

Object ToJson(const ViewState& state) {
  return {{"view", state.name},
          {"version", static_cast<int64_t>(state.version)},
          {"serves", state.serves},
          {"position", static_cast<int64_t>(state.position.value)},
          {"behind", static_cast<int64_t>(state.lag)},
          {"building", state.building ? Value(static_cast<int64_t>(state.built.value)) : Value()}};
}

void PrintStates(const Arguments& arguments, const Terminal& terminal,
                 const std::vector<ViewState>& states) {
  std::vector<std::vector<std::string>> rows{
      {"VIEW", "VERSION", "POSITION", "BEHIND", "BEING BUILT"}};
  Array documents;
  for (const ViewState& state : states) {
    documents.push_back(ToJson(state));
    rows.push_back({state.name, fmt::format("{}", state.version),
                    state.serves ? fmt::format("{}", state.position.value) : "-",
                    fmt::format("{}", state.lag),
                    state.building ? fmt::format("at {}", state.built.value) : "-"});
  }
  terminal.Print(arguments.Has("--json") ? ToPrettyJson(std::move(documents)) + "\n"
                                         : Table(terminal, rows));
}

// The views that the operand names; all without one.
std::vector<std::string> NamesOf(const Arguments& arguments, const OpenedViews& views) {
  if (!arguments.operands().empty()) return arguments.operands();
  std::vector<std::string> names;
  for (const ViewState& state : views.projector->States()) names.push_back(state.name);
  return names;
}

Object ToJson(const std::string& name, const Comparison& comparison) {
  Array examples;
  for (const std::string& example : comparison.examples) examples.emplace_back(example);
  return {{"view", name},
          {"position", static_cast<int64_t>(comparison.position.value)},
          {"equal", static_cast<int64_t>(comparison.keys)},
          {"differing", static_cast<int64_t>(comparison.differing)},
          {"examples", std::move(examples)}};
}

void PrintComparison(const Terminal& terminal, const std::string& name,
                     const Comparison& comparison) {
  terminal.Print(fmt::format(
      "{}: {} {} at position {}, {}\n", name, Count(comparison.keys, "key"),
      comparison.keys == 1 ? "is equal" : "are equal", comparison.position.value,
      comparison.differing == 0
          ? "none differs"
          : terminal.Paint(Colour::kRed, Count(comparison.differing, "key") + " differ")));
  for (const std::string& example : comparison.examples)
    terminal.Print(fmt::format("  {}\n", Clean(example)));
}

}  // namespace

int ListProjections(const Arguments& arguments, const Terminal& terminal) {
  const auto views = OpenViews(arguments, terminal);
  if (!views.has_value()) return Refuse(terminal, views.error());
  PrintStates(arguments, terminal, views->projector->States());
  return kExitDone;
}

int RebuildProjections(const Arguments& arguments, const Terminal& terminal) {
  const auto views = OpenViews(arguments, terminal);
  if (!views.has_value()) return Refuse(terminal, views.error());
  if (const Status begun = views->projector->Rebuild(arguments.operands()); !begun.has_value())
    return Refuse(terminal, begun.error());
  const Status built = views->projector->CatchUp(ShowProgress(terminal, "building"));
  EndProgress(terminal);
  if (!built.has_value()) return Refuse(terminal, built.error());
  PrintStates(arguments, terminal, views->projector->States());
  return kExitDone;
}

int VerifyProjections(const Arguments& arguments, const Terminal& terminal) {
  const auto views = OpenViews(arguments, terminal);
  if (!views.has_value()) return Refuse(terminal, views.error());
  const Status caught_up = views->projector->CatchUp(ShowProgress(terminal, "reading the log"));
  EndProgress(terminal);
  if (!caught_up.has_value()) return Refuse(terminal, caught_up.error());
  int code = kExitDone;
  Array documents;
  for (const std::string& name : NamesOf(arguments, *views)) {
    const Result<Comparison> found =
        views->projector->Verify(name, ShowProgress(terminal, "building " + name));
    EndProgress(terminal);
    if (!found.has_value()) return Refuse(terminal, found.error());
    if (found->differing > 0) code = kExitFailed;
    if (arguments.Has("--json")) {
      documents.push_back(ToJson(name, *found));
    } else {
      PrintComparison(terminal, name, *found);
    }
  }
  if (arguments.Has("--json")) terminal.Print(ToPrettyJson(std::move(documents)) + "\n");
  return code;
}

}  // namespace stele::cli
