#include "server/rest/past_shapes.h"

#include <utility>

namespace stele::server::rest {

namespace {

using Others = Component::Others;

Component State() {
  return {"InstanceState",
          "The whole state of an instance; what is zero, false, empty or absent is left out. "
          "docs/time-travel.md has the members of its parts.",
          {{"instance", "number", ""},
           {"definition", "object", "{id, name, version}"},
           {"seq", "number", "the last event that it reflects"},
           {"position", "number", "and its record"},
           {"status", "=none,running,compensating,completed,failed,cancelled,terminated", ""},
           {"paused?", "flag", ""},
           {"queued?", "flag", ""},
           {"started", "time", ""},
           {"ended?", "time", ""},
           {"deadline?", "time", ""},
           {"business_key?", "text", ""},
           {"tags?", "[text]", ""},
           {"input?", "any", ""},
           {"output?", "any", ""},
           {"failure?", "object", "{kind, message, run}"},
           {"variables", "object", "of the outermost scope, by name"},
           {"steps", "object", "of the outermost scope, by id: {status, completions, output, …}"},
           {"runs", "object", "that have not ended, by number"},
           {"scopes?", "object", "by number; 0 is the outermost"},
           {"tokens?", "[object]", "that wait at joins, that are held, that are dead"},
           {"timers?", "[object]", "the first to elapse first"},
           {"signals?", "[object]", "that nothing has waited for yet"},
           {"undo?", "[object]", "what a compensation would undo, in its order"}},
          Others::kAny};
}

std::vector<Component> StateShapes() {
  return {State(),
          {"PastState",
           "",
           {{"instance", "number", ""},
            {"last", "number", "the last event of the history"},
            {"event", "HistoryEvent", "behind which the state is"},
            {"state", "InstanceState", ""}}},
          {"PastChange",
           "",
           {{"change", "=added,removed,changed", ""},
            {"at", "text", "a JSON Pointer (RFC 6901) into the state"},
            {"from?", "any", ""},
            {"to?", "any", ""}}},
          {"PastDifference",
           "",
           {{"instance", "number", ""},
            {"from", "HistoryEvent", ""},
            {"to", "HistoryEvent", ""},
            {"changes", "[PastChange]", ""},
            {"patch", "[object]", "RFC 6902: makes the second state of the first"}}},
          {"PastBisection",
           "",
           {{"instance", "number", ""},
            {"expression", "text", ""},
            {"exact", "flag", "every event was looked behind, up to the one that was found"},
            {"last", "number", "the last event of the history"},
            {"found", "=never,first,began", "whether it held, and from the first event on"},
            {"looked_at", "count", "states"},
            {"undefined", "count", "of them, those behind which it could not be evaluated"},
            {"why?", "text", "the first of these failures"},
            {"holds_at_end?", "flag", "of a search: not when `exact`"},
            {"event?", "HistoryEvent", "with which it began to hold"},
            {"changes?", "[PastChange]", "what the event made of the state before it"}}}};
}

std::vector<Component> TimelineShapes() {
  return {{"TimelinePart",
           "",
           {{"doing", "=running,backoff,delay,people,event,child,inside,fallback,parked,held", ""},
            {"from", "time", ""},
            {"to?", "time", "none: it goes on"},
            {"attempt?", "number", "of what runs"},
            {"ended_as?", "=completed,failed,interrupted,cancelled,timeout", "of an attempt"}}},
          {"TimelineLine",
           "A run of a step.",
           {{"run", "number", ""},
            {"step", "text", "its id"},
            {"label", "text", "the id with the indices of the loops around"},
            {"purpose?", "=fallback,compensation", ""},
            {"scope", "number", ""},
            {"owner?", "number", "the run that it is inside of"},
            {"depth?", "number", "in how many scopes inside the outermost"},
            {"state", "text", "completed, failed, cancelled; of an open one, what it does"},
            {"from", "time", "of a run that a fork took over, the fork's beginning"},
            {"to?", "time", "none: it is open"},
            {"attempts?", "number", ""},
            {"attempts_before?", "number", "of them, those that the fork's origin made"},
            {"error?", "Failure", "the last one"},
            {"parts?", "[TimelinePart]", ""}}},
          {"Timeline",
           "",
           {{"instance", "number", ""},
            {"definition", "text", ""},
            {"version", "number", ""},
            {"status", "text", ""},
            {"ended", "flag", ""},
            {"from", "time", ""},
            {"to", "time", "its end, or until when open runs are shown"},
            {"runs", "count", "of which the first have a line"},
            {"lines", "[TimelineLine]", "each behind the one that it is inside of"},
            {"paused", "[TimelinePart]", "when the instance as a whole was"}}}};
}

}  // namespace

std::vector<Component> PastShapes() {
  std::vector<Component> shapes = StateShapes();
  for (Component& shape : TimelineShapes()) shapes.push_back(std::move(shape));
  return shapes;
}

}  // namespace stele::server::rest
