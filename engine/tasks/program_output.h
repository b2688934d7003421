// What a program printed and declared, as the output of a step.
#pragma once

#include <expected>
#include <string>

#include "engine/tasks/executor.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {

// {exit_code: 0, result?, stdout, stdout_truncated?} and what the file `outputs` declares, which
// wins. `result` is there when all of what was printed is one JSON object or list. `truncated`: the
// middle of `printed` is missing. Failures: "outputs", "output_limit".
std::expected<Payload, TaskFailure> ProgramOutput(std::string printed, bool truncated,
                                                  const std::string& outputs_file,
                                                  size_t max_outputs_bytes,
                                                  const Redactor& redactor);

}  // namespace stele::tasks
