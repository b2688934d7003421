// A workflow file, loaded and checked against what can run here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/engine.h"
#include "cli/stubs.h"
#include "cli/terminal.h"
#include "engine/definition/load.h"
#include "engine/requests/definitions.h"
#include "engine/runtime/registered_templates.h"

namespace stele::cli {

// Whether an operand that may be the name of a definition means a file.
bool LooksLikeFile(const std::string& operand);

// The definition, or every fault of the file: its own, types that nothing runs, configurations that
// an executor refuses. Types and step templates that are registered count where the engine is open.
definition::LoadResult LoadWorkflow(const std::string& path, Engine& engine,
                                    const std::vector<Stub>& stubs);

// The text of a file that was loaded, as it is registered; empty when it is not there any more.
std::string TextOfWorkflow(const std::string& path);

// The step templates of the workflows that are registered; nothing where the engine is not open.
std::optional<runtime::RegisteredTemplates> TemplatesOf(Engine& engine);

// What can run in the engine's process.
requests::RunsHere RunsIn(const Engine& engine, const std::vector<Stub>& stubs);

struct FaultyFile {
  std::string path;
  std::vector<definition::Fault> faults;  // at least one
};
// Tells them: a line a fault, "orders.yml:12:7: STL0104: Expected …", or one error with all faults
// for who asked for JSON. REQUIRES: there is one. Gives the exit code.
int RefuseFaulty(const Terminal& terminal, const std::vector<FaultyFile>& files);

}  // namespace stele::cli
