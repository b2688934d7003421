// Definitions as files of any notation, on their way out.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "engine/definition/export.h"

namespace stele::cli {

struct Form {
  definition::Dialect dialect = definition::Dialect::kSteps;
  definition::Syntax syntax = definition::Syntax::kYaml;
};

// --dialect and --format. kUsage with the notations that there are.
Result<Form> ReadForm(const Arguments& arguments);

// To standard output, or to the new file `out`. The exit code.
int PrintDefinition(const definition::Definition& definition, const Form& form,
                    const std::string& out, const Terminal& terminal);

}  // namespace stele::cli
