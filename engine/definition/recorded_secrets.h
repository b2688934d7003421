// Secrets that would be recorded. A secret is put in where a task is handed to the outside; what
// the engine works with itself stands in its log, so that there is no place for one.
#pragma once

#include "engine/definition/definition.h"
#include "engine/definition/faults.h"

namespace stele::definition {

// Adds a fault for each use of a secret that the log would hold, or that would have no value there.
void CheckRecordedSecrets(const Definition& definition, Faults& faults);

}  // namespace stele::definition
