// The registry: the shard's instance 0, whose history holds definitions. What it amounts to is this
// table. Changed by engine/apply alone.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/definition/definition.h"
#include "engine/model/event.h"

namespace stele::model {

struct RegisteredDefinition {
  DefinitionId id;
  std::string name;
  uint32_t version = 1;  // of that name, from 1
  std::string canonical;
  std::string source;
  std::string file;
  TimeUs registered;
  std::shared_ptr<const definition::Definition> definition;
};

struct Registry {
  Seq seq;
  Position position;
  std::vector<RegisteredDefinition> definitions;  // by id, from 1

  const RegisteredDefinition* Find(DefinitionId id) const;
  // The newest version of a name, or null.
  const RegisteredDefinition* Latest(std::string_view name) const;
};

}  // namespace stele::model
