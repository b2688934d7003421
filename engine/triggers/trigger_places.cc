#include "engine/triggers/trigger_places.h"

#include <charconv>

#include "engine/definition/document.h"
#include "engine/triggers/trigger_config.h"

namespace stele::triggers {

namespace {

using definition::Node;

std::string Unescaped(std::string_view token) {
  std::string key;
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size()) {
      key += token[++i] == '1' ? '/' : '~';
    } else {
      key += token[i];
    }
  }
  return key;
}

// The triggers of a file in the order in which its definition holds them.
std::vector<const Node*> TriggersOf(const Node& root) {
  std::vector<const Node*> triggers;
  for (const Node* holder : {root.Find("workflow"), &root, root.Find("definition")}) {
    const Node* section = holder == nullptr ? nullptr : holder->Find("triggers");
    if (section == nullptr || !section->is_list()) continue;
    for (const Node& item : section->items) triggers.push_back(&item);
  }
  return triggers;
}

const Node* ChildOf(const Node& node, const std::string& token) {
  if (!node.is_list()) return node.Find(token);
  size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool fits = error == std::errc() && index < node.items.size();
  return fits ? &node.items[index] : nullptr;
}

// As far as the pointer leads.
definition::Place PlaceOf(const std::vector<const Node*>& triggers, std::string_view pointer) {
  const Node* node = nullptr;
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const std::string token = Unescaped(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(std::min(pointer.find('/'), pointer.size()));
    const Node* child = nullptr;
    if (node != nullptr) {
      child = ChildOf(*node, token);
    } else {
      size_t index = triggers.size();
      std::from_chars(token.data(), token.data() + token.size(), index);
      if (index < triggers.size()) child = triggers[index];
    }
    if (child == nullptr) break;
    node = child;
  }
  if (node != nullptr) return node->place;
  return triggers.empty() ? definition::Place() : triggers.front()->place;
}

std::vector<definition::Fault> Placed(const std::vector<TriggerFault>& found,
                                      const std::vector<const Node*>& triggers) {
  std::vector<definition::Fault> faults;
  for (const TriggerFault& fault : found)
    faults.push_back({fault.code, fault.message, PlaceOf(triggers, fault.pointer)});
  return faults;
}

}  // namespace

std::vector<definition::Fault> FaultsOfTriggers(const definition::Definition& definition,
                                                std::string_view text, definition::Syntax syntax) {
  const std::vector<TriggerFault> found = CheckTriggers(definition.triggers);
  if (found.empty()) return {};
  definition::Faults ignored;
  const std::optional<Node> root = definition::ParseDocument(text, syntax, ignored);
  return Placed(found, root.has_value() ? TriggersOf(*root) : std::vector<const Node*>());
}

std::vector<definition::Fault> FaultsOfTriggers(std::string_view text, definition::Syntax syntax) {
  definition::Faults ignored;
  const std::optional<Node> root = definition::ParseDocument(text, syntax, ignored);
  if (!root.has_value()) return {};
  std::vector<const Node*> triggers = TriggersOf(*root);
  std::erase_if(triggers, [](const Node* trigger) { return !trigger->is_map(); });
  Array values;
  for (const Node* trigger : triggers) values.push_back(definition::ToValue(*trigger));
  if (values.empty()) return {};
  return Placed(CheckTriggers(std::move(values)), triggers);
}

}  // namespace stele::triggers
