// A start as the arguments give it, in a data directory or at a server.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "engine/definition/definition.h"
#include "engine/model/command.h"

namespace stele::cli {

// Without the definition's number. Notes on variables that it does not declare. kUsage.
Result<model::StartInstance> ReadStart(const Arguments& arguments, const Terminal& terminal,
                                       const definition::Definition& definition, TimeUs now);
// kUsage: --version beside a file.
Status CheckVersion(const Arguments& arguments, bool is_file);

// What --no-wait prints. `known`: its key had started it before.
void ReportStarted(const Arguments& arguments, const Terminal& terminal, InstanceId instance,
                   const std::string& definition, bool known);
std::string KnownStartNote(InstanceId instance);

// `stele run` and `stele start` at a server: the file is registered there, or the definition found.
int StartAtServer(const Arguments& arguments, const Terminal& terminal, bool is_file);

}  // namespace stele::cli
