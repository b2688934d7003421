#include "engine/definition/shell_text.h"

#include <algorithm>

namespace stele::definition {
namespace {

bool IsNameByte(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (!first && c >= '0' && c <= '9');
}

void Escape(Value& value, const IsKnownName& known) {
  if (value.is_string()) value = Value(EscapeShellNames(value.as_string(), known));
  if (value.is_array())
    for (Value& item : value.as_array()) Escape(item, known);
}

}  // namespace

std::string EscapeShellNames(std::string_view text, const IsKnownName& known) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    size_t length = 1;
    if (rest.starts_with("$${") || rest.starts_with("\\{{")) {
      length = 3;
    } else if (rest.starts_with("{{")) {
      const size_t end = rest.find("}}");
      length = end == std::string_view::npos ? rest.size() : end + 2;
    } else if (rest.starts_with("${")) {
      length = 2;
      while (length < rest.size() && IsNameByte(rest[length], length == 2)) ++length;
      const bool name = length > 2 && length < rest.size() && rest[length] == '}';
      if (name && !known(rest.substr(2, length - 2))) out += '$';
    }
    out += rest.substr(0, length);
    at += length;
  }
  return out;
}

void LeaveToShell(Step& step, const IsKnownName& known) {
  if (step.kind != StepKind::kTask || !step.config.is_dynamic() ||
      (step.task_type != "script" && step.task_type != "container"))
    return;
  const auto known_here = [&](std::string_view name) {
    return known(name) || std::ranges::find(step.inputs, name, &Mapping::name) != step.inputs.end();
  };
  Value config = step.config.source();
  for (const std::string_view key : {"script", "command", "args", "entrypoint"})
    if (Value* text = config.is_object() ? config.as_object().Find(key) : nullptr)
      Escape(*text, known_here);
  if (config == step.config.source()) return;
  if (auto compiled = Template::Compile(config)) step.config = *std::move(compiled);
}

}  // namespace stele::definition
