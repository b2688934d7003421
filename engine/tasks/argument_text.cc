#include "engine/tasks/argument_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace stele::tasks {
namespace {

bool IsControl(char c) {
  return (c >= 0 && c < 0x20) || c == 0x7f;
}

}  // namespace

bool IsVariableName(std::string_view name) {
  auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

bool CheckArgument(ConfigReader& reader, std::string_view name, const std::string& text) {
  if (reader.IsOpen(Value(text))) return true;
  std::string_view expected;
  if (text.empty()) {
    expected = "a text";
  } else if (text[0] == '-') {
    expected = "a value that is no option";
  } else if (std::ranges::any_of(text, IsControl)) {
    expected = "a single line";
  }
  if (expected.empty()) return true;
  reader.AddFault(fmt::format("Expected `{}` to be {} but found \"{}\"", name, expected, text));
  return false;
}

std::optional<std::string> ReadArgument(ConfigReader& reader, std::string_view key) {
  std::optional<std::string> text = reader.Text(key);
  if (text && !CheckArgument(reader, key, *text)) return std::nullopt;
  return text;
}

std::string ReadChoice(ConfigReader& reader, std::string_view key,
                       const std::vector<std::string_view>& allowed, std::string_view fallback) {
  std::string text = reader.Text(key).value_or(std::string(fallback));
  if (text != fallback && !reader.IsOpen(Value(text)) &&
      std::ranges::find(allowed, text) == allowed.end()) {
    reader.AddFault(fmt::format("Expected `{}` to be one of {} but found \"{}\"", key,
                                fmt::join(allowed, ", "), text));
  }
  return text;
}

void CheckVariables(ConfigReader& reader, std::string_view key,
                    const std::vector<std::pair<std::string, std::string>>& variables) {
  for (const auto& [name, value] : variables) {
    if (!IsVariableName(name)) {
      reader.AddFault(
          fmt::format("Expected the name of a variable in `{}` but found \"{}\"", key, name));
    }
    if (value.find('\0') != std::string::npos) {
      reader.AddFault(fmt::format("Expected `{}.{}` to be a text without NUL", key, name));
    }
  }
}

std::optional<TaskFailure> RefuseSecrets(const std::vector<std::string>& arguments,
                                         const Redactor& redactor, std::string_view instead) {
  for (const std::string& argument : arguments) {
    std::string shown = redactor.Text(argument);
    if (shown == argument) continue;
    return TaskFailure{"config",
                       fmt::format("Expected no secret on a command line, which everybody on the "
                                   "machine can read, but found one in \"{}\"; pass it in {}",
                                   shown, instead),
                       false,
                       {}};
  }
  return std::nullopt;
}

}  // namespace stele::tasks
