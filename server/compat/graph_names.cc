#include "server/compat/graph_names.h"

#include <fmt/format.h>

#include "server/compat/notes.h"
#include "server/compat/shown.h"
#include "server/compat/workflows.h"

namespace stele::server::compat {

// A graph keeps its name, and none is ever removed.
void GraphNames::TakeUp() {
  for (uint64_t number = definitions_.size() + 1; BytesOf(registry_, kGraph, number) > 0;
       ++number) {
    const auto graph = FindNote(registry_, kGraph, number);
    definitions_.push_back(graph.has_value() ? TextMember(*graph, "definition") : std::string());
    numbers_.emplace(definitions_.back(), number);
  }
}

const std::vector<std::string>& GraphNames::All() {
  TakeUp();
  return definitions_;
}

std::optional<uint64_t> GraphNames::NumberOf(std::string_view definition) {
  TakeUp();
  const auto found = numbers_.find(definition);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

std::string GraphNames::Free(const std::string& wanted) {
  TakeUp();
  uint64_t& tried = tried_[wanted];
  for (;;) {
    const std::string name = tried == 0 ? wanted : fmt::format("{} {}", wanted, tried + 1);
    if (registry_.Latest(name) == nullptr && !numbers_.contains(name)) return name;
    ++tried;
  }
}

}  // namespace stele::server::compat
