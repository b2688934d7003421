// From the configuration of a script step to what has to be run: which interpreter, which file,
// where, with which environment.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "base/value.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/script.h"
#include "engine/tasks/script_confinement.h"

namespace stele::tasks {

enum class Runtime : uint8_t { kShell, kBash, kSh, kPython, kNode };

struct ScriptConfig {
  std::string script;   // a text or the name of a file
  std::string command;  // a line for the shell; one of the two is empty
  std::string runtime;  // as written; empty: to be guessed
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> inherited;  // names of the engine's own variables
  std::string working_directory;       // as written; empty: the attempt's own
  int64_t timeout_us = 0;
  ScriptConfinement confinement;
};

// Faults: a sentence each.
std::expected<ScriptConfig, std::vector<std::string>> ReadScriptConfig(const Value& config,
                                                                       ConfigReader::Mode mode);

struct ScriptPlan {
  std::string interpreter;  // a path
  std::string file;         // an existing file; empty: `text` has to be written to one
  std::string text;
  std::string file_name;          // for the text: "script.py"
  std::string working_directory;  // an existing one; empty: the attempt's own
};

// Looks at the file system: what exists, what is installed. Failures are of the kinds "config" and
// "unavailable" and not retryable.
std::expected<ScriptPlan, TaskFailure> PlanScript(const ScriptConfig& config,
                                                  const ScriptOptions& options);

// What the script gets to see. `input_file` holds the input as JSON.
std::vector<std::string> ScriptEnvironment(const ScriptConfig& config, const ScriptOptions& options,
                                           const TaskRequest& request,
                                           const std::string& input_file,
                                           const std::string& outputs_file,
                                           const std::string& temporary_directory);

}  // namespace stele::tasks
