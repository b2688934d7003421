// `${NAME}` in a shell script may be the shell's or a template. In a definition that declares its
// variables, one whose name nothing in it has is the shell's.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/definition/definition.h"

namespace stele::definition {

using IsKnownName = std::function<bool(std::string_view name)>;

// Escapes each `${NAME}` of the text whose name is unknown, `$${NAME}`, so that it is no template.
// Inside `{{ }}` and of anything but a name alone nothing is changed.
std::string EscapeShellNames(std::string_view text, const IsKnownName& known);

// Does so in what a script or container runs: `script`, `command`, `args` and `entrypoint`.
void LeaveToShell(Step& step, const IsKnownName& known);

}  // namespace stele::definition
