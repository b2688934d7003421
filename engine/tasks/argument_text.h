// What a configuration may put on the command line of a program: nothing that the program could
// take for an option of its own, and no secret, because everybody on the machine can read it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tasks/config_reader.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/redactor.h"

namespace stele::tasks {

// The text `key` as the value of an option or as an operand: not empty, without control characters,
// not beginning with "-". Everything else is a fault. Texts that are still open are not looked at.
std::optional<std::string> ReadArgument(ConfigReader& reader, std::string_view key);

// The same for a text that was read: adds a fault and returns false. `name` is what to call it.
bool CheckArgument(ConfigReader& reader, std::string_view name, const std::string& text);

// The value of `key` among `allowed`, else a fault; `fallback` when absent.
std::string ReadChoice(ConfigReader& reader, std::string_view key,
                       const std::vector<std::string_view>& allowed, std::string_view fallback);

// A letter or `_`, then letters, digits and `_`.
bool IsVariableName(std::string_view name);

// The names of a map that are no names of environment variables, and values with NUL, become
// faults.
void CheckVariables(ConfigReader& reader, std::string_view key,
                    const std::vector<std::pair<std::string, std::string>>& variables);

// "config" when one of the arguments holds a secret.
std::optional<TaskFailure> RefuseSecrets(const std::vector<std::string>& arguments,
                                         const Redactor& redactor, std::string_view instead);

}  // namespace stele::tasks
