// Puts secrets into what a task is asked to do, where its templates want them, in the moment before
// it is done: what is recorded has their names alone.
//
// Thread: the loop's.
#pragma once

#include "base/error.h"
#include "engine/expression/expression.h"
#include "engine/secrets/secrets.h"
#include "engine/tasks/executor.h"

namespace stele::runtime {

// Into the request's configuration, or its input where the pointer begins with "input/"; the text
// is among request.secrets from then on. kTaskConfig: there is no such secret, or no such place.
Status InsertSecret(tasks::TaskRequest& request, const expression::SecretUse& use,
                    const secrets::Secrets& source);

}  // namespace stele::runtime
