#include "replay/debugger/debugger.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "replay/history.h"

namespace stele::replay {

namespace {

// The next event in that direction of which `is_wanted` says so.
template <class IsWanted>
std::optional<Seq> Next(Seq at, Seq last, Direction direction, IsWanted is_wanted) {
  if (direction == Direction::kForward) {
    for (Seq seq = at.Next(); seq <= last; seq = seq.Next())
      if (is_wanted(seq)) return seq;
  } else {
    for (Seq seq(at.value - 1); seq; seq = Seq(seq.value - 1))
      if (is_wanted(seq)) return seq;
  }
  return std::nullopt;
}

}  // namespace

Debugger::Debugger(const Source& source, std::unique_ptr<TimeMachine> machine)
    : source_(source), machine_(std::move(machine)), index_(machine_->instance()) {}

Result<std::unique_ptr<Debugger>> Debugger::Open(const Source& source, InstanceId instance,
                                                 const model::Registry& registry) {
  auto machine = TimeMachine::Open(source, instance, registry);
  if (!machine.has_value()) return std::unexpected(machine.error());
  std::unique_ptr<Debugger> debugger(new Debugger(source, *std::move(machine)));
  STELE_RETURN_IF_ERROR(debugger->index_.Read(source, registry, debugger->machine_->last()));
  return debugger;
}

Result<uint64_t> Debugger::Follow() {
  const Seq before = last();
  // Most of the time there is nothing, and the definitions need not be read.
  const auto cursor = source_.RecordsFrom(instance(), before.Next());
  if (!cursor.has_value()) return std::unexpected(cursor.error());
  const auto record = (*cursor)->Next();
  if (!record.has_value()) return std::unexpected(record.error());
  if (!record->has_value()) return 0;
  const auto registry = ReadRegistry(source_);
  if (!registry.has_value()) return std::unexpected(registry.error());
  const Result<bool> more = machine_->Refresh(*registry);
  if (!more.has_value()) return std::unexpected(more.error());
  STELE_RETURN_IF_ERROR(index_.Read(source_, *registry, machine_->last()));
  return last().value - before.value;
}

Result<ScopeId> Debugger::ScopeAt(Seq seq) {
  const Result<Moment> moment = machine_->At(seq);
  if (!moment.has_value()) return std::unexpected(moment.error());
  ScopeId scope = index_[seq].scope;
  while (scope != ScopeId() && moment->state.FindScope(scope) == nullptr)
    scope = index_.Parent(scope);
  return scope;
}

Stop Debugger::Arrive(Seq at, StopReason reason, std::vector<uint32_t> hit) {
  Stop stop{.from = at_, .at = at, .reason = reason, .breakpoints = std::move(hit)};
  const bool stays = reason == StopReason::kNotFound || reason == StopReason::kInterrupted ||
                     reason == StopReason::kNoInside;
  if (stays) return stop;
  from_ = std::exchange(at_, at);
  for (Breakpoint& breakpoint : breakpoints_)
    if (std::ranges::find(stop.breakpoints, breakpoint.number) != stop.breakpoints.end())
      ++breakpoint.hits;
  return stop;
}

std::optional<Seq> Debugger::Target(Unit unit, Direction direction) const {
  const IndexedEvent& here = index_[at_];
  const auto next = [&](auto is_wanted) {
    return Next(at_, last(), direction, [&](Seq seq) { return is_wanted(seq, index_[seq]); });
  };
  switch (unit) {
    case Unit::kEvent:
      return next([](Seq, const IndexedEvent&) { return true; });
    case Unit::kRecord:
      return next([&](Seq seq, const IndexedEvent&) {
        return seq == last() || index_[seq.Next()].is_first;
      });
    case Unit::kStep:
      return next([](Seq, const IndexedEvent& event) { return event.is_step_boundary(); });
    case Unit::kOver:
      return next([&](Seq, const IndexedEvent& event) {
        return event.is_step_boundary() && index_.IsWithin(here.scope, event.scope);
      });
    case Unit::kInto:
      return next([&](Seq, const IndexedEvent& event) {
        return event.scope != here.scope && index_.IsWithin(event.scope, here.scope);
      });
    case Unit::kOut: {
      const bool forward = direction == Direction::kForward;
      const bool is_out = forward ? here.closes_scope() : here.opens_scope();
      if (here.scope == ScopeId()) return std::nullopt;
      const ScopeId scope = is_out ? index_.Parent(here.scope) : here.scope;
      if (scope == ScopeId()) return std::nullopt;
      return next([&](Seq, const IndexedEvent& event) {
        return event.scope == scope && (forward ? event.closes_scope() : event.opens_scope());
      });
    }
  }
  return std::nullopt;
}

Result<Stop> Debugger::Move(Unit unit, Direction direction) {
  const std::optional<Seq> target = Target(unit, direction);
  if (target.has_value()) return Arrive(*target, StopReason::kMoved);
  if (unit == Unit::kInto) return Arrive(at_, StopReason::kNoInside);
  return ToTheEnd(direction);
}

Stop Debugger::ToTheEnd(Direction direction) {
  return direction == Direction::kForward ? Arrive(last(), StopReason::kEnd)
                                          : Arrive(Seq(1), StopReason::kBegin);
}

Result<Stop> Debugger::JumpTo(Seq seq) {
  if (!seq || seq > last())
    return Fail(ErrorCode::kNoSuchMoment,
                fmt::format("Expected an event from 1 to {} of instance {} but found {}",
                            last().value, instance().value, seq.value));
  return Arrive(seq, StopReason::kMoved);
}

Result<Stop> Debugger::JumpTo(const When& when) {
  if (when.seq) return JumpTo(when.seq);
  const Result<Seq> seq = machine_->Find(when);
  if (!seq.has_value()) return std::unexpected(seq.error());
  return Arrive(std::min(*seq, last()), StopReason::kMoved);
}

}  // namespace stele::replay
