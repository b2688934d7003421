// `stele projections`: the views, building them anew, comparing them with the log.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/open_data.h"
#include "cli/questions.h"
#include "cli/remote/maintenance.h"
#include "cli/remote/server_option.h"
#include "cli/text.h"
#include "cli/views.h"
#include "projections/all_views.h"
#include "projections/current_view.h"
#include "projections/view_state.h"
#include "server/operations/reports.h"

namespace stele::cli {

namespace {

using projections::Comparison;
using projections::ViewState;

void PrintStates(const Arguments& arguments, const Terminal& terminal,
                 const std::vector<ViewState>& states) {
  std::vector<std::vector<std::string>> rows{
      {"VIEW", "VERSION", "POSITION", "BEHIND", "BEING BUILT"}};
  Array documents;
  for (const ViewState& state : states) {
    documents.push_back(projections::ToJson(state));
    rows.push_back({state.name, fmt::format("{}", state.version),
                    state.serves ? fmt::format("{}", state.position.value) : "-",
                    fmt::format("{}", state.lag),
                    state.building ? fmt::format("at {}", state.built.value) : "-"});
  }
  terminal.Print(arguments.Has("--json") ? ToPrettyJson(std::move(documents)) + "\n"
                                         : Table(terminal, rows));
}

void PrintComparison(const Terminal& terminal, const Document& compared) {
  const auto equal = static_cast<uint64_t>(compared["equal"].whole());
  const auto differing = static_cast<uint64_t>(compared["differing"].whole());
  terminal.Print(fmt::format(
      "{}: {} {} at position {}, {}\n", Clean(compared["view"].text()), Count(equal, "key"),
      equal == 1 ? "is equal" : "are equal", compared["position"].whole(),
      differing == 0 ? "none differs"
                     : terminal.Paint(Colour::kRed, Count(differing, "key") + " differ")));
  for (const Value& example : compared["examples"].items())
    terminal.Print(fmt::format("  {}\n", Clean(Document(example).text())));
}

int ReportComparisons(const Arguments& arguments, const Terminal& terminal, const Value& found) {
  int code = kExitDone;
  for (const Value& each : Document(found).items()) {
    const Document compared(each);
    if (compared["differing"].whole() > 0) code = kExitFailed;
    if (!arguments.Has("--json")) PrintComparison(terminal, compared);
  }
  if (arguments.Has("--json")) terminal.Print(ToPrettyJson(found) + "\n");
  return code;
}

// A view's name, and what comparing it found.
using Compared = std::pair<std::string, Comparison>;

// The views that the operands name, all without one, read without changing them. Nothing when one
// of them is not at the end of the log.
Result<std::vector<Compared>> CompareCurrent(const eventstore::EventStore& store,
                                             const Arguments& arguments, const Terminal& terminal) {
  const auto& names = arguments.operands();
  std::vector<projections::MakeView> kinds;
  for (const projections::MakeView& make : projections::AllViews())
    if (names.empty() || std::ranges::find(names, make()->name()) != names.end())
      kinds.push_back(make);
  std::vector<Compared> compared;
  for (const projections::MakeView& make : kinds) {
    const std::string name(make()->name());
    const auto current = projections::CurrentView::Find(store, kShard, ViewsPath(arguments),
                                                        projections::AllViews(), name);
    if (current == nullptr) return std::vector<Compared>();
    Result<Comparison> found =
        projections::CompareWithLog(store, kShard, ViewsPath(arguments), make, current->Read(),
                                    ShowProgress(terminal, "building " + name));
    EndProgress(terminal);
    if (!found.has_value()) return std::unexpected(found.error());
    compared.emplace_back(name, *std::move(found));
  }
  return compared;
}

// The same, after bringing the views up to the end of the log.
Result<std::vector<Compared>> CompareAll(const OpenedViews& views, const Arguments& arguments,
                                         const Terminal& terminal) {
  const Status caught_up = views.projector->CatchUp(ShowProgress(terminal, "reading the log"));
  EndProgress(terminal);
  if (!caught_up.has_value()) return std::unexpected(caught_up.error());
  std::vector<std::string> names = arguments.operands();
  if (names.empty())
    for (const ViewState& state : views.projector->States()) names.push_back(state.name);
  std::vector<Compared> compared;
  for (const std::string& name : names) {
    Result<Comparison> found =
        views.projector->Verify(name, ShowProgress(terminal, "building " + name));
    EndProgress(terminal);
    if (!found.has_value()) return std::unexpected(found.error());
    compared.emplace_back(name, *std::move(found));
  }
  return compared;
}

}  // namespace

int ListProjections(const Arguments& arguments, const Terminal& terminal) {
  if (IsForServer(arguments)) {
    const auto states = ReadServerStates(arguments);
    if (!states.has_value()) return Refuse(terminal, states.error());
    PrintStates(arguments, terminal, *states);
    return kExitDone;
  }
  auto store = OpenForReading(arguments);
  if (!store.has_value()) return Refuse(terminal, store.error());
  if (const auto states =
          projections::ReadStates(**store, kShard, ViewsPath(arguments), projections::AllViews())) {
    PrintStates(arguments, terminal, *states);
    return kExitDone;
  }
  const auto views = OpenViewsOf(*std::move(store), arguments, terminal);
  if (!views.has_value()) return Refuse(terminal, views.error());
  PrintStates(arguments, terminal, views->projector->States());
  return kExitDone;
}

int RebuildProjections(const Arguments& arguments, const Terminal& terminal) {
  if (IsForServer(arguments)) {
    const Status built = RebuildViewsAtServer(arguments, terminal);
    return built.has_value() ? ListProjections(arguments, terminal)
                             : Refuse(terminal, built.error());
  }
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
  if (IsForServer(arguments)) {
    const auto compared = CompareViewsAtServer(arguments, terminal);
    return compared.has_value() ? ReportComparisons(arguments, terminal, *compared)
                                : Refuse(terminal, compared.error());
  }
  auto store = OpenForReading(arguments);
  if (!store.has_value()) return Refuse(terminal, store.error());
  Result<std::vector<Compared>> found = CompareCurrent(**store, arguments, terminal);
  if (found.has_value() && found->empty()) {
    const auto views = OpenViewsOf(*std::move(store), arguments, terminal);
    if (!views.has_value()) return Refuse(terminal, views.error());
    found = CompareAll(*views, arguments, terminal);
  }
  if (!found.has_value()) return Refuse(terminal, found.error());
  Array documents;
  for (const auto& [name, comparison] : *found)
    documents.push_back(server::ToJson(name, comparison));
  return ReportComparisons(arguments, terminal, std::move(documents));
}

}  // namespace stele::cli
