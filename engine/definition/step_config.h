// What the engine itself reads of a step's configuration: people, messages, signals, races of
// events and calls. Everything that can be seen before anything runs is checked when a file is
// loaded; a value that holds a template is known at run time alone and is left to it.
#pragma once

#include "engine/definition/definition.h"
#include "engine/definition/document.h"

namespace stele::definition {

// Adds every fault of the configuration at the place of the value, and gives each key its first
// name: `approvers` becomes `assignees`. Other types (their executors know them) are left alone.
// REQUIRES: `config` is a mapping.
void CheckStepConfig(const Step& step, Node& config, Faults& faults);

}  // namespace stele::definition
