#include "replay/past_state.h"

#include "replay/event_places.h"
#include "replay/standing.h"
#include "replay/state_environment.h"
#include "replay/state_json.h"

namespace stele::replay {

namespace {

Value Whole(Seq seq) {
  return static_cast<int64_t>(seq.value);
}

// Of the run that an event speaks of, as the state behind the event `seq` has it; empty: it has
// not.
Result<std::string> LabelBehind(TimeMachine& machine, Seq seq, RunId run) {
  const Result<Moment> moment = machine.At(seq);
  if (!moment.has_value()) return std::unexpected(moment.error());
  const model::StepRun* found = moment->state.FindRun(run);
  return found == nullptr ? "" : LabelOf(moment->state, moment->definition, *found);
}

}  // namespace

Result<Object> EventBehind(TimeMachine& machine, Seq seq) {
  const Result<PastEvent> event = machine.EventAt(seq);
  if (!event.has_value()) return std::unexpected(event.error());
  Object document = EventDocument(*event);
  const RunId run = PlacesOf(event->event).run;
  if (!run) return document;
  // One that has ended with the event was there before it.
  for (const Seq at : {Seq(seq.value - 1), seq}) {
    if (!at) continue;
    const Result<std::string> label = LabelBehind(machine, at, run);
    if (!label.has_value()) return std::unexpected(label.error());
    if (label->empty()) continue;
    document.Set("label", *label);
    break;
  }
  return document;
}

Result<Value> StateBehind(TimeMachine& machine, Seq seq) {
  if (!seq) return Object();
  const Result<Moment> moment = machine.At(seq);
  if (!moment.has_value()) return std::unexpected(moment.error());
  return StateToJson(moment->state, moment->definition, moment->version);
}

Result<Object> PastState(TimeMachine& machine, const When& when) {
  const Result<Seq> seq = machine.Find(when);
  if (!seq.has_value()) return std::unexpected(seq.error());
  Result<Value> state = StateBehind(machine, *seq);
  if (!state.has_value()) return std::unexpected(state.error());
  Result<Object> event = EventBehind(machine, *seq);
  if (!event.has_value()) return std::unexpected(event.error());
  return Object{{"instance", static_cast<int64_t>(machine.instance().value)},
                {"last", Whole(machine.last())},
                {"event", *std::move(event)},
                {"state", *std::move(state)}};
}

Array ChangesToJson(const std::vector<Difference>& differences) {
  Array changes;
  for (const Difference& difference : differences) {
    const bool added = difference.from == nullptr;
    const bool removed = difference.to == nullptr;
    Object change{{"change", added     ? "added"
                             : removed ? "removed"
                                       : "changed"},
                  {"at", difference.at}};
    if (!added) change.Set("from", *difference.from);
    if (!removed) change.Set("to", *difference.to);
    changes.push_back(std::move(change));
  }
  return changes;
}

Result<Object> PastDifference(TimeMachine& machine, const When& from, const When& to) {
  const Result<Seq> first = machine.Find(from);
  if (!first.has_value()) return std::unexpected(first.error());
  const Result<Seq> second = machine.Find(to);
  if (!second.has_value()) return std::unexpected(second.error());
  const Result<Value> before = StateBehind(machine, *first);
  if (!before.has_value()) return std::unexpected(before.error());
  const Result<Value> behind = StateBehind(machine, *second);
  if (!behind.has_value()) return std::unexpected(behind.error());
  Result<Object> event_before = EventBehind(machine, *first);
  if (!event_before.has_value()) return std::unexpected(event_before.error());
  Result<Object> event_behind = EventBehind(machine, *second);
  if (!event_behind.has_value()) return std::unexpected(event_behind.error());
  return Object{{"instance", static_cast<int64_t>(machine.instance().value)},
                {"from", *std::move(event_before)},
                {"to", *std::move(event_behind)},
                {"changes", ChangesToJson(DifferencesBetween(*before, *behind))},
                {"patch", PatchBetween(*before, *behind)}};
}

}  // namespace stele::replay
