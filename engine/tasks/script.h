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
#include "engine/tasks/limits.h"

namespace stele::tasks {

struct ScriptOptions {
  // Where `stele` was called: STELE_WORKSPACE, and what a relative `working_directory` starts from.
  std::string base_directory = ".";
  // Where a relative name of a script file is looked for, in this order, after base_directory; the
  // definition's directory belongs here.
  std::vector<std::string> script_directories;
  // Where attempts get their directories. A killed engine leaves them there.
  std::string scratch_root = "/tmp";
  // All that scripts see of the engine's own environment unasked.
  std::vector<std::pair<std::string, std::string>> environment = {
      {"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  // What `inherit_environment` may ask for.
  std::vector<std::pair<std::string, std::string>> inheritable;

  int64_t kill_grace_us = kKillGraceUs;
  size_t max_stream_bytes = kMaxStreamBytes;
  size_t max_log_bytes = kMaxLogBytes;
  size_t max_outputs_bytes = kMaxOutputsFileBytes;

  // With PATH, HOME, LANG, LC_… and TZ of this process, and its TMPDIR as the scratch root.
  static ScriptOptions FromProcess(std::string base_directory);
};

// REQUIRES: `loop` outlives the executor.
std::unique_ptr<TaskExecutor> MakeScriptExecutor(uv_loop_t* loop, ScriptOptions options);

}  // namespace stele::tasks
