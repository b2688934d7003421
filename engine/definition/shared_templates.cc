#include "engine/definition/shared_templates.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "engine/definition/document.h"
#include "engine/definition/reader.h"

namespace stele::definition {
namespace {

std::string PrefixOf(const SharedTemplateName& name) {
  return name.version == 0 ? name.workflow + "/"
                           : fmt::format("{}@{}/", name.workflow, name.version);
}

// `use` of a template beside it becomes that of one from elsewhere. A file's depth is bounded.
void Qualify(Node& node, const Node& beside, const std::string& prefix) {
  for (Node& item : node.items) Qualify(item, beside, prefix);
  for (Entry& entry : node.entries) {
    Qualify(entry.value, beside, prefix);
    if (entry.key != "use" || !entry.value.is_string()) continue;
    const std::string used = entry.value.scalar.as_string();
    if (beside.Find(used) != nullptr) entry.value.scalar = Value(prefix + used);
  }
}

}  // namespace

std::optional<SharedTemplateName> ParseSharedTemplateName(std::string_view text) {
  const size_t slash = text.rfind('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) return {};
  SharedTemplateName name{.workflow = std::string(text.substr(0, slash)),
                          .version = 0,
                          .step = std::string(text.substr(slash + 1))};
  const size_t at = name.workflow.rfind('@');
  if (at == std::string::npos || at == 0) return name;
  const char* const end = name.workflow.data() + name.workflow.size();
  const auto read = std::from_chars(name.workflow.data() + at + 1, end, name.version);
  if (read.ec == std::errc() && read.ptr == end && name.version > 0)
    name.workflow.resize(at);
  else
    name.version = 0;
  return name;
}

std::optional<TemplateText> StepTemplateOf(std::string_view text, Syntax syntax,
                                           const SharedTemplateName& name) {
  Faults ignored;  // it was told when the workflow was registered
  const std::optional<Node> root = ParseDocument(text, syntax, ignored);
  if (!root || !root->is_map()) return {};
  for (const Node* head : {&*root, root->Find("workflow"), root->Find("definition")}) {
    const Node* templates = head == nullptr ? nullptr : head->Find("templates");
    const Node* found = templates == nullptr ? nullptr : templates->Find(name.step);
    if (found == nullptr) continue;
    Node step = *found;
    Qualify(step, *templates, PrefixOf(name));
    return TemplateText{ToJson(ToValue(step)), Syntax::kJson};
  }
  return {};
}

}  // namespace stele::definition
