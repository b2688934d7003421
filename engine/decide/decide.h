// Commands to consequences. Pure: no clock, no randomness, no I/O, no iteration over unordered
// containers; time and ids come in the Context, jitter is a hash of (instance, run, attempt). The
// same instance, command and context give the same events, in every build that knows the
// definition.
//
// Each event is applied as soon as it is decided, so that what follows is decided on the state that
// a replay will have: after a turn the instance is what apply makes of the record.
//
// Thread: the instance's shard. A Decider keeps scratch memory and is reused.
#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/command.h"
#include "engine/model/instance.h"

namespace stele::decide {

struct Context {
  const definition::Definition& definition;
  model::RecordContext record;  // the position and time that the record will have
  const definition::Definition* target =
      nullptr;  // MigrateInstance, ForkInstance: the version that they name
};

// A token on its way, or (without a transition) a step that starts with its scope.
struct Token {
  ScopeId scope;
  StepIndex step;
  TransitionIndex via = model::kNoTransition;
  bool live = true;
  bool released = false;  // what was held goes on: a dead token behind a loop, a step in a pause
  Payload output;         // of the step that it comes from
};

class Decider {
 public:
  // Appends the cause and its consequences to `events` and applies each to `instance`. A rejection
  // leaves both as they were.
  std::optional<Rejection> Decide(model::Instance& instance, const model::Command& command,
                                  const Context& context, std::vector<model::Event>& events);

 private:
  std::vector<Token> tokens_;
  std::vector<ScopeId> touched_;
};

// The command that a recorded cause stands for, to decide it again. Nothing when the event is no
// cause of an instance (a consequence, an event of the registry).
std::optional<model::Command> CommandOf(const model::Event& cause);

}  // namespace stele::decide
