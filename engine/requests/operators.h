// What operators and other systems ask of an instance.
//
// A `step` names an open run, by find_run.h. `reason` is kept with the history; empty: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/payload.h"
#include "engine/model/registry.h"
#include "engine/requests/make_command.h"

namespace stele::requests {

MakeCommand Pause(std::string reason);
// `steps`: so many of the held steps start, and it stays paused; 0: it is paused no more.
MakeCommand Resume(std::string reason, uint32_t steps = 0);
// `compensate`: what was done is undone first.
MakeCommand Cancel(bool compensate, std::string reason);
MakeCommand Terminate(std::string reason);
// Of an instance that has failed.
MakeCommand Retry(std::string reason);

// Of a run that waits for its next attempt or for an operator.
MakeCommand RetryStep(std::string step, std::string reason);
MakeCommand SkipStep(std::string step, std::string reason);
// Back to the step `to_step`; from the open run of `from_step`, empty: from wherever it is.
MakeCommand RollBack(std::string from_step, std::string to_step, std::string reason);

// "retry", "skip" or "fail". kUsage: another word.
Result<model::Resolution> ParseResolution(std::string_view word);
// Of a run that waits for an operator; `word` is one of those.
MakeCommand Resolve(std::string step, std::string word, std::string reason);

// `scope` names an open run in whose scope they are, by find_run.h; empty: the instance's own.
MakeCommand AssignVariables(std::vector<model::NamedPayload> variables, std::string scope = "",
                            std::string reason = "");
MakeCommand Signal(std::string name, Payload payload);
// On to another version of its definition. `plan`: a JSON object, old step id to new one; empty:
// every step stays itself. REQUIRES: the registry outlives what is returned.
MakeCommand Migrate(const model::Registry& registry, uint32_t version, std::string plan,
                    std::string reason = "");

}  // namespace stele::requests
