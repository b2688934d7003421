// The open run, or the scope, that a word of a request names.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/instance.h"

namespace stele::requests {

// `word` is a step's id, its label ("ap[39]" in a loop), "#RUN", or "STEP#RUN". `fits` says which
// runs the command is for; `what` they are, "a task for people". kUnknownRun: there is no such
// step. kInstanceEnded: it has no open runs any more. kWrongState: none of the step's runs is open
// or fits, or several do, which are listed. kUsage: no number stands behind "#".
Result<RunId> FindOpenRun(const model::Instance& instance, const definition::Definition& definition,
                          const std::string& word, std::string_view what,
                          const std::function<bool(const model::StepRun&)>& fits);

// The same, of runs in any state.
Result<RunId> FindOpenRun(const model::Instance& instance, const definition::Definition& definition,
                          const std::string& word);

// The scope in which the open run is that `word` names; the root when it is empty.
Result<ScopeId> FindScope(const model::Instance& instance, const definition::Definition& definition,
                          const std::string& word);

}  // namespace stele::requests
