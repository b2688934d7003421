// What an expression about a state of the past can see (bisect, breakpoints, watches).
//
// A name is first what it is in the definition's own conditions: variables, input, steps.x.output,
// loop, short names of variables and steps (decide/environment.h). Where that has no such name it
// is a member of the state's document (state_json.h): status, runs, scopes, tokens, timers, seq, …;
// `state.x` is always that. `event` is the event behind which the state is: {seq, event, step, …}
// as in `history --json`; `time` and `actor` are those of its record.
//
// Made lazily: what an expression does not refer to is not built.
//
// Thread: that of the instance's payloads.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/value.h"
#include "engine/decide/environment.h"
#include "engine/definition/definition.h"
#include "engine/expression/expression.h"
#include "engine/model/instance.h"
#include "replay/time_machine.h"

namespace stele::replay {

class StateEnvironment final : public expression::Environment {
 public:
  // The event, when it is asked for; null: there is none to be seen.
  using EventOf = std::function<const PastEvent*()>;

  // In `scope`: 0 is the root. REQUIRES: what the moment refers to outlives the environment.
  explicit StateEnvironment(const Moment& moment, ScopeId scope = ScopeId(),
                            EventOf event = nullptr);

  Found Lookup(std::span<const std::string> path) const override;

  // Whether the path begins with a name that this state has, or one of its definition may have:
  // a step that has no output yet, a variable that is still to be set.
  bool Knows(std::span<const std::string> path) const;

 private:
  const Value* Member(const std::string& name) const;
  std::optional<Value> Made(const std::string& name) const;
  Found OfState(std::span<const std::string> path) const;

  const Moment moment_;
  const EventOf event_;
  const decide::ScopeEnvironment conditions_;
  mutable std::map<std::string, Value, std::less<>> members_;  // of the document, as far as made
};

// What `event` is: {seq, position, time, actor, event, …}.
Object EventDocument(const PastEvent& event);

// The scope whose names an event's step sees, or the root: of the run that it speaks of, if the
// instance still has it.
ScopeId ScopeOfEvent(const model::Event& event, const model::Instance& instance);

}  // namespace stele::replay
