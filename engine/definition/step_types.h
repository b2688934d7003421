// The words for step types, in all notations, and what the engine makes of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/definition/definition.h"

namespace stele::definition {

struct StepType {
  StepKind kind = StepKind::kTask;
  std::string task_type;
  Split split = Split::kAll;
  LoopMode loop_mode = LoopMode::kForEach;  // what a loop's type word says of it
  bool together = false;                    // a loop whose iterations run at once
};

// Case and `-` do not matter; `custom:<name>` is the task type <name> of somebody's worker.
std::optional<StepType> FindStepType(std::string_view word);

// Whether the step is a task that `word` names: by its id, or by its type in any notation's word.
bool IsCalled(const Step& step, std::string_view word);

// For messages.
std::vector<std::string> KnownStepTypes();

}  // namespace stele::definition
