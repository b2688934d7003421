// Moves that look behind many events: to breakpoints, and to a text.
#include <algorithm>

#include "base/json.h"
#include "engine/model/event_json.h"
#include "replay/debugger/debugger.h"
#include "replay/state_environment.h"

namespace stele::replay {

namespace {

// On the way back so many events are walked forward at once, for the last stop among them: states
// are cheap in that direction alone.
constexpr uint64_t kStretch = 1024;
// How often Progress is told.
constexpr uint64_t kTold = 1024;

void MakeLower(std::string& text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
}

}  // namespace

// Which breakpoints stop behind each of the events that are walked, one after another.
class Debugger::Walk {
 public:
  explicit Walk(Debugger& debugger) : debugger_(debugger) {
    for (Breakpoint& breakpoint : debugger_.breakpoints_)
      if (breakpoint.enabled) active_.push_back({&breakpoint});
  }

  // The next event that is asked for is the one behind `seq`; 0: the first.
  Status Begin(Seq seq) {
    for (Active& active : active_) {
      active.held = false;
      if (active.breakpoint->is_on_events() || !seq) continue;
      const Result<bool> holds = Holds(*active.breakpoint, seq);
      if (!holds.has_value()) return std::unexpected(holds.error());
      active.held = *holds;
    }
    return {};
  }

  Result<std::vector<uint32_t>> HitAt(Seq seq) {
    std::vector<uint32_t> hit;
    for (Active& active : active_) {
      Breakpoint& breakpoint = *active.breakpoint;
      if (breakpoint.is_on_events() && !debugger_.IsOn(breakpoint, seq)) continue;
      Result<bool> holds = true;
      if (breakpoint.condition.has_value()) holds = Holds(breakpoint, seq);
      if (!holds.has_value()) return std::unexpected(holds.error());
      const bool held = !breakpoint.is_on_events() && std::exchange(active.held, *holds);
      if (*holds && !held) hit.push_back(breakpoint.number);
    }
    return hit;
  }

 private:
  struct Active {
    Breakpoint* breakpoint;
    bool held = false;  // behind the event before; of conditions alone
  };

  // A condition that cannot be evaluated does not hold.
  Result<bool> Holds(Breakpoint& breakpoint, Seq seq) {
    Result<bool> holds = false;
    STELE_RETURN_IF_ERROR(debugger_.Look(seq, std::nullopt, [&](const StateEnvironment& seen) {
      holds = breakpoint.condition->EvaluateBool(seen);
    }));
    breakpoint.fault = holds.has_value() ? "" : holds.error().message;
    return holds.value_or(false);
  }

  Debugger& debugger_;
  std::vector<Active> active_;
};

bool Debugger::IsOn(const Breakpoint& breakpoint, Seq seq) const {
  const IndexedEvent& event = index_[seq];
  if (breakpoint.step != 0 && event.step != breakpoint.step) return false;
  return breakpoint.kind.has_value() ? event.kind == *breakpoint.kind : event.begins_step();
}

bool Debugger::MayGoOn(Seq seq) const {
  return !progress_ || seq.value % kTold != 0 || progress_(seq);
}

Result<Stop> Debugger::Continue(Direction direction) {
  return direction == Direction::kForward ? GoOn() : GoBack();
}

Result<Stop> Debugger::GoOn() {
  Walk walk(*this);
  STELE_RETURN_IF_ERROR(walk.Begin(at_));
  for (Seq seq = at_.Next(); seq <= last(); seq = seq.Next()) {
    auto hit = walk.HitAt(seq);
    if (!hit.has_value()) return std::unexpected(hit.error());
    if (!hit->empty()) return Arrive(seq, StopReason::kBreakpoint, *std::move(hit));
    if (!MayGoOn(seq)) return Arrive(at_, StopReason::kInterrupted);
  }
  return ToTheEnd(Direction::kForward);
}

Result<Stop> Debugger::GoBack() {
  Walk walk(*this);
  for (Seq end = at_; end > Seq(1);) {
    const Seq begin(end.value > kStretch ? end.value - kStretch : 1);
    STELE_RETURN_IF_ERROR(walk.Begin(Seq(begin.value - 1)));
    Seq found_at;
    std::vector<uint32_t> found_hit;
    for (Seq seq = begin; seq < end; seq = seq.Next()) {
      auto hit = walk.HitAt(seq);
      if (!hit.has_value()) return std::unexpected(hit.error());
      if (hit->empty()) continue;
      found_at = seq;
      found_hit = *std::move(hit);
    }
    if (found_at) return Arrive(found_at, StopReason::kBreakpoint, std::move(found_hit));
    // Told behind the stretch: what ends the move must not keep a stop in it from being seen.
    if (begin > Seq(1) && progress_ && !progress_(begin))
      return Arrive(at_, StopReason::kInterrupted);
    end = begin;
  }
  return ToTheEnd(Direction::kBack);
}

Result<Stop> Debugger::Find(std::string_view text, Direction direction) {
  std::string wanted(text);
  MakeLower(wanted);
  const bool forward = direction == Direction::kForward;
  const auto next = [&](Seq seq) { return forward ? seq.Next() : Seq(seq.value - 1); };
  for (Seq seq = next(at_); seq && seq <= last(); seq = next(seq)) {
    const Result<PastEvent> event = machine_->EventAt(seq);
    if (!event.has_value()) return std::unexpected(event.error());
    std::string json = ToJson(model::EventToJson(event->event, &event->definition));
    MakeLower(json);
    if (json.find(wanted) != std::string::npos) return Arrive(seq, StopReason::kMoved);
    if (!MayGoOn(seq)) return Arrive(at_, StopReason::kInterrupted);
  }
  return Arrive(at_, StopReason::kNotFound);
}

}  // namespace stele::replay
