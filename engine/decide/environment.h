// What an expression sees when it is evaluated in a scope of an instance.
//
// Names: input, variables, steps, outputs (also previous_task_result), response, loop, execution;
// then, for short, variables of the scope and those around it, loop items, members of the input,
// and steps by id (their output).
#pragma once

#include <forward_list>
#include <string_view>

#include "engine/definition/definition.h"
#include "engine/expression/expression.h"
#include "engine/model/instance.h"

namespace stele::decide {

// What `steps.<id>.status` is: "pending", "running", "completed", "skipped", "failed", "cancelled".
std::string_view StepStatusWord(model::SlotState state);

class ScopeEnvironment final : public expression::Environment {
 public:
  struct Local {
    Payload outputs;                     // of the previous step
    Payload response;                    // of the step itself, while its outputs are mapped
    StepIndex self{kNoIndex};            // whose output `response` is
    std::optional<uint32_t> loop_index;  // of an iteration that is not open yet
  };

  // REQUIRES: the arguments outlive the environment.
  ScopeEnvironment(const definition::Definition& definition, const model::Instance& instance,
                   ScopeId scope, Local local)
      : definition_(definition), instance_(instance), scope_(scope), local_(std::move(local)) {}

  Found Lookup(std::span<const std::string> path) const override;

 private:
  using Path = std::span<const std::string>;
  Found Variables(Path path) const;
  Found Steps(Path path) const;
  Found LoopOf(Path path) const;
  Found Execution(Path path) const;
  Found ShortName(Path path) const;
  Found OfResponse(const Value& response, Path path) const;
  const Value* Variable(std::string_view name) const;
  const Value* StepOutput(StepIndex step) const;
  Value StepObject(StepIndex step) const;
  const model::Slot* SlotInScopes(StepIndex step) const;
  const model::Scope* ScopeAt(ScopeId scope) const { return instance_.FindScope(scope); }
  // The next scope outwards, or null after the root.
  const model::Scope* Outer(const model::Scope& scope) const;
  const Value* Keep(Value value) const;
  // The name that a loop's iteration gives its item, when the scope is one.
  const std::string* ItemName(const model::Scope& scope) const;

  const definition::Definition& definition_;
  const model::Instance& instance_;
  ScopeId scope_;
  Local local_;
  mutable std::forward_list<Value> made_;  // values that exist nowhere else
};

}  // namespace stele::decide
