#include "engine/model/registry.h"

namespace stele::model {

const RegisteredDefinition* Registry::Find(DefinitionId id) const {
  if (id.value == 0 || id.value > definitions.size()) return nullptr;
  return &definitions[id.value - 1];
}

const RegisteredDefinition* Registry::Latest(std::string_view name) const {
  for (auto found = definitions.rbegin(); found != definitions.rend(); ++found)
    if (found->name == name) return &*found;
  return nullptr;
}

}  // namespace stele::model
