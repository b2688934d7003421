// Definitions: loading and judging a text, registering it, finding what is registered.
//
// Thread: that of the registry, which is the shard's.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/definition/load.h"
#include "engine/definition/templates.h"
#include "engine/model/registry.h"
#include "engine/runtime/custom_types.h"
#include "engine/runtime/shard.h"
#include "engine/tasks/executor.h"

namespace stele::requests {

// The version of a definition; 0: the newest that may start when `startable`, else the newest. When
// none may start it is the newest all the same: starting it says why not. kUnknownDefinition: there
// is none.
Result<const model::RegisteredDefinition*> FindDefinition(const model::Registry& registry,
                                                          const std::string& name, uint32_t version,
                                                          bool startable);

// What can run in this process: whatever has an executor, somebody's own types that are registered,
// which may get theirs later, and what a stub answers for, by step id or task type.
struct RunsHere {
  const tasks::TaskRegistry& tasks;
  const runtime::CustomTypes& types;
  std::set<std::string> stubbed = {};
};

// What is wrong with a definition that was loaded: types that nothing runs, configurations that an
// executor or the schema of a type of somebody's own refuses. By place.
std::vector<definition::Fault> CheckRunnable(const definition::Definition& definition,
                                             const RunsHere& here);

// The definition, or every fault of the text: its own, those of CheckRunnable and of its triggers.
// By place. `name`: of a definition that does not say its own. `templates`: step templates that the
// text does not hold; may be null.
definition::LoadResult Load(std::string_view text, definition::Syntax syntax, std::string_view name,
                            const RunsHere& here, const definition::TemplateSource* templates);

struct RegisterRequest {
  std::shared_ptr<const definition::Definition> definition;
  std::string text;  // as people wrote it
  std::string file;  // where it was; empty: in none
  bool draft = false;
};

struct Registered {
  DefinitionId id;
  bool is_new = false;  // false: the same was registered before, and keeps its state
};

// Registers it, as a draft if asked. `answer` is called once, when all of it is durable or refused;
// what is returned is good when it has a position.
Registered Register(runtime::Shard& shard, const RegisterRequest& request, model::Asker asker,
                    runtime::Shard::Answer answer);

}  // namespace stele::requests
