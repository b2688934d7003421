// A debugger over what an instance has recorded: a position in its history, moves forward and back,
// breakpoints, watches, and what the last move has changed. Nothing runs: every state is that of
// the time machine, so going back costs what going forward costs.
//
// The position is an event: what is shown is the state behind it. It begins at the first one and
// never leaves the history.
//
// Open reads the history twice: for the machine, and for an index of 16 bytes an event, from which
// moves and breakpoints on steps and kinds of events are answered without reading it again.
//
// Thread: one at a time. REQUIRES: the source outlives the debugger.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "replay/debugger/breakpoint.h"
#include "replay/debugger/event_index.h"
#include "replay/debugger/watch.h"
#include "replay/time_machine.h"

namespace stele::replay {

class StateEnvironment;

enum class Direction : uint8_t { kForward, kBack };

// How far a move goes, in either direction. The scope of an event is that of the run that it speaks
// of, the one that it opens or closes, or the root; of variables that a step's outputs become, the
// step's.
enum class Unit : uint8_t {
  kEvent,   // one event
  kRecord,  // to the last event of another record: what was recorded as one
  kStep,    // to the next event that begins or ends a step, in whatever scope
  kOver,    // the same in this scope or one around it: past the inside of loops and sub-processes
  kInto,    // to the next event of a scope inside this one
  kOut,     // forward to where this scope is closed, back to where it was opened
};

enum class StopReason : uint8_t {
  kMoved,        // it is where it was to go
  kBreakpoint,   // Stop::breakpoints say which
  kBegin,        // there is nothing before
  kEnd,          // there is nothing behind: of a live instance, not yet
  kNotFound,     // by a search: it stands where it stood
  kInterrupted,  // by Progress; it stands where it stood
  kNoInside,     // of kInto, there is no scope in this one: it stands where it stood
};

struct Stop {
  Seq from;
  Seq at;
  StopReason reason = StopReason::kMoved;
  std::vector<uint32_t> breakpoints;  // by number, those that stop here
};

// An event in the list of events.
struct EventLine {
  Seq seq;
  TimeUs time;
  Position position;
  std::string_view name;  // "step_completed"
  std::string step;       // the id; empty: it speaks of none
  std::string label;      // of the step, with the indices of the loops around it: "update[2]"
  RunId run;              // 0: it speaks of none
  ScopeId scope;
  std::string actor;        // who asked; empty: the engine itself
  Object members;           // as `history --json` has them, with names of steps
  bool is_first = false;    // of its record: the cause
  bool is_erased = false;   // its payloads are
  bool is_broken = false;   // a breakpoint on a step or kind of event is on it
  bool is_current = false;  // the debugger stands here
};

enum class Change : uint8_t { kNone, kAdded, kChanged, kRemoved };

// A value of the state that people look at, and what the last move did to it.
struct ShownValue {
  std::string group;  // "variables", a scope ("update[2]"), "outputs" (of steps), "instance"
  std::string name;   // of the variable, the step; "input", "output", "failure"
  Value value;        // null when it was removed
  Change change = Change::kNone;
  Value before;  // kChanged, kRemoved
};

class Debugger {
 public:
  // Told now and then how far a long move is; false ends it.
  using Progress = std::function<bool(Seq at)>;

  // Errors as TimeMachine::Open. REQUIRES: the registry has the definitions that the instance ran.
  static Result<std::unique_ptr<Debugger>> Open(const Source& source, InstanceId instance,
                                                const model::Registry& registry);

  InstanceId instance() const { return machine_->instance(); }
  Seq at() const { return at_; }
  // Where the last move began; `at()` before the first one.
  Seq from() const { return from_; }
  // What both machine and index have read: a log that cannot be read on leaves it where it was.
  Seq last() const { return index_.last(); }
  // Nothing more happens, unless somebody retries it.
  bool has_ended() const { return index_.has_ended(); }
  // Beside the position: any state and event of the history.
  TimeMachine& machine() { return *machine_; }
  const EventIndex& index() const { return index_; }

  // What is here.
  Result<Moment> Now() { return machine_->At(at_); }
  // The scope of the event here, if the state still has it, else the next one around it.
  Result<ScopeId> Scope() { return ScopeAt(at_); }
  Result<Object> State() { return StateAt(at_); }
  // The state's document behind any event.
  Result<Object> StateAt(Seq seq);

  // A move that cannot go so far ends at the first or last event; kInto stays where it is.
  Result<Stop> Move(Unit unit, Direction direction);
  // kNoSuchMoment: the history has no such event, or had not begun then.
  Result<Stop> JumpTo(Seq seq);
  Result<Stop> JumpTo(const When& when);
  // To the next breakpoint, or to the end of the history in that direction. It leaves the one where
  // it stands. Where breakpoints stop is the same in both directions.
  Result<Stop> Continue(Direction direction);
  // To the next event whose JSON holds the text, letters in either case.
  Result<Stop> Find(std::string_view text, Direction direction);
  // What was moved since it stood at `from` counts as one move: `from()` is that again.
  void CountAsOneMove(Seq from) { from_ = from; }
  void OnProgress(Progress progress) { progress_ = std::move(progress); }

  // Its number, from 1, never used again. kUnknownStep, kInvalidInput: what there is instead.
  Result<uint32_t> Break(BreakpointSpec spec);
  // False: there is none of that number.
  bool RemoveBreakpoint(uint32_t number);
  bool EnableBreakpoint(uint32_t number, bool enabled);
  const std::vector<Breakpoint>& breakpoints() const { return breakpoints_; }

  // An expression over the state, in the scope here or in that one. docs/debugger.md has the names.
  Result<Value> Evaluate(std::string_view expression, std::optional<ScopeId> scope = std::nullopt);
  // The same as a condition. kExpressionUndefined, kExpressionType: it has no value here.
  Result<bool> Holds(std::string_view expression);
  // Its number, from 1. kExpressionSyntax and the like: it does not parse.
  Result<uint32_t> AddWatch(std::string_view expression);
  bool RemoveWatch(uint32_t number);
  // What they are here, and what they were where the last move began.
  std::vector<WatchValue> Watches();

  // What the last move has made of the state, as a JSON Patch over StateToJson.
  Result<Array> Changes();
  // What the state has for people, in the order of its document.
  Result<std::vector<ShownValue>> Values();

  // Up to `count` events from `first` on.
  Result<std::vector<EventLine>> Events(Seq first, size_t count);

  // An event as `history --json` has it.
  Result<Value> EventDocument(Seq seq);

  // Reads what has been recorded since; the position stays. How many events came.
  Result<uint64_t> Follow();

 private:
  class Walk;
  using See = std::function<void(const StateEnvironment&)>;

  Debugger(const Source& source, std::unique_ptr<TimeMachine> machine);

  std::optional<Seq> Target(Unit unit, Direction direction) const;
  Stop Arrive(Seq at, StopReason reason, std::vector<uint32_t> hit = {});
  Stop ToTheEnd(Direction direction);
  Result<Stop> GoOn();
  Result<Stop> GoBack();
  bool MayGoOn(Seq seq) const;

  // Of a breakpoint on events.
  bool IsOn(const Breakpoint& breakpoint, Seq seq) const;
  // What an expression sees behind an event; in its scope, when none is named.
  Status Look(Seq seq, std::optional<ScopeId> scope, const See& see);
  Result<Value> ValueOf(const expression::Expression& expression, Seq seq,
                        std::optional<ScopeId> scope);
  Result<ScopeId> ScopeAt(Seq seq);
  EventLine Line(const PastEvent& event) const;

  const Source& source_;
  std::unique_ptr<TimeMachine> machine_;
  EventIndex index_;
  Seq at_{1};
  Seq from_{1};
  std::vector<Breakpoint> breakpoints_;
  uint32_t last_breakpoint_ = 0;
  std::vector<Watch> watches_;
  uint32_t last_watch_ = 0;
  Progress progress_;
};

}  // namespace stele::replay
