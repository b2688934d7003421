// The open run of an instance that a call names.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/instance.h"

namespace stele::embed {

// `word` is a step's id, or "#RUN" or "STEP#RUN" for one run of several. `fits` says of which runs
// the call may speak. kUnknownRun: there is none, or several.
stele::Result<const model::StepRun*> FindRun(
    const model::Instance& instance, const definition::Definition& definition,
    const std::string& word, const std::function<bool(const model::StepRun&)>& fits);

}  // namespace stele::embed
