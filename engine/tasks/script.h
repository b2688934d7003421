// The task type `script`: runs a program of the user's in a process group and a directory of its
// own. docs/tasks.md describes the configuration and what a script sees.
//
// Thread: the loop's. After the executor is destroyed (which kills what still runs) the loop has to
// run until it has nothing left to do.
#pragma once

#include <uv.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/tasks/executor.h"
#include "engine/tasks/program_run.h"

namespace stele::tasks {

// base_directory is the script's STELE_WORKSPACE, too; what is in `environment` it sees unasked.
struct ScriptOptions : ProgramOptions {
  // What `inherit_environment` may ask for.
  std::vector<std::pair<std::string, std::string>> inheritable;

  // With PATH, HOME, LANG, LC_… and TZ of this process, and its TMPDIR as the scratch root.
  static ScriptOptions FromProcess(std::string base_directory);
};

// REQUIRES: `loop` outlives the executor.
std::unique_ptr<TaskExecutor> MakeScriptExecutor(uv_loop_t* loop, ScriptOptions options);

}  // namespace stele::tasks
