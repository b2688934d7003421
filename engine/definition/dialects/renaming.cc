// Names of steps in expressions, where a file calls its steps otherwise than by their ids.

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/definition/dialects/foreign.h"
#include "engine/definition/roots.h"

namespace stele::definition {
namespace {

struct Edit {
  size_t at;
  size_t length;
  std::string text;
};

std::string Member(std::string_view root, const std::string& name) {
  if (IsExpressionName(name)) return fmt::format("{}.{}", root, name);
  return fmt::format("{}[{}]", root, ToJson(Value(name)));
}

// The edit of one reference, when it stands in the text as it is usually written.
std::optional<Edit> EditOf(const expression::Reference& reference, const std::string& text,
                           const Renaming& renaming) {
  const auto& path = reference.path;
  if (reference.column == 0) return std::nullopt;
  const size_t at = reference.column - 1;
  const std::string_view rest = std::string_view(text).substr(std::min(at, text.size()));
  if (path.size() > 1 && path[0] != "steps") {
    const auto output = renaming.outputs.find({path[0], path[1]});
    const std::string written = path[0] + "." + path[1];
    if (output != renaming.outputs.end() && rest.starts_with(written))
      return Edit{at, written.size(), Member("variables", output->second)};
  }
  const bool full = path[0] == "steps" && path.size() > 1;
  if (!full && IsRoot(path[0])) return std::nullopt;
  const auto step = renaming.steps.find(full ? path[1] : path[0]);
  if (step == renaming.steps.end()) return std::nullopt;
  const std::string written = full ? "steps." + path[1] : path[0];
  if (rest.starts_with(written)) {
    if (full) return Edit{at, written.size(), Member("steps", step->second)};
    return Edit{
        at, written.size(),
        IsExpressionName(step->second) ? step->second : Member("steps", step->second) + ".output"};
  }
  for (const char quote : {'"', '\''}) {
    const std::string indexed =
        fmt::format("steps[{}{}{}]", quote, path.size() > 1 ? path[1] : "", quote);
    if (full && rest.starts_with(indexed))
      return Edit{at, indexed.size(), Member("steps", step->second)};
  }
  return std::nullopt;
}

void Rename(Node& node, std::span<const expression::Reference> references,
            const Renaming& renaming) {
  std::string text = node.scalar.as_string();
  std::vector<Edit> edits;
  for (const expression::Reference& reference : references)
    if (auto edit = EditOf(reference, text, renaming)) edits.push_back(*std::move(edit));
  if (edits.empty()) return;
  std::ranges::sort(edits, std::greater(), &Edit::at);
  size_t last = text.size() + 1;
  for (const Edit& edit : edits) {
    if (edit.at + edit.length > last || edit.at == last) continue;
    text.replace(edit.at, edit.length, edit.text);
    last = edit.at;
  }
  node.scalar = std::move(text);
}

}  // namespace

void RenameInCondition(Node& node, const Renaming& renaming) {
  if (renaming.empty() || !node.is_string()) return;
  const auto compiled = Expression::Compile(node.scalar.as_string());
  if (compiled) Rename(node, compiled->references(), renaming);
}

void RenameInTemplates(Node& node, const Renaming& renaming) {
  if (renaming.empty()) return;
  for (Node& item : node.items) RenameInTemplates(item, renaming);
  for (Entry& entry : node.entries) RenameInTemplates(entry.value, renaming);
  if (!node.is_string()) return;
  const auto compiled = Template::Compile(node.scalar);
  if (compiled) Rename(node, compiled->references(), renaming);
}

}  // namespace stele::definition
