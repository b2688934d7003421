// Triggers at a server.
#pragma once

#include "base/error.h"
#include "base/payload.h"
#include "base/value.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "engine/model/registry.h"
#include "engine/triggers/service.h"

namespace stele::cli {

// `trigger`: one entry as in the section `triggers:` of the definition that the first operand
// names.
Result<TriggerId> AddTriggerAtServer(const Arguments& arguments, const Object& trigger);
Status ChangeTriggerAtServer(const Arguments& arguments, TriggerId id, model::TriggerState state);
Result<triggers::Backfilled> BackfillAtServer(const Arguments& arguments, TriggerId id, TimeUs from,
                                              TimeUs to);
// Follows what it starts; the exit code.
int FireTriggerAtServer(const Arguments& arguments, const Terminal& terminal, TriggerId id,
                        const Payload& input);

// What is printed of a firing whose instance starts later, or is not followed.
int ReportFired(const Arguments& arguments, const Terminal& terminal, TriggerId id,
                InstanceId instance = InstanceId());

}  // namespace stele::cli
