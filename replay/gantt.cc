#include "replay/gantt.h"

#include <algorithm>
#include <set>

#include "engine/model/names.h"
#include "replay/event_places.h"
#include "replay/standing.h"

namespace stele::replay {

namespace {

using model::RunState;

Doing DoingOf(const model::StepRun& run) {
  switch (run.state) {
    case RunState::kAttempt:
    case RunState::kDone:
      return run.child ? Doing::kChild : Doing::kRunning;
    case RunState::kBackoff:
      return Doing::kBackoff;
    case RunState::kDelay:
      return Doing::kDelay;
    case RunState::kChildren:
      return Doing::kInside;
    case RunState::kParked:
      return Doing::kParked;
    case RunState::kFailed:
      return Doing::kFallback;
    case RunState::kWaiting:
      return run.human != nullptr ? Doing::kPeople : Doing::kEvent;
    case RunState::kHeld:
    case RunState::kFailing:
      return Doing::kHeld;
  }
  return Doing::kHeld;
}

// How an attempt that ends with the event ended; empty: the event says nothing of it.
struct AttemptEnd {
  std::string_view operator()(const model::AttemptCompleted&) const { return "completed"; }
  std::string_view operator()(const model::AttemptFailed&) const { return "failed"; }
  std::string_view operator()(const model::AttemptInterrupted&) const { return "interrupted"; }
  std::string_view operator()(const model::StepCancelled&) const { return "cancelled"; }
  std::string_view operator()(const model::StepCompleted&) const { return "completed"; }
  std::string_view operator()(const model::StepFailed&) const { return "failed"; }
  std::string_view operator()(const model::TimerElapsed& event) const {
    return event.kind == model::TimerKind::kAttemptDeadline ? "timeout" : "";
  }
  template <class Other>
  std::string_view operator()(const Other&) const {
    return "";
  }
};

// How a run ends that is gone behind the event.
struct RunEnd {
  std::string_view operator()(const model::StepCompleted&) const { return "completed"; }
  std::string_view operator()(const model::StepFailed&) const { return "failed"; }
  template <class Other>
  std::string_view operator()(const Other&) const {
    return "cancelled";
  }
};

struct Problem {
  std::string kind;
  std::string message;
};
struct ProblemOf {
  template <class Event>
    requires requires(const Event& event) {
      event.run;
      event.kind;
      event.message;
    }
  Problem operator()(const Event& event) const {
    return {event.kind, event.message};
  }
  template <class Other>
  Problem operator()(const Other&) const {
    return {};
  }
};

class Fold {
 public:
  Fold(Gantt& gantt, size_t limit) : gantt_(gantt), limit_(limit) {}

  void Take(const Moment& moment, const PastEvent& event) {
    const RunId run = PlacesOf(event.event).run;
    if (run) Look(moment, event.event, run);
    TakePause(moment);
    if (event.seq == event.record.last && (open_.size() != moment.state.runs.size()))
      Compare(moment, event.event);
  }

 private:
  // Those that have begun or ended without an event of their own: with a fork, or a termination.
  void Compare(const Moment& moment, const model::Event& event) {
    std::vector<RunId> gone;
    for (const auto& [run, line] : open_)
      if (moment.state.FindRun(run) == nullptr) gone.push_back(run);
    for (const RunId run : gone) Look(moment, event, run);
    for (const model::StepRun& run : moment.state.runs)
      if (!open_.contains(run.id)) Begin(moment, run);
  }

  void Look(const Moment& moment, const model::Event& event, RunId id) {
    const model::StepRun* run = moment.state.FindRun(id);
    const auto open = open_.find(id);
    if (open == open_.end()) {
      if (run != nullptr) Begin(moment, *run);
      return;
    }
    if (GanttLine* line = LineAt(open->second)) Note(*line, event);
    if (run == nullptr) {
      End(moment, event, open->second);
      open_.erase(open);
    } else if (GanttLine* line = LineAt(open->second)) {
      GoOn(*line, *run, moment.time);
    }
  }

  // Null: it is beyond the limit.
  GanttLine* LineAt(size_t place) {
    return place < gantt_.lines.size() ? &gantt_.lines[place] : nullptr;
  }

  void Begin(const Moment& moment, const model::StepRun& run) {
    const size_t place = gantt_.runs++;
    open_[run.id] = place;
    if (place >= limit_) return;
    GanttLine& line = gantt_.lines.emplace_back();
    line.run = run.id;
    line.step = moment.definition.step(run.step).id;
    line.label = LabelOf(moment.state, moment.definition, run);
    if (run.purpose != model::Purpose::kNormal) line.purpose = model::EnumName(run.purpose);
    line.scope = run.scope;
    if (const model::Scope* scope = moment.state.FindScope(run.scope)) line.owner = scope->owner;
    for (const model::Scope* scope = moment.state.FindScope(run.scope);
         scope != nullptr && scope->id != ScopeId(); scope = moment.state.FindScope(scope->parent))
      ++line.depth;
    line.from = std::max(run.activated, gantt_.from);
    const Doing doing = DoingOf(run);
    if (moment.definition.step(run.step).kind == definition::StepKind::kTask) {
      line.attempts = run.attempt;
      if (run.activated < gantt_.from)
        line.before = doing == Doing::kRunning && run.attempt != 0 ? run.attempt - 1 : run.attempt;
    }
    line.parts.push_back({doing, line.from, TimeUs(), run.attempt, {}});
    line.state = DoingName(line.parts.back().doing);
  }

  void Note(GanttLine& line, const model::Event& event) {
    GanttPart& last = line.parts.back();
    if (const std::string_view end = std::visit(AttemptEnd{}, event);
        !end.empty() && !last.to && last.doing == Doing::kRunning && last.ended_as.empty())
      last.ended_as = end;
    Problem problem = std::visit(ProblemOf{}, event);
    if (problem.kind.empty()) return;
    line.error_kind = std::move(problem.kind);
    line.error_message = std::move(problem.message);
  }

  void GoOn(GanttLine& line, const model::StepRun& run, TimeUs time) {
    const Doing doing = DoingOf(run);
    GanttPart& last = line.parts.back();
    if (line.attempts != 0) line.attempts = std::max(line.attempts, run.attempt);
    // A call is known for one when its instance is.
    if (doing == Doing::kChild && last.doing == Doing::kRunning) last.doing = Doing::kChild;
    if (last.doing == doing && (doing != Doing::kRunning || last.attempt == run.attempt)) return;
    line.state = DoingName(doing);
    // What it was for no time at all, it only was on the way.
    if (last.from == time && last.ended_as.empty()) {
      last.doing = doing;
      last.attempt = run.attempt;
      return;
    }
    last.to = time;
    line.parts.push_back({doing, time, TimeUs(), run.attempt, {}});
  }

  void End(const Moment& moment, const model::Event& event, size_t place) {
    GanttLine* line = LineAt(place);
    if (line == nullptr) return;
    line->to = moment.time;
    line->state = std::visit(RunEnd{}, event);
    GanttPart& last = line->parts.back();
    last.to = moment.time;
    if (last.doing == Doing::kRunning && last.ended_as.empty()) last.ended_as = line->state;
  }

  void TakePause(const Moment& moment) {
    const bool is_paused = moment.state.paused && !model::HasEnded(moment.state.status);
    if (is_paused == was_paused_) return;
    was_paused_ = is_paused;
    if (is_paused) {
      gantt_.paused.push_back({Doing::kHeld, moment.time, TimeUs(), 0, {}});
    } else {
      gantt_.paused.back().to = moment.time;
    }
  }

  Gantt& gantt_;
  const size_t limit_;
  std::map<RunId, size_t> open_;  // and the places of their lines
  bool was_paused_ = false;
};

// Each behind the one that it is inside of, in the order in which they began. What runs beside one
// another begins in any order.
std::vector<GanttLine> Nested(std::vector<GanttLine> lines) {
  std::map<RunId, std::vector<size_t>> inside;
  std::set<RunId> known;
  for (const GanttLine& line : lines) known.insert(line.run);
  for (size_t i = lines.size(); i-- > 0;)
    inside[known.contains(lines[i].owner) ? lines[i].owner : RunId()].push_back(i);
  std::vector<GanttLine> nested;
  nested.reserve(lines.size());
  std::vector<size_t> next = inside[RunId()];  // the last one first
  while (!next.empty()) {
    const size_t place = next.back();
    next.pop_back();
    const std::vector<size_t>& own = inside[lines[place].run];
    next.insert(next.end(), own.begin(), own.end());
    nested.push_back(std::move(lines[place]));
  }
  return nested;
}

}  // namespace

std::string_view DoingName(Doing doing) {
  static constexpr std::string_view kNames[] = {"running", "backoff", "delay",    "people", "event",
                                                "child",   "inside",  "fallback", "parked", "held"};
  static_assert(std::size(kNames) == kDoings);
  return kNames[static_cast<size_t>(doing)];
}

Result<Gantt> GanttOf(TimeMachine& machine, TimeUs now, size_t limit) {
  Gantt gantt;
  gantt.from = machine.began();
  Fold fold(gantt, limit);
  STELE_RETURN_IF_ERROR(machine.Visit(Seq(1), [&](const Moment& moment, const PastEvent& event) {
    fold.Take(moment, event);
    if (moment.seq != machine.last()) return true;
    gantt.definition = moment.definition.name;
    gantt.version = moment.version;
    gantt.status = model::StatusOf(moment.state);
    gantt.ended = model::HasEnded(moment.state.status);
    return false;
  }));
  gantt.lines = Nested(std::move(gantt.lines));
  gantt.instance = machine.instance();
  gantt.to = gantt.ended ? machine.ended() : std::max(machine.ended(), now);
  return gantt;
}

}  // namespace stele::replay
