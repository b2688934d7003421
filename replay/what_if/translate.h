// A recorded cause as the command that it is in another course of the same instance, where runs and
// scopes have other numbers.
#pragma once

#include <optional>

#include "engine/model/command.h"
#include "engine/model/instance.h"
#include "replay/what_if/run_names.h"

namespace stele::replay {

// The run that a command is about, to be changed; null: it is about none.
RunId* RunOf(model::Command& command);

// Fits the command to the other course: its run, scope and step, and which of the run's waits it
// ends. False: the course has no such run, scope or step (yet).
bool Translate(model::Command& command, const RunNames& recorded, const RunNames& now,
               const model::Instance& instance);

}  // namespace stele::replay
