// What is asked of an instance, before the instance is looked at.
#pragma once

#include <functional>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/command.h"
#include "engine/model/instance.h"

namespace stele::requests {

// Makes the command from the instance as it is, or says why there is none. It may be called more
// than once. REQUIRES: `definition` is the one that the instance runs now; called on the thread of
// the shard, where payloads that it was made with belong, too.
using MakeCommand = std::function<Result<model::Command>(const model::Instance& instance,
                                                         const definition::Definition& definition)>;

}  // namespace stele::requests
