// The scopes of a frame: variables, inputs, outputs, the run, the event, the whole state.
#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/json_pointer.h"
#include "cli/dap/view.h"
#include "cli/text.h"
#include "replay/json_patch.h"

namespace stele::cli::dap {
namespace {

const Value* At(const Value& document, std::string_view pointer) {
  const auto keys = PointerKeys(pointer);
  return keys ? ValueAt(document, *keys) : nullptr;
}

}  // namespace

Result<const Value*> View::State() {
  if (state_ != nullptr) return state_;
  Result<Object> found = debugger_.StateAt(debugger_.from());
  if (!found.has_value()) return std::unexpected(found.error());
  Value before(*std::move(found));
  found = debugger_.State();
  if (!found.has_value()) return std::unexpected(found.error());
  state_ = variables_.Keep(*std::move(found));
  const Array changes = replay::PatchBetween(before, *state_);
  variables_.Mark(ChangeMarks(std::move(before), changes));
  return state_;
}

// Pointers to that scope and those around it, the root's last: "/scopes/2", "".
std::vector<std::string> View::Around(ScopeId scope) const {
  std::vector<std::string> around;
  while (scope != ScopeId()) {
    const std::string pointer = fmt::format("/scopes/{}", scope.value);
    const Value* found = At(*state_, pointer);
    if (found == nullptr) break;
    around.push_back(pointer);
    const Value* parent = found->Find("parent");
    scope = ScopeId(parent == nullptr ? 0 : static_cast<uint32_t>(parent->as_int()));
  }
  around.emplace_back();
  return around;
}

// The element of a loop's iteration, under the name that the loop gives it.
std::optional<Shown> View::ItemOf(const std::string& scope) {
  const Value* item = At(*state_, scope + "/item");
  const Value* owner = At(*state_, scope + "/owner");
  if (item == nullptr || owner == nullptr) return std::nullopt;
  const Value* step = At(*state_, fmt::format("/runs/{}/step", owner->as_int()));
  const Result<replay::Moment> moment = debugger_.Now();
  if (step == nullptr || !moment.has_value()) return std::nullopt;
  const definition::Step* loop = moment->definition.FindStep(step->as_string());
  if (loop == nullptr) return std::nullopt;
  const std::string& name = loop->loop.item_name;
  return Shown{name, item, scope + "/item", MemberOf("variables", name)};
}

std::vector<Shown> View::VariablesOf(ScopeId scope) {
  std::vector<Shown> list;
  std::set<std::string> seen;
  const auto add = [&](Shown shown) {
    if (seen.insert(shown.name).second) list.push_back(std::move(shown));
  };
  for (const std::string& around : Around(scope)) {
    const std::string pointer = around + "/variables";
    const Value* variables = At(*state_, pointer);
    if (variables != nullptr)
      for (const Member& member : variables->as_object())
        add({member.key, &member.value, Under(pointer, member.key),
             MemberOf("variables", member.key)});
    if (std::optional<Shown> item = ItemOf(around)) add(*std::move(item));
  }
  return list;
}

std::vector<Shown> View::OutputsOf(ScopeId scope) const {
  std::vector<Shown> list;
  for (const std::string& around : Around(scope)) {
    const std::string pointer = around + "/steps";
    const Value* steps = At(*state_, pointer);
    if (steps == nullptr) continue;
    for (const Member& step : steps->as_object())
      if (const Value* output = step.value.Find("output"))
        list.push_back({step.key, output, Under(pointer, step.key) + "/output",
                        MemberOf(MemberOf("steps", step.key), "output")});
  }
  return list;
}

// A run that the event here has ended is in the state before it.
Result<Value> View::RunBefore(RunId run) {
  if (debugger_.at() == Seq(1)) return Value();
  Result<Object> before = debugger_.StateAt(Seq(debugger_.at().value - 1));
  if (!before.has_value()) return std::unexpected(before.error());
  const Value document(*std::move(before));
  const Value* found = At(document, fmt::format("/runs/{}", run.value));
  return found == nullptr ? Value() : *found;
}

Object View::ScopeLine(std::string_view name, std::string_view hint, int64_t number,
                       bool expensive) {
  Object line{{"name", name}, {"variablesReference", number}, {"expensive", expensive}};
  if (!hint.empty()) line.Set("presentationHint", hint);
  return line;
}

Status View::AddRun(const Frame& frame, Array& scopes) {
  const std::string pointer = fmt::format("/runs/{}", frame.run.value);
  Shown run{"Run", At(*state_, pointer), pointer,
            fmt::format("state.runs[\"{}\"]", frame.run.value)};
  if (run.value == nullptr) {
    Result<Value> before = RunBefore(frame.run);
    if (!before.has_value()) return std::unexpected(before.error());
    if (before->is_null()) return {};
    run = {"Run (ended here)", variables_.Keep(*std::move(before)), std::nullopt, ""};
  }
  if (const Value* input = run.value->Find("input")) {
    Shown shown{"input", input, std::nullopt, ""};
    if (run.pointer) {
      shown.pointer = *run.pointer + "/input";
      shown.expression = run.expression + ".input";
    }
    if (const int64_t number = variables_.NumberOf(shown))
      scopes.emplace_back(ScopeLine("Step input", "arguments", number, false));
  }
  scopes.emplace_back(ScopeLine(run.name, "", variables_.NumberOf(run), false));
  return {};
}

Status View::AddEvent(Array& scopes) {
  Result<std::vector<replay::EventLine>> events = debugger_.Events(debugger_.at(), 1);
  if (!events.has_value()) return std::unexpected(events.error());
  if (events->empty()) return {};
  replay::EventLine& event = events->front();
  Object shown{{"seq", static_cast<int64_t>(event.seq.value)},
               {"event", event.name},
               {"time", Time(event.time)},
               {"position", static_cast<int64_t>(event.position.value)}};
  if (!event.actor.empty()) shown.Set("actor", event.actor);
  for (Member& member : event.members) shown.Set(member.key, std::move(member.value));
  const Value* kept = variables_.Keep(std::move(shown));
  scopes.emplace_back(ScopeLine(
      "Event", "", variables_.NumberOf(Shown{"event", kept, std::nullopt, "event"}), false));
  return {};
}

Result<Object> View::Scopes(const Fields& arguments) {
  const Result<int64_t> id = arguments.Integer("frameId");
  if (!id.has_value()) return std::unexpected(id.error());
  const Result<std::optional<ScopeId>> scope = ScopeOfFrame(*id);
  if (!scope.has_value()) return std::unexpected(scope.error());
  if (!scope->has_value())
    return Fail(ErrorCode::kInvalidInput, "Expected a frameId of the last stop but found 0");
  const Frame frame = frames_[static_cast<size_t>(*id) - 1];
  const Result<const Value*> state = State();
  if (!state.has_value()) return std::unexpected(state.error());
  Array scopes;
  scopes.emplace_back(
      ScopeLine("Variables", "locals", variables_.NumberOf(VariablesOf(frame.scope)), false));
  std::vector<Shown> changed;
  for (const ChangeMarks::Line& line : variables_.marks().lines())
    changed.push_back({line.pointer.substr(1), *state, std::nullopt, "", line.text});
  if (!changed.empty())
    scopes.emplace_back(
        ScopeLine("Changed by the last move", "", variables_.NumberOf(std::move(changed)), false));
  if (frame.run) STELE_RETURN_IF_ERROR(AddRun(frame, scopes));
  if (const int64_t number = variables_.NumberOf(OutputsOf(frame.scope)))
    scopes.emplace_back(ScopeLine("Step outputs", "", number, false));
  const Value* input = At(**state, "/input");
  if (input != nullptr)
    if (const int64_t number = variables_.NumberOf(Shown{"input", input, "/input", "input"}))
      scopes.emplace_back(ScopeLine("Instance input", "arguments", number, false));
  STELE_RETURN_IF_ERROR(AddEvent(scopes));
  scopes.emplace_back(
      ScopeLine("Instance", "", variables_.NumberOf(Shown{"instance", *state, "", "state"}), true));
  return Object{{"scopes", std::move(scopes)}};
}

}  // namespace stele::cli::dap
