// `--stub STEP_OR_TYPE=JSON`: steps that complete with an output instead of acting.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "engine/definition/definition.h"
#include "engine/tasks/executor.h"

namespace stele::cli {

struct Stub {
  std::string name;  // a step's id or a task type
  Value output;      // an object
};

Result<std::vector<Stub>> ParseStubs(const std::vector<std::string>& words);

// Registers the stubs. Before the executors that act: a type that is stubbed is taken.
void RegisterStubs(const std::vector<Stub>& stubs, tasks::TaskRegistry& registry);

// kUsage: a stub that names nothing in the definition.
Status CheckStubs(const std::vector<Stub>& stubs, const definition::Definition& definition);

}  // namespace stele::cli
